// What a chunk is, and who owns what lies in it.
//
// Shape:   a chunk row says what a chunk is and which part of it files use, as of the
//          checkpoint that wrote it; the log's extent rows bring it up to date. FREE and
//          META chunks have no row: the tree itself says where its pages are.
//          An owner row names the extent that begins at a block of an EXT chunk.
//          A summary names the owners of objects that were written into a PACK chunk
//          since the summary before it; who still owns them, the extent rows say.
// Errors:  DataLoss  a value that cannot be
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Chunk row", "Owner row", "Pack summary"; rules V40 to V48.
#ifndef FS_FORMAT_CHUNK_ROW_H_
#define FS_FORMAT_CHUNK_ROW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/format/block_header.h"
#include "fs/format/key.h"

namespace fs {

enum class ChunkType : uint8_t { kFree = 1, kMeta = 2, kPack = 3, kExtent = 4, kBad = 5 };

struct ChunkRow {
  ChunkType type{};
  bool retired = false;  // a write failed here: never allocate from it again
  bool open = false;     // kPack: objects may still be added behind filled_bytes
  uint32_t policy = 0;
  uint32_t live_bytes = 0;     // kPack: of objects that files use
  uint32_t summary_block = 0;  // kPack: index of the last summary's first block; 0: none
  uint32_t filled_bytes = 0;   // kPack: what objects and summaries take
  uint64_t birth_batch = 0;    // the batch that began to fill it: its age
  std::string bitmap;          // kExtent: a bit for each block in use
};

// `bitmap` is empty or has chunk_bytes / 4 KiB bits.
std::string EncodeChunkRow(const ChunkRow& row);
absl::StatusOr<ChunkRow> DecodeChunkRow(absl::string_view value, uint32_t chunk_bytes);
std::string DebugString(const ChunkRow& row);
std::vector<ChunkRow> ChunkRowTestInstances(uint32_t chunk_bytes);

std::string ChunkKey(uint32_t index);

// The extent that begins at a block of an EXT chunk.
struct ExtentOwner {
  InodeNumber inode = 0;
  uint64_t offset = 0;  // in the file
  uint32_t length = 0;
  bool operator==(const ExtentOwner&) const = default;
};

std::string OwnerKey(uint32_t chunk, uint32_t block);
std::string EncodeOwnerRow(const ExtentOwner& owner);
absl::StatusOr<ExtentOwner> DecodeOwnerRow(absl::string_view value);
std::string DebugString(const ExtentOwner& owner);

struct PackOwner {
  InodeNumber inode = 0;
  uint64_t offset = 0;    // in the file
  uint32_t position = 0;  // in the chunk, bytes
  uint32_t length = 0;
};
static_assert(sizeof(PackOwner) == 24);

struct PackSummary {
  uint32_t previous_block = 0;  // of the summary before it in the chunk; 0: none
  std::vector<PackOwner> owners;
};

// Whole blocks that a summary of `count` owners takes.
uint64_t PackSummaryBytes(size_t count);
// `out` has PackSummaryBytes(summary.owners.size()).
void EncodePackSummary(const PackSummary& summary, uint64_t volume_id, uint64_t generation, uint64_t address,
                       absl::Span<uint8_t> out);
// `block` is what lies in the chunk from `position` on, and may go on past the summary.
absl::StatusOr<PackSummary> DecodePackSummary(absl::Span<const uint8_t> block, uint64_t volume_id,
                                              uint64_t chunk_address, uint32_t position);

}  // namespace fs

#endif  // FS_FORMAT_CHUNK_ROW_H_
