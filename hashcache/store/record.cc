#include "hashcache/store/record.h"

#include <cstring>

#include "isa-l/crc.h"
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hashcache {
namespace {

constexpr uint8_t kRacyFlag = 1;

#if defined(__x86_64__)
// ISA-L folds, which pays from some 300 bytes on; a record takes the bare instruction two thirds
// of that time.
constexpr size_t kShortMax = 256;

bool HaveCrcInstruction() {
  static const bool have = __builtin_cpu_supports("sse4.2") != 0;
  return have;
}

__attribute__((target("sse4.2"))) uint32_t ShortCrc32c(const uint8_t* data, size_t size) {
  uint64_t crc = ~0u;
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, base::LoadLittle<uint64_t>(data));
  for (; size > 0; --size, ++data) crc = _mm_crc32_u8(static_cast<uint32_t>(crc), *data);
  return ~static_cast<uint32_t>(crc);
}
#endif

}  // namespace

uint32_t Crc32c(const void* data, size_t size) {
#if defined(__x86_64__)
  if (size <= kShortMax && HaveCrcInstruction()) return ShortCrc32c(static_cast<const uint8_t*>(data), size);
#endif
  // ISA-L takes a pointer to non-const but only reads.
  return ~crc32_iscsi(static_cast<unsigned char*>(const_cast<void*>(data)), static_cast<int>(size), ~0u);
}

void EncodeRecord(const Record& record, uint8_t* out) {
  const Fingerprint& fingerprint = record.fingerprint;
  base::StoreLittle<uint64_t>(out, fingerprint.inode);
  base::StoreLittle<uint64_t>(out + 8, fingerprint.size_bytes);
  base::StoreLittle<uint64_t>(out + 16, static_cast<uint64_t>(fingerprint.mtime_ns));
  base::StoreLittle<uint64_t>(out + 24, static_cast<uint64_t>(fingerprint.ctime_ns));
  base::StoreLittle<uint64_t>(out + 32, static_cast<uint64_t>(fingerprint.btime_ns));
  base::StoreLittle<uint64_t>(out + 40, static_cast<uint64_t>(record.hashed_at_ns));
  base::StoreLittle<uint32_t>(out + 48, fingerprint.generation);
  base::StoreLittle<uint32_t>(out + 52, record.boot_tag);
  out[56] = static_cast<uint8_t>(record.kind);
  out[57] = record.digests.algorithms().bits();
  out[58] = record.racy ? kRacyFlag : 0;
  out[59] = static_cast<uint8_t>(record.trust);
  base::StoreLittle<uint16_t>(out + 60, record.seen_day);
  base::StoreLittle<uint16_t>(out + 62, 0);
  std::memcpy(out + 64, record.digests.bytes().data(), Digests::kBytes);
  static_assert(64 + Digests::kBytes + 4 == kRecordSize);
  base::StoreLittle<uint32_t>(out + 156, Crc32c(out, 156));
}

absl::optional<Record> DecodeRecord(const uint8_t* bytes) {
  if (base::LoadLittle<uint32_t>(bytes + 156) != Crc32c(bytes, 156)) return absl::nullopt;
  const uint8_t kind = bytes[56];
  const uint8_t trust = bytes[59];
  const AlgorithmSet algorithms = AlgorithmSet::FromBits(bytes[57]);
  if (kind < 1 || kind > 3 || algorithms.bits() != bytes[57] || bytes[58] > kRacyFlag ||
      trust > static_cast<uint8_t>(TrustClass::kProvider) || base::LoadLittle<uint16_t>(bytes + 62) != 0) {
    return absl::nullopt;
  }
  Record record;
  record.kind = static_cast<Record::Kind>(kind);
  record.fingerprint.inode = RecordInode(bytes);
  record.fingerprint.size_bytes = base::LoadLittle<uint64_t>(bytes + 8);
  record.fingerprint.mtime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 16));
  record.fingerprint.ctime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 24));
  record.fingerprint.btime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 32));
  record.hashed_at_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 40));
  record.fingerprint.generation = base::LoadLittle<uint32_t>(bytes + 48);
  record.boot_tag = base::LoadLittle<uint32_t>(bytes + 52);
  record.trust = static_cast<TrustClass>(trust);
  record.racy = bytes[58] == kRacyFlag;
  record.seen_day = base::LoadLittle<uint16_t>(bytes + 60);
  record.digests = Digests::FromBytes(algorithms, bytes + 64);
  return record;
}

}  // namespace hashcache
