// ReadAhead fetches what a sequential reader is about to ask for, while it uses what it has.
//
// Shape:   readers tell where they read. Who goes on where one of the last ones ended gets
//          twice as much ahead each time, and more is asked for when half of it is used up,
//          so that the device is never idle for him. What readers of small pieces (pack
//          runs) will want goes to the block cache, across file borders; what readers of
//          large ones will want is kept as it comes and handed out once.
// Trust:   none. Whoever takes bytes verifies them, as after a device read: a block that
//          was written since is a mismatch, never wrong data.
// Bounds:  kAheadLargeMax under way for a reader of large pieces, Options::small_bytes_max
//          for others; kHeldBytesMax for all together.
// Threads: thread-safe. The destructor waits for what is under way.
#ifndef FS_CACHE_READ_AHEAD_H_
#define FS_CACHE_READ_AHEAD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "fs/cache/block_cache.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/device.h"

namespace fs {

class ReadAhead {
 public:
  static constexpr uint64_t kAheadLargeMax = 8 << 20;
  static constexpr uint64_t kHeldBytesMax = 32 << 20;

  struct Options {
    uint64_t gap_bytes = 32 << 10;       // a reader may skip so much
    uint64_t small_bytes_max = 1 << 20;  // ahead of readers of small pieces; 0: no reading ahead at all
    uint64_t device_end = 0;             // nothing is read from here on
  };

  // `device` and `cache` must outlive it.
  ReadAhead(Device& device, BlockCache& cache, const Options& options);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // Somebody reads [begin, end), whole blocks: begins to read what he may want next.
  void Note(uint64_t begin, uint64_t end) ABSL_LOCKS_EXCLUDED(mutex_);

  enum class Answer : uint8_t {
    kAbsent,    // not read ahead
    kCached,    // it was under way and is in the block cache now
    kCopied,    // `out` is filled
    kUnderWay,  // only without `wait`
  };
  Answer Take(uint64_t address, absl::Span<uint8_t> out, bool wait) ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops what nobody asked for since the last call. Call it now and then.
  void Trim() ABSL_LOCKS_EXCLUDED(mutex_);

  // Since the beginning.
  uint64_t reads() const { return reads_.load(std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Of what was kept here and has gone since: asked for, or not.
  uint64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  uint64_t wasted_bytes() const { return wasted_bytes_.load(std::memory_order_relaxed); }

 private:
  // What was asked for, until it is used up.
  struct Segment {
    uint64_t begin = 0;
    uint64_t end = 0;
    bool large = false;  // handed out from here, else from the block cache
    bool done = false;
    bool touched = true;
    uint64_t used_bytes = 0;
    AlignedBuffer buffer;
  };
  using Segments = std::map<uint64_t, std::shared_ptr<Segment>>;  // by begin; none overlap
  // Reads that follow each other on the device.
  struct Stream {
    uint64_t begin = 0;  // of the last read
    uint64_t ahead = 0;  // how far to be ahead of it
    uint64_t asked = 0;  // where what was asked for ends
    uint64_t used = 0;
  };

  std::vector<std::shared_ptr<Segment>> Ask(uint64_t begin, uint64_t end, bool large)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MakeRoom(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Start(const std::vector<std::shared_ptr<Segment>>& segments) ABSL_LOCKS_EXCLUDED(mutex_);
  void Finish(const std::shared_ptr<Segment>& segment, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  Segments::iterator Find(uint64_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Segments::iterator Drop(Segments::iterator it) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Device& device_;
  BlockCache& cache_;
  const Options options_;
  BufferPool buffers_;

  base::Mutex mutex_;
  base::CondVar finished_;
  std::array<Stream, 16> streams_ ABSL_GUARDED_BY(mutex_);
  uint64_t clock_ ABSL_GUARDED_BY(mutex_) = 0;
  Segments segments_ ABSL_GUARDED_BY(mutex_);
  uint64_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;

  std::atomic<uint64_t> reads_{0}, bytes_{0}, used_bytes_{0}, wasted_bytes_{0};
};

}  // namespace fs

#endif  // FS_CACHE_READ_AHEAD_H_
