// Any 4 KiB as a superblock: with a checksum made right, so that the rules are reached.
#include <cstdint>
#include <cstring>
#include <vector>

#include "fs/format/superblock.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> block(fs::kSuperblockBytes);
  std::memcpy(block.data(), data, std::min(size, block.size()));
  const auto decode = [&] {
    const absl::StatusOr<fs::Superblock> superblock = fs::DecodeSuperblock(block, 0);
    if (superblock.ok()) static_cast<void>(fs::DebugString(*superblock));
  };
  decode();
  fs::BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  header.magic = fs::kBlockMagic;
  header.type = fs::BlockType::kSuperblock;
  header.version = fs::kBlockVersion;
  header.address = 0;
  header.length = fs::kSuperblockBytes;
  std::memcpy(block.data(), &header, sizeof header);
  fs::SealBlock(absl::MakeSpan(block));
  decode();
  return 0;
}
