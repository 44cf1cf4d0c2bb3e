// The first 40 bytes of every structure on the device but file data: what it is, whose,
// which generation, where it ought to be, and its crc32c.
//
// A lost write leaves an older generation, a misdirected one a wrong address, rot a
// wrong crc: each is told apart from the others.
//
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Block header".
#ifndef FS_FORMAT_BLOCK_HEADER_H_
#define FS_FORMAT_BLOCK_HEADER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace fs {

static_assert(std::endian::native == std::endian::little, "structs are written as they lie in memory");

// Checksums, the write buffer and device transfers all count in blocks of this size.
constexpr uint32_t kBlockBytes = 4096;

constexpr uint32_t kBlockMagic = 0x53464343;  // "CCFS"
constexpr uint8_t kBlockVersion = 1;

// 0 is reserved; numbers never change their meaning.
enum class BlockType : uint8_t { kSuperblock = 1, kLogBatch = 2, kPage = 3, kPackSummary = 4 };

struct BlockHeader {
  uint32_t magic = kBlockMagic;
  BlockType type{};
  uint8_t version = kBlockVersion;
  uint16_t reserved = 0;
  uint64_t volume_id = 0;
  uint64_t generation = 0;
  uint64_t address = 0;
  uint32_t length = 0;  // bytes under the crc, this header included
  uint32_t crc32c = 0;  // of `length` bytes, this field taken as 0
};
static_assert(sizeof(BlockHeader) == 40);
static_assert(offsetof(BlockHeader, volume_id) == 8);
static_assert(offsetof(BlockHeader, crc32c) == 36);
static_assert(std::has_unique_object_representations_v<BlockHeader>);

// What a reader knows before it looks.
struct BlockExpectation {
  BlockType type;
  uint64_t volume_id;
  uint64_t address;
};

// The crc that belongs into `block`, which starts with a header whose length is at
// most block.size().
uint32_t BlockCrc32c(absl::Span<const uint8_t> block);

// Fills in the crc. REQUIRES: as BlockCrc32c().
void SealBlock(absl::Span<uint8_t> block);

// Checks magic, type, version, volume, address, length (<= block.size()) and crc.
// Errors: DataLoss       names the first thing that is wrong, with both values
//         Unimplemented  a newer version of the structure
absl::Status CheckBlock(absl::Span<const uint8_t> block, const BlockExpectation& expected);

std::string DebugString(const BlockHeader& header);

}  // namespace fs

#endif  // FS_FORMAT_BLOCK_HEADER_H_
