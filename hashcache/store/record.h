// One remembered file as bytes: what both the base table and the journal hold.
//
// Shape:   kRecordSize bytes, little-endian, CRC-32C of the rest in the last
// four:
//            0 inode  8 size  16 mtime  24 ctime  32 btime  40 hashed_at (ns)
//           48 generation u32  52 boot_tag u32  56 kind u8  57 algorithms u8
//           58 flags u8  59 trust u8  60 seen_day u16  62 zero u16
//           64 digests[92]  156 crc32c u32
//          A session keeps its clock in the times: mtime = now, ctime = now -
//          time since boot. A clock step keeps the doubtful interval: mtime ..
//          ctime.
// Errors:  a record that is not exactly what Encode writes does not decode: a
// miss. Threads: no state.
#ifndef HASHCACHE_STORE_RECORD_H_
#define HASHCACHE_STORE_RECORD_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "base/endian.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/result.h"

namespace hashcache {

constexpr size_t kRecordSize = 160;

struct Record {
  enum class Kind : uint8_t { kFile = 1, kSession = 2, kClockStep = 3 };
  Kind kind = Kind::kFile;
  Fingerprint fingerprint;
  int64_t hashed_at_ns = 0;  // when the reading began
  uint32_t boot_tag = 0;
  TrustClass trust = TrustClass::kNone;
  // The file was too young for its times to prove anything; never a hit.
  bool racy = false;
  uint16_t seen_day = 0;  // days since 1970 when it was last useful
  Digests digests;
};

void EncodeRecord(const Record& record, uint8_t* out);
// `bytes` has kRecordSize bytes.
absl::optional<Record> DecodeRecord(const uint8_t* bytes);

// CRC-32C as RFC 3720 has it.
uint32_t Crc32c(const void* data, size_t size);

inline uint64_t RecordInode(const uint8_t* bytes) { return base::LoadLittle<uint64_t>(bytes); }

inline uint16_t RecordSeenDay(const uint8_t* bytes) { return base::LoadLittle<uint16_t>(bytes + 60); }

}  // namespace hashcache

#endif  // HASHCACHE_STORE_RECORD_H_
