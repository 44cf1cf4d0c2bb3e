// The WriteBuffer holds file data that the device does not have yet, or not for good.
//
// Shape:   for each inode, runs of bytes laid over the extents: a run starts at a unit of
//          4 KiB, and only its last unit may be short, which then reads on as zeros.
// Life of a run: dirty -> sealed (its batch is under way) -> logged (durable inside the log,
//          to be placed by a later batch) or gone (durable at its place). A failed commit
//          turns sealed runs dirty again. Only dirty runs are ever changed in place.
// Threads: thread-compatible.
#ifndef FS_CACHE_WRITE_BUFFER_H_
#define FS_CACHE_WRITE_BUFFER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "fs/cache/engine.h"
#include "fs/format/block_header.h"

namespace fs {

// Memory that runs share; its first byte is aligned for the device when it is large.
class Blob {
 public:
  static std::shared_ptr<Blob> Make(size_t capacity);
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;
  ~Blob();

  uint8_t* data() { return data_; }
  size_t capacity() const { return capacity_; }
  bool aligned() const { return aligned_; }

 private:
  Blob(uint8_t* data, size_t capacity, bool aligned) : data_(data), capacity_(capacity), aligned_(aligned) {}

  uint8_t* const data_;
  const size_t capacity_;
  const bool aligned_;
};

// Data that went to the device before the batch that will name it. The engine's; the
// buffer only keeps it with the run.
struct EarlyWrite;

class WriteBuffer {
 public:
  enum class State : uint8_t { kDirty, kSealed, kLogged };

  struct Run {
    uint32_t length = 0;
    State state = State::kDirty;
    bool is_inline = false;  // kSealed, kLogged: its bytes are in the log
    bool fixed = false;      // somebody reads the blob without a lock: never change it
    std::shared_ptr<Blob> blob;
    uint32_t blob_offset = 0;
    std::shared_ptr<EarlyWrite> early;
    uint32_t early_offset = 0;  // of the run in the early write

    const uint8_t* data() const { return blob->data() + blob_offset; }
  };
  struct File {
    std::map<uint64_t, Run> runs;
    Placement placement;
    uint64_t dirty_runs = 0;
    uint64_t oldest_ns = 0;  // when the oldest dirty byte came
  };

  static constexpr uint32_t kRunBytesMax = 1 << 20;

  // --- changes
  // Changes bytes of a dirty run in place, or appends to it; false if it cannot. `fresh`
  // tells whether the unit at an offset has no bytes outside the buffer.
  bool WriteInPlace(InodeNumber inode, uint64_t offset, absl::Span<const uint8_t> bytes,
                    absl::FunctionRef<bool(uint64_t unit_offset)> fresh);
  // Adds a dirty run. REQUIRES: nothing overlaps [offset, RoundUp(offset + length)); offset
  // is a multiple of the unit; length <= kRunBytesMax.
  void Add(InodeNumber inode, uint64_t offset, uint32_t length, std::shared_ptr<Blob> blob, uint32_t blob_offset,
           const Placement& placement, uint64_t now_ns);
  // As Add(), for what recovery finds in the log.
  void AddLogged(InodeNumber inode, uint64_t offset, uint32_t length, std::shared_ptr<Blob> blob,
                 const Placement& placement);
  // Takes [begin, end) away, whole units; `lost` hears of each run or part of one before it goes.
  void Carve(InodeNumber inode, uint64_t begin, uint64_t end,
             absl::FunctionRef<void(uint64_t offset, const Run& part)> lost);

  // --- looking
  const File* Find(InodeNumber inode) const;
  File* Find(InodeNumber inode);
  // Runs that overlap [begin, end), in order.
  void Visit(InodeNumber inode, uint64_t begin, uint64_t end,
             absl::FunctionRef<void(uint64_t offset, const Run& run)> visit) const;
  // Whether [begin, end) is covered without a gap; short units count as whole.
  bool Covers(InodeNumber inode, uint64_t begin, uint64_t end) const;

  // --- states
  // The files with dirty or logged runs.
  const absl::flat_hash_set<InodeNumber>& dirty_inodes() const { return dirty_inodes_; }
  const absl::flat_hash_set<InodeNumber>& logged_inodes() const { return logged_inodes_; }
  // A run that was written early has its blocks and needs no others.
  void SetEarly(Run& run, std::shared_ptr<EarlyWrite> early);
  // Moves a run on; keeps the counts. Erasing is Remove().
  void SetState(InodeNumber inode, Run& run, State state);
  void Remove(InodeNumber inode, uint64_t offset);
  // Drops what is left of a file without runs.
  void Forget(InodeNumber inode);

  uint64_t dirty_bytes() const { return bytes_[0]; }
  uint64_t sealed_bytes() const { return bytes_[1]; }
  uint64_t logged_bytes() const { return bytes_[2]; }
  uint64_t total_bytes() const { return bytes_[0] + bytes_[1] + bytes_[2]; }
  // Blocks that placing everything not placed could take at worst.
  uint64_t unplaced_blocks() const { return blocks_[0] + blocks_[1] + blocks_[2]; }
  // Of those, not yet sealed.
  uint64_t unsealed_blocks() const { return blocks_[0] + blocks_[2]; }
  uint64_t run_count() const { return run_count_; }
  uint64_t file_count() const { return files_.size(); }

 private:
  void Count(InodeNumber inode, File& file, const Run& run, int sign);

  absl::flat_hash_map<InodeNumber, std::unique_ptr<File>> files_;
  absl::flat_hash_set<InodeNumber> dirty_inodes_;
  absl::flat_hash_set<InodeNumber> logged_inodes_;
  uint64_t bytes_[3] = {};
  uint64_t blocks_[3] = {};
  uint64_t run_count_ = 0;
};

}  // namespace fs

#endif  // FS_CACHE_WRITE_BUFFER_H_
