// A TraceRing keeps the newest requests and batches of a mount while somebody asks for them.
//
// Shape:   off until the first Read(); each Read() keeps it on for kOnSeconds, so that a
//          reader that goes away switches it off. Text() has one line for each event:
//            NUMBER KIND NAME BEGIN_NS END_NS INODE PID BYTES ITEMS ERRNO
//          in the order of their ends; a reader knows by the numbers what it has seen and what was
//          pushed out before it came.
// Bounds:  kEventsMax events, taken when it goes on, given back when it goes off.
// Threads: thread-safe; is_on() costs one load.
#ifndef FS_MOUNT_TRACE_RING_H_
#define FS_MOUNT_TRACE_RING_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace fs {

struct TraceEvent {
  enum class Kind : uint8_t { kRequest, kFrame, kEngine };
  Kind kind = Kind::kRequest;
  int64_t begin_ns = 0;  // monotonic
  int64_t end_ns = 0;
  uint32_t opcode = 0;         // kRequest: what it is called
  const char* name = nullptr;  // else; lives as long as the program
  uint64_t inode = 0;          // kEngine: the number of the batch, tree or chunk
  uint32_t pid = 0;
  uint64_t bytes = 0;
  uint64_t items = 0;
  int error = 0;
};

class TraceRing {
 public:
  static constexpr size_t kEventsMax = 1 << 16;
  static constexpr int64_t kOnSeconds = 5;

  // `clock` must outlive the ring.
  explicit TraceRing(base::Clock& clock) : clock_(clock) {}

  bool is_on() const { return on_.load(std::memory_order_relaxed); }
  void Add(const TraceEvent& event) ABSL_LOCKS_EXCLUDED(mutex_);
  // The events with numbers above `after`, at most `events_max` of them, as text.
  std::string Read(uint64_t after = 0, size_t events_max = kEventsMax) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  base::Clock& clock_;
  std::atomic<bool> on_{false};
  base::Mutex mutex_;
  int64_t on_until_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;  // the number of the newest event
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 1;  // the number of the oldest one of this time
  std::vector<TraceEvent> events_ ABSL_GUARDED_BY(mutex_);  // number n at n % kEventsMax
};

}  // namespace fs

#endif  // FS_MOUNT_TRACE_RING_H_
