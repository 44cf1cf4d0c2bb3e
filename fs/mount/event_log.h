// An EventLog keeps the newest things that happened to a mount without anybody asking:
// evictions, expiries, errors, work that the engine had to repeat.
//
// Shape:   Text() has one JSON object a line, oldest first: number, time, kind, and what the kind
//          knows: path, inode, size_bytes, message.
// Bounds:  kEventsMax events of at most kTextBytesMax.
// Threads: thread-safe.
#ifndef FS_MOUNT_EVENT_LOG_H_
#define FS_MOUNT_EVENT_LOG_H_

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace fs {

struct MountEvent {
  enum class Kind : uint8_t { kEvicted, kExpired, kError, kNote };
  Kind kind = Kind::kNote;
  std::string path;  // from the root of the volume; "" if none
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  std::string message;
};

class EventLog {
 public:
  static constexpr size_t kEventsMax = 4096;
  static constexpr size_t kTextBytesMax = 4096;  // of a path, and of a message

  // `clock` must outlive the log.
  explicit EventLog(base::Clock& clock) : clock_(clock) {}

  void Add(MountEvent event) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t count() const ABSL_LOCKS_EXCLUDED(mutex_);  // since the mount
  // Those with numbers above `after`; the first has number 1.
  std::string Text(uint64_t after = 0) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    int64_t time_ns;
    MountEvent event;
  };

  base::Clock& clock_;
  mutable base::Mutex mutex_;
  uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the last has number added_
};

}  // namespace fs

#endif  // FS_MOUNT_EVENT_LOG_H_
