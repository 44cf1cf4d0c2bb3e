#include "fs/mount/notifier.h"

#include <utility>

#include "base/thread_pool.h"

namespace fs {

Notifier::Notifier(NoticeSink& sink) : sink_(sink), thread_([this] { Work(); }) {}

Notifier::~Notifier() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void Notifier::InvalidateEntry(InodeNumber directory, absl::string_view name) {
  Queue({Kind::kEntry, directory, 0, std::string(name)});
}

void Notifier::InvalidateInode(InodeNumber inode, bool data) {
  Queue({data ? Kind::kData : Kind::kAttributes, inode, 0, {}});
}

void Notifier::Delete(InodeNumber directory, InodeNumber child, absl::string_view name) {
  Queue({Kind::kDelete, directory, child, std::string(name)});
}

void Notifier::Queue(Notice notice) {
  base::MutexLock lock(&mutex_);
  // One that still waits will be sent after the change that this one is about.
  const bool of_inode = notice.kind == Kind::kAttributes || notice.kind == Kind::kData;
  if (of_inode && !inodes_queued_.emplace(notice.kind, notice.inode).second) return;
  queue_.push_back(std::move(notice));
  changed_.SignalAll();
}

void Notifier::WaitForRoom() {
  base::MutexLock lock(&mutex_);
  while (queue_.size() >= kQueueMax) changed_.Wait(&mutex_);
}

void Notifier::Drain() {
  base::MutexLock lock(&mutex_);
  while (!queue_.empty() || sending_) changed_.Wait(&mutex_);
}

void Notifier::Send(const Notice& notice) {
  switch (notice.kind) {
    case Kind::kEntry:
      sink_.InvalidateEntry(notice.inode, notice.name);
      return;
    case Kind::kAttributes:
    case Kind::kData:
      sink_.InvalidateInode(notice.inode, notice.kind == Kind::kData);
      return;
    case Kind::kDelete:
      sink_.Delete(notice.inode, notice.child, notice.name);
      return;
  }
}

void Notifier::Work() {
  base::SetThreadName("fuse-notifier");
  while (true) {
    Notice notice;
    {
      base::MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      notice = std::move(queue_.front());
      queue_.pop_front();
      inodes_queued_.erase({notice.kind, notice.inode});
      sending_ = true;
    }
    Send(notice);
    base::MutexLock lock(&mutex_);
    sending_ = false;
    changed_.SignalAll();
  }
}

}  // namespace fs
