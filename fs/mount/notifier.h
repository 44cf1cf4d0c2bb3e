// A Notifier tells the kernel what has changed behind its back: names and inodes that
// it may still remember.
//
// Shape:   one thread and one bounded queue. Whoever notices a change queues a notice
//          and goes on: a notice sent from a handler whose directory lock the kernel
//          holds (MKNOD, RENAME, ...) would wait for that handler's own reply.
// Bounds:  whoever is about to change much calls WaitForRoom() where it may wait, so
//          that the queue stays near kQueueMax; queueing itself never waits.
// Rules:   the thread holds no lock while it sends, and no reply waits for it. Data are
//          never pushed (NOTIFY_STORE): a push that lands after a client's write
//          destroys the write.
// Threads: thread-safe.
#ifndef FS_MOUNT_NOTIFIER_H_
#define FS_MOUNT_NOTIFIER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "fs/format/key.h"

namespace fs {

// Where notices go: the kernel, or a test.
class NoticeSink {
 public:
  virtual ~NoticeSink() = default;
  // The name may mean something else now, or nothing.
  virtual void InvalidateEntry(InodeNumber directory, const std::string& name) = 0;
  // Attributes and, with `data`, cached pages of the inode are old.
  virtual void InvalidateInode(InodeNumber inode, bool data) = 0;
  // `child` lost the name: watchers of the directory hear of it.
  virtual void Delete(InodeNumber directory, InodeNumber child, const std::string& name) = 0;
};

class Notifier {
 public:
  static constexpr size_t kQueueMax = 65536;

  explicit Notifier(NoticeSink& sink);
  ~Notifier();  // sends what is queued
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void InvalidateEntry(InodeNumber directory, absl::string_view name);
  void InvalidateInode(InodeNumber inode, bool data);
  void Delete(InodeNumber directory, InodeNumber child, absl::string_view name);
  // Fewer than kQueueMax notices wait. Not from a handler, nor Drain().
  void WaitForRoom() ABSL_LOCKS_EXCLUDED(mutex_);
  // Everything queued before the call has been sent.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class Kind : uint8_t { kEntry, kAttributes, kData, kDelete };
  struct Notice {
    Kind kind;
    InodeNumber inode;  // the directory, of names
    InodeNumber child;
    std::string name;
  };
  void Queue(Notice notice) ABSL_LOCKS_EXCLUDED(mutex_);
  void Send(const Notice& notice);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  NoticeSink& sink_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Notice> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::pair<Kind, InodeNumber>> inodes_queued_ ABSL_GUARDED_BY(mutex_);  // of kinds about inodes
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace fs

#endif  // FS_MOUNT_NOTIFIER_H_
