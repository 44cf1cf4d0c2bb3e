// A ThreadEngine runs requests with pread, pwrite and fdatasync on a pool of threads, for
// machines and containers where io_uring is forbidden.
//
// Bounds:  `thread_count` requests under way at once.
// Threads: thread-safe.
#ifndef FS_DISK_THREAD_ENGINE_H_
#define FS_DISK_THREAD_ENGINE_H_

#include <deque>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "fs/disk/io_engine.h"

namespace fs {

class ThreadEngine : public IoEngine {
 public:
  // `fd` is borrowed and outlives the engine.
  ThreadEngine(int fd, int thread_count, Completion completion);
  ~ThreadEngine() override ABSL_LOCKS_EXCLUDED(mutex_);

  void Submit(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_);
  void SubmitAndWait(absl::Span<IoRequest> requests) override;
  absl::Status RegisterMemory(absl::Span<uint8_t> memory) override;
  absl::string_view name() const override { return "threads"; }

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  const int fd_;
  const Completion completion_;

  base::Mutex mutex_;
  base::CondVar work_;
  std::deque<IoRequest> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Changes in the constructor and the destructor only.
  std::vector<std::thread> threads_;
};

}  // namespace fs

#endif  // FS_DISK_THREAD_ENGINE_H_
