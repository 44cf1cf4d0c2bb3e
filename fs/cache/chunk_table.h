// The ChunkTable knows what every chunk of the device is and which of its blocks are taken.
//
// A block is *live* when an extent row names it, and *busy* from its allocation until
// nothing may need it any more: an extent that is freed stays busy until Release() says
// that its batch can no longer be cut; a page, until two superblocks have a newer tree.
// PACK chunks are filled once, from front to back, and become free as a whole.
//
// Invariants:
//   C1  live blocks are busy
//   C2  a chunk is FREE exactly when nothing in it is busy, unless it is open or BAD
// Threads: thread-compatible.
#ifndef FS_CACHE_CHUNK_TABLE_H_
#define FS_CACHE_CHUNK_TABLE_H_

#include <cstdint>
#include <deque>
#include <set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "fs/format/chunk_row.h"
#include "fs/format/superblock.h"

namespace fs {

struct BlockRange {
  uint64_t address = 0;
  uint64_t bytes = 0;  // whole blocks
};

class ChunkTable {
 public:
  explicit ChunkTable(const Superblock& geometry);

  // --- extents
  // The longest contiguous range of at most `bytes` that is found without long search, or
  // nothing if no block is free outside `kept_chunks` FREE chunks.
  absl::optional<BlockRange> AllocateExtent(uint64_t bytes, uint32_t kept_chunks);
  // Held blocks have been given out and will be named later, or be given back: their chunk
  // is not emptied meanwhile.
  void Hold(const BlockRange& range, bool held);
  // Gives back what no batch ever named.
  void DiscardExtent(const BlockRange& range);

  // Chunks that are begun from now on are born with that batch.
  void set_batch(uint64_t batch) { batch_ = batch; }

  // --- small objects
  // Opens a FREE chunk for packing; nothing if only `kept_chunks` are left.
  absl::optional<uint32_t> OpenPack(uint32_t policy, uint32_t kept_chunks);
  // What a checkpoint will say of an open one; `summary_block` as in ChunkRow.
  void FillPack(uint32_t chunk, uint32_t filled_bytes, uint32_t summary_block);
  // Nothing more goes into it.
  void ClosePack(uint32_t chunk, uint32_t filled_bytes, uint32_t summary_block);
  // Open PACK chunks, e.g. those that were open before a crash.
  std::vector<uint32_t> OpenPacks() const;

  // --- pages
  absl::optional<uint64_t> AllocatePage(uint32_t kept_chunks);
  void FreePage(uint64_t address);

  // --- what extent rows name; `length` is the file's
  // DataLoss if the range lies in no chunk, or is named already.
  absl::Status AddLive(uint64_t address, uint64_t length, bool packed);
  // Batch number `batch` no longer names the range.
  absl::Status RemoveLive(uint64_t address, uint64_t length, bool packed, uint64_t batch);
  // A durable header says that every batch up to `batch` is durable, and no reader from
  // before is left: what they freed may be used again.
  void Release(uint64_t batch);
  // Whether Release() has something to wait for.
  bool has_pending() const { return !pending_.empty(); }
  uint64_t pending_bytes() const { return pending_bytes_; }

  // Allocates nothing more from the chunk, so that it can be emptied; until it is FREE.
  void Evacuate(uint32_t index);

  // Takes up to `count` FREE chunks that were used since they were last discarded out of
  // use, and gives them back.
  std::vector<uint32_t> BeginDiscard(size_t count);
  void EndDiscard(const std::vector<uint32_t>& chunks);

  // Never again allocates from the chunk of `address`.
  void MarkBad(uint64_t address);

  // --- loading
  absl::Status LoadRow(uint32_t index, const ChunkRow& row);
  // What the log says of a PACK chunk behind that; who lives in it, extents say.
  absl::Status ReplayRow(uint32_t index, const ChunkRow& row);
  absl::Status LoadPage(uint64_t address);
  // After replay: settles types. DataLoss if a chunk has pages and data.
  absl::Status FinishLoad();

  // The chunk's row as of now: nothing stands for none.
  absl::optional<ChunkRow> Row(uint32_t index) const;
  // Rows of the chunks that changed since the last call: nothing stands for no row.
  void VisitChanged(absl::FunctionRef<void(uint32_t index, const absl::optional<ChunkRow>& row)> visit);

  // --- figures
  uint32_t chunk_count() const { return static_cast<uint32_t>(chunks_.size()); }
  uint32_t chunk_bytes() const { return geometry_.chunk_bytes; }
  uint32_t free_chunks() const { return static_cast<uint32_t>(free_.size()); }
  uint64_t hole_bytes() const { return hole_blocks_ * kBlockBytes; }  // in EXT chunks
  uint64_t free_pages() const { return free_pages_; }                 // in META chunks
  uint64_t dead_pack_bytes() const { return dead_pack_bytes_; }       // in PACK chunks worth emptying
  uint64_t ChunkAddress(uint32_t index) const { return geometry_.ChunkAddress(index); }
  absl::optional<uint32_t> ChunkOf(uint64_t address) const;
  ChunkType type(uint32_t index) const { return chunks_[index].type; }
  uint32_t live_bytes(uint32_t index) const;
  // As live_bytes(), and the pages of a META chunk.
  uint32_t used_bytes(uint32_t index) const;
  uint32_t summary_block(uint32_t index) const { return chunks_[index].summary_block; }
  uint32_t filled_bytes(uint32_t index) const { return chunks_[index].filled_bytes; }
  bool retired(uint32_t index) const { return chunks_[index].retired; }
  uint32_t policy(uint32_t index) const { return chunks_[index].policy; }
  // The closed PACK (or EXT) chunk with the least live bytes, if at least `dead_min` have died in it.
  absl::optional<uint32_t> Sparsest(ChunkType type, uint32_t dead_min) const;
  // Counted by type, for statistics; index is the type's number.
  std::vector<uint32_t> CountTypes() const;

 private:
  struct Chunk {
    ChunkType type = ChunkType::kFree;
    bool open = false;
    bool retired = false;
    bool evacuating = false;
    bool changed = false;
    uint32_t policy = 0;
    uint32_t held = 0;           // kExtent: blocks that will be named
    uint32_t queued = 0;         // kPack: entries of pending_
    uint32_t live_bytes = 0;     // kPack
    uint32_t summary_block = 0;  // kPack
    uint32_t filled_bytes = 0;   // kPack: what objects and summaries take; exact once it is closed
    uint64_t birth_batch = 0;
    uint32_t busy_count = 0;     // kExtent: blocks; kMeta: pages
    std::vector<uint64_t> live;  // kExtent: a bit for each block
    std::vector<uint64_t> busy;  // kExtent: a bit for each block; kMeta: for each page
    std::vector<uint64_t> pages;  // while loading: of the tree
  };
  struct Pending {
    uint64_t batch;
    BlockRange range;  // bytes 0: the whole PACK chunk at the address
  };

  uint32_t blocks_per_chunk() const { return geometry_.chunk_bytes / kBlockBytes; }
  uint32_t pages_per_chunk() const { return geometry_.chunk_bytes / geometry_.page_bytes; }
  absl::optional<uint32_t> TakeFree(ChunkType type, uint32_t kept_chunks);
  void Retype(uint32_t index, ChunkType type);
  void FreeIfIdle(uint32_t index);
  absl::Status Damage(const char* what, uint64_t address, uint64_t length) const;
  void SetBusy(Chunk& chunk, uint32_t first, uint32_t count, bool busy);
  absl::optional<BlockRange> TakeHole(uint32_t index, uint32_t blocks, uint32_t blocks_min);
  void Changed(uint32_t index);
  // Only what makes it worth to empty the chunk.
  uint32_t DeadBytes(const Chunk& chunk) const {
    const uint32_t dead = chunk.filled_bytes > chunk.live_bytes ? chunk.filled_bytes - chunk.live_bytes : 0;
    return dead >= geometry_.chunk_bytes / 8 ? dead : 0;
  }

  const Superblock geometry_;
  std::vector<Chunk> chunks_;
  std::set<uint32_t> free_;
  std::set<uint32_t> stale_;       // FREE chunks that the device still keeps
  std::set<uint32_t> holes_;       // EXT chunks with a block that is not busy
  std::set<uint32_t> page_holes_;  // META chunks with a page that is not busy
  uint64_t hole_blocks_ = 0;
  uint64_t free_pages_ = 0;
  uint64_t dead_pack_bytes_ = 0;
  uint64_t batch_ = 0;
  std::deque<Pending> pending_;
  uint64_t pending_bytes_ = 0;
  uint32_t extent_cursor_ = UINT32_MAX;  // the EXT chunk that was allocated from last
  std::vector<uint32_t> changed_;
  bool loading_ = true;
};

}  // namespace fs

#endif  // FS_CACHE_CHUNK_TABLE_H_
