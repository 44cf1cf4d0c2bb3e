// Digests of file content: computing them, and keeping them in an inode's row.
//
// Shape:   raw digests: crc32c and xxh3 big-endian (4 and 8 bytes), blake3 and sha256 as
//          published (32). Kept: for each, type u8 | size u8 | bytes.
// Threads: Digester is thread-compatible; the functions have no state.
// Source:  RFC 3720 (CRC-32C), xxHash 0.8, the BLAKE3 paper, FIPS 180-4.
#ifndef FS_VOLUME_DIGEST_H_
#define FS_VOLUME_DIGEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace fs {

// On disk; the numbers never change. Equal to those of batch.proto.
enum class DigestType : uint8_t { kCrc32c = 1, kXxh3 = 2, kBlake3 = 3, kSha256 = 4 };

constexpr DigestType kDigestTypes[] = {DigestType::kCrc32c, DigestType::kXxh3, DigestType::kBlake3,
                                       DigestType::kSha256};

// "crc32c", "xxh3", "blake3", "sha256".
absl::string_view DigestName(DigestType type);
absl::optional<DigestType> DigestTypeOf(absl::string_view name);

class Digester {
 public:
  explicit Digester(DigestType type);
  ~Digester();
  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  void Update(absl::Span<const uint8_t> data);
  // The raw digest of all that was given. Ends the digester's life.
  std::string Finish();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

// As a Digester of that type gives it.
std::string EncodeCrc32cDigest(uint32_t crc);

// The digest of `type` among those kept; empty if it is not there.
absl::string_view FindDigest(absl::string_view kept, DigestType type);
// REQUIRES: it is not there yet.
void AddDigest(std::string* kept, DigestType type, absl::string_view raw);

}  // namespace fs

#endif  // FS_VOLUME_DIGEST_H_
