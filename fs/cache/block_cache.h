// The BlockCache keeps blocks of the device in memory, as they were read or written.
//
// Nothing in it is trusted: whoever takes bytes verifies them against the extent's crcs,
// as after a device read, so that a stale block is a miss and never wrong data.
// Shape:   blocks of 4 KiB by address; CLOCK replacement.
// Ahead:   blocks that nobody has asked for yet are counted as used at their first read, as
//          wasted if they go before.
// Bounds:  capacity_bytes, allocated as it fills.
// Threads: thread-safe.
#ifndef FS_CACHE_BLOCK_CACHE_H_
#define FS_CACHE_BLOCK_CACHE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/mutex.h"

namespace fs {

class BlockCache {
 public:
  explicit BlockCache(uint64_t capacity_bytes);
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // Copies [address, address + out.size()); false, with `out` undefined, if a block is missing.
  bool Read(uint64_t address, absl::Span<uint8_t> out) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whole blocks; replaces what was there. `ahead`: read before anybody asked.
  void Insert(uint64_t address, absl::Span<const uint8_t> blocks, bool ahead = false) ABSL_LOCKS_EXCLUDED(mutex_);
  void Erase(uint64_t address, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  uint64_t size_bytes() ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t capacity_bytes() const { return uint64_t{frames_max_} * 4096; }
  uint64_t ahead_used_bytes() ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t ahead_wasted_bytes() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  static constexpr uint32_t kSlabBlocks = 256;
  struct Frame {
    uint64_t block = UINT64_MAX;
    bool visited = false;
    bool ahead = false;  // not read yet
  };

  uint8_t* Data(uint32_t frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return slabs_[frame / kSlabBlocks].get() + size_t{frame % kSlabBlocks} * 4096;
  }
  void Leave(Frame& frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t TakeFrame() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t frames_max_;

  base::Mutex mutex_;
  absl::flat_hash_map<uint64_t, uint32_t> index_ ABSL_GUARDED_BY(mutex_);  // block -> frame
  std::vector<Frame> frames_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<uint8_t[]>> slabs_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> free_ ABSL_GUARDED_BY(mutex_);
  uint32_t hand_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ahead_used_blocks_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ahead_wasted_blocks_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fs

#endif  // FS_CACHE_BLOCK_CACHE_H_
