#include "hashcache/store/format.h"

#include <cstring>

#include "base/endian.h"

namespace hashcache {
namespace {

constexpr absl::string_view kStateMagic = "HCS1";
constexpr absl::string_view kLogMagic = "HCLOG001";
constexpr size_t kStateSize = 16;

}  // namespace

std::string EncodeState(uint64_t generation) {
  std::string bytes(kStateSize, '\0');
  std::memcpy(bytes.data(), kStateMagic.data(), kStateMagic.size());
  base::StoreLittle<uint64_t>(bytes.data() + 4, generation);
  base::StoreLittle<uint32_t>(bytes.data() + 12, Crc32c(bytes.data(), 12));
  return bytes;
}

absl::optional<uint64_t> DecodeState(absl::string_view bytes) {
  if (bytes.size() != kStateSize || bytes.substr(0, 4) != kStateMagic ||
      base::LoadLittle<uint32_t>(bytes.data() + 12) != Crc32c(bytes.data(), 12)) {
    return absl::nullopt;
  }
  return base::LoadLittle<uint64_t>(bytes.data() + 4);
}

std::string LogHeader(absl::string_view filesystem_id, uint64_t generation) {
  std::string header(kLogHeaderSize, '\0');
  std::memcpy(header.data(), kLogMagic.data(), kLogMagic.size());
  base::StoreLittle<uint64_t>(header.data() + 8, generation);
  base::StoreLittle<uint32_t>(header.data() + 16, Crc32c(filesystem_id.data(), filesystem_id.size()));
  base::StoreLittle<uint32_t>(header.data() + kLogHeaderSize - 4, Crc32c(header.data(), kLogHeaderSize - 4));
  return header;
}

}  // namespace hashcache
