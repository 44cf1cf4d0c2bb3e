// The superblock: geometry of the volume, the newest tree, and where the log begins.
//
// Shape:   three copies of 4 KiB: at 0, at 64 KiB, and 64 KiB before the device's end. The
//          valid one with the highest generation holds; generation counts every write.
// Errors:  DataLoss       a copy is damaged or says impossible things
//          Unimplemented  it needs a feature this program does not know
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Superblock"; rules V1 to V9.
#ifndef FS_FORMAT_SUPERBLOCK_H_
#define FS_FORMAT_SUPERBLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fs/format/block_header.h"

namespace fs {

constexpr uint32_t kFormatVersion = 1;
constexpr size_t kSuperblockBytes = kBlockBytes;
constexpr int kSuperblockCopies = 3;
constexpr uint64_t kSuperblockSpacing = 64 << 10;

constexpr uint32_t kPageBytesMin = 4 << 10;
constexpr uint32_t kPageBytesMax = 32 << 10;
constexpr uint32_t kChunkBytesMin = 64 << 10;
constexpr uint32_t kChunkBytesMax = 8 << 20;
constexpr uint64_t kLogBytesMin = 64 << 10;

// Where a page is, and what it must be.
struct PageRef {
  uint64_t address = 0;  // 0: no page
  uint64_t generation = 0;
  uint32_t crc32c = 0;
  uint32_t reserved = 0;

  friend bool operator==(const PageRef& a, const PageRef& b) {
    return a.address == b.address && a.generation == b.generation && a.crc32c == b.crc32c;
  }
};
static_assert(sizeof(PageRef) == 24);
static_assert(std::has_unique_object_representations_v<PageRef>);

struct Superblock {
  BlockHeader header;  // generation: counts the writes of superblocks
  uint32_t format_version = kFormatVersion;
  uint32_t flags = 0;              // kCleanlyClosed
  uint64_t features_compat = 0;    // unknown ones may be ignored
  uint64_t features_ro_compat = 0; // unknown ones allow reading only
  uint64_t features_incompat = 0;  // unknown ones forbid everything
  std::array<uint8_t, 16> uuid{};
  uint64_t device_bytes = 0;
  uint32_t page_bytes = 0;
  uint32_t chunk_bytes = 0;
  uint32_t block_bytes = kBlockBytes;
  uint32_t chunk_count = 0;
  uint64_t chunks_address = 0;
  uint64_t log_address = 0;
  uint64_t log_bytes = 0;
  uint64_t mount_epoch = 0;  // counts the mounts for writing
  uint64_t log_epoch = 0;    // batches after the fence carry it
  uint64_t tree_generation = 0;
  PageRef root;
  uint32_t tree_height = 0;  // levels; 0: no rows
  uint32_t tail_chain = 0;   // crc of the batch before the tail
  uint64_t tree_pages = 0;
  uint64_t tail_offset = 0;  // into the log: the first batch to replay
  uint64_t tail_batch = 0;   // its number
  uint64_t fence_batch = 0;  // batches up to it are durable whatever they say
  uint32_t fence_chain = 0;  // crc of batch `fence_batch`
  uint32_t reserved0 = 0;
  uint64_t tree_sequence = 0;  // the last mutation that the tree holds
  uint64_t void_batch = 0;     // behind this batch lie
  uint64_t void_bytes = 0;     // so many bytes of the log that hold no batch
  uint64_t created_ns = 0;
  std::array<char, 32> label{};

  uint64_t ChunkAddress(uint32_t index) const { return chunks_address + uint64_t{index} * chunk_bytes; }
};
constexpr uint32_t kCleanlyClosed = 1;

// Reserved for what this program neither writes nor reads: volumes that need one are refused.
constexpr uint64_t kIncompatCompressedExtents = 1;
constexpr uint64_t kIncompatSharedExtents = 2;

static_assert(sizeof(Superblock) == 296);
static_assert(offsetof(Superblock, uuid) == 72);
static_assert(offsetof(Superblock, root) == 160);
static_assert(offsetof(Superblock, label) == 264);
static_assert(std::has_unique_object_representations_v<Superblock>);

// The address of copy 0, 1 or 2 on a device of that size.
uint64_t SuperblockAddress(int copy, uint64_t device_bytes);

// V-rules that need no device: geometry is sane and everything lies inside.
absl::Status Validate(const Superblock& superblock);

// Writes `superblock` with address, length and crc filled in; `out` is kSuperblockBytes.
void Encode(Superblock superblock, uint64_t address, absl::Span<uint8_t> out);

// Never trusts `block`. `address` is where it was read from.
absl::StatusOr<Superblock> DecodeSuperblock(absl::Span<const uint8_t> block, uint64_t address);

std::string DebugString(const Superblock& superblock);
std::vector<Superblock> SuperblockTestInstances();

// Lays a volume out on a device: log after the first two superblocks, then chunks.
struct GeometryOptions {
  uint64_t device_bytes = 0;
  uint32_t page_bytes = 16 << 10;
  uint32_t chunk_bytes = 1 << 20;
  uint64_t log_bytes = 0;  // 0: 1 % of the device, within [1 MiB, 1 GiB] and at least 64 MiB if that is under a tenth
};
// Errors: InvalidArgument  a size that is no power of two or out of range, too small a device
absl::StatusOr<Superblock> LayOut(const GeometryOptions& options);

}  // namespace fs

#endif  // FS_FORMAT_SUPERBLOCK_H_
