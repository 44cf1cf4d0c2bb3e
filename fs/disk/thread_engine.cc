#include "fs/disk/thread_engine.h"

#include <pthread.h>

#include <utility>

#include "fs/disk/transfer.h"
#include "glog/logging.h"

namespace fs {

ThreadEngine::ThreadEngine(int fd, int thread_count, Completion completion)
    : fd_(fd), completion_(std::move(completion)) {
  CHECK_GT(thread_count, 0);
  threads_.reserve(thread_count);
  for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Work(); });
}

ThreadEngine::~ThreadEngine() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    work_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadEngine::Submit(absl::Span<IoRequest> requests) {
  base::MutexLock lock(&mutex_);
  for (IoRequest& request : requests) {
    queue_.push_back(std::move(request));
    work_.Signal();
  }
}

void ThreadEngine::SubmitAndWait(absl::Span<IoRequest> requests) {
  if (requests.empty()) return;
  // The caller would sleep; the last request costs it no wake when it runs right here.
  Submit(requests.first(requests.size() - 1));
  Transfer transfer(std::move(requests.back()));
  const absl::Status status = transfer.Run(fd_);
  completion_(transfer.request(), status);
}

absl::Status ThreadEngine::RegisterMemory(absl::Span<uint8_t>) {
  return absl::UnimplementedError("pread and pwrite have no use for registered memory");
}

void ThreadEngine::Work() {
  ::pthread_setname_np(::pthread_self(), "disk-io");
  while (true) {
    Transfer transfer;
    {
      base::MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) work_.Wait(&mutex_);
      if (queue_.empty()) return;
      transfer = Transfer(std::move(queue_.front()));
      queue_.pop_front();
    }
    const absl::Status status = transfer.Run(fd_);
    completion_(transfer.request(), status);
  }
}

}  // namespace fs
