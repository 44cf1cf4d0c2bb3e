#include "fs/format/block_header.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "fs/format/crc32c.h"

namespace fs {

uint32_t BlockCrc32c(absl::Span<const uint8_t> block) {
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  const uint32_t length = header.length;
  header.crc32c = 0;
  const uint32_t crc = Crc32c(&header, sizeof header);
  return ExtendCrc32c(crc, block.data() + sizeof header, length - sizeof header);
}

void SealBlock(absl::Span<uint8_t> block) {
  const uint32_t crc = BlockCrc32c(block);
  std::memcpy(block.data() + offsetof(BlockHeader, crc32c), &crc, sizeof crc);
}

absl::Status CheckBlock(absl::Span<const uint8_t> block, const BlockExpectation& expected) {
  if (block.size() < sizeof(BlockHeader)) return absl::DataLossError("block too short for its header");
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (header.magic != kBlockMagic) {
    return absl::DataLossError(absl::StrFormat("bad magic; stored %08x, expected %08x", header.magic, kBlockMagic));
  }
  if (header.type != expected.type) {
    return absl::DataLossError(absl::StrFormat("wrong type; stored %d, expected %d", static_cast<int>(header.type),
                                               static_cast<int>(expected.type)));
  }
  if (header.length < sizeof(BlockHeader) || header.length > block.size()) {
    return absl::DataLossError(absl::StrFormat("bad length; stored %d, at most %d", header.length, block.size()));
  }
  const uint32_t computed = BlockCrc32c(block);
  if (computed != header.crc32c) {
    return absl::DataLossError(
        absl::StrFormat("checksum mismatch; stored %08x, computed %08x", header.crc32c, computed));
  }
  // Only now may the rest be believed.
  if (header.version > kBlockVersion) {
    return absl::UnimplementedError(absl::StrFormat("newer structure; version %d, known %d", header.version, kBlockVersion));
  }
  if (header.version == 0) return absl::DataLossError("bad version; stored 0");
  if (header.volume_id != expected.volume_id) {
    return absl::DataLossError(
        absl::StrFormat("another volume's; stored %016x, expected %016x", header.volume_id, expected.volume_id));
  }
  if (header.address != expected.address) {
    return absl::DataLossError(
        absl::StrFormat("misplaced; says it belongs to address %d, found at %d", header.address, expected.address));
  }
  return absl::OkStatus();
}

std::string DebugString(const BlockHeader& header) {
  return absl::StrFormat("type=%d version=%d volume=%016x generation=%d address=%d length=%d crc32c=%08x",
                         static_cast<int>(header.type), header.version, header.volume_id, header.generation,
                         header.address, header.length, header.crc32c);
}

}  // namespace fs
