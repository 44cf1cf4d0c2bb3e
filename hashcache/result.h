// What hashing a file gives: status, where the digests come from, how far they can be trusted, and
// the file's fingerprint at that moment.
//
// Threads: values.
#ifndef HASHCACHE_RESULT_H_
#define HASHCACHE_RESULT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hashcache/digest/algorithm.h"

namespace hashcache {

enum class Outcome : uint8_t {
  kHit,       // remembered; the file was not read
  kProvider,  // told by somebody who knows, e.g. the cachefs mount
  kHashed,    // read
  kUnstable,  // changed while it was read, three times over; no digests unless
              // allowed
  kBusy,      // read, but open for writing or mapped: the digests are of a moving
              // thing
  kError,     // see status; there are no digests
};
absl::string_view OutcomeName(Outcome outcome);

// Why a remembered digest may be believed; the values are stored on disk.
enum class TrustClass : uint8_t {
  kNone = 0,      // nothing is remembered of this file
  kLeased = 1,    // A: a read lease proved that nobody wrote or mapped it meanwhile
  kUnproven = 2,  // B: no lease was to be had; believed once old enough
  kNetwork = 3,   // N: another machine or the kernel makes up the attributes
  kVerity = 4,    // V: fs-verity holds the content fixed
  kProvider = 5,  // the provider answers for it
};
absl::string_view TrustClassName(TrustClass trust);

// Two looks at a file with equal fingerprints saw the same content, as far as
// the rules in store/rules.h allow. Compared for equality, never for order.
struct Fingerprint {
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  int64_t btime_ns = 0;     // 0 = the filesystem keeps none
  uint32_t generation = 0;  // only where there is no btime
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

struct FileResult {
  absl::Status status;  // of this file; OK unless kError or kUnstable
  Outcome outcome = Outcome::kError;
  TrustClass trust = TrustClass::kNone;
  uint32_t mode = 0;    // st_mode, 0 if unknown
  uint64_t device = 0;  // st_dev, 0 if unknown
  Fingerprint fingerprint;
  Digests digests;  // those asked for, and any others that came for free
};

// A remembered digest that a fresh reading contradicted.
struct AuditFinding {
  std::string path;
  Fingerprint fingerprint;
  Digests remembered, found;
};

}  // namespace hashcache

#endif  // HASHCACHE_RESULT_H_
