#include "hashcache/os/threaded_files.h"

#include <fcntl.h>

#include "base/thread_pool.h"

namespace hashcache {

ThreadedFiles::~ThreadedFiles() {
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    added_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadedFiles::Open(int directory, const char* name, int flags, void* tag) {
  Add({[this, directory, name, flags] {
         return filesystem_.Open(directory, name, flags & ~O_NOFOLLOW, (flags & O_NOFOLLOW) == 0, false);
       },
       tag});
}

void ThreadedFiles::Read(int fd, absl::Span<uint8_t> out, uint64_t offset, void* tag) {
  Add({[this, fd, out, offset] { return static_cast<int>(filesystem_.Read(fd, out, offset, false)); }, tag});
}

void ThreadedFiles::Add(Call call) {
  bool grow = false;
  {
    base::MutexLock lock(&mutex_);
    calls_.push_back(std::move(call));
    grow = idle_ < calls_.size() && threads_.size() < thread_count_max_;
    added_.Signal();
  }
  if (grow) threads_.emplace_back([this] { Work(); });
}

void ThreadedFiles::Work() {
  base::SetThreadName("hash read");
  base::MutexLock lock(&mutex_);
  for (;;) {
    while (calls_.empty() && !stopping_) {
      ++idle_;
      added_.Wait(&mutex_);
      --idle_;
    }
    if (calls_.empty()) return;
    const Call call = std::move(calls_.front());
    calls_.pop_front();
    mutex_.Unlock();
    const int result = call.run();
    mutex_.Lock();
    results_.emplace_back(call.tag, result);
    finished_.Signal();
  }
}

absl::Status ThreadedFiles::Reap(unsigned count_min, absl::FunctionRef<void(void* tag, int result)> done) {
  std::vector<std::pair<void*, int>> results;
  {
    base::MutexLock lock(&mutex_);
    while (results_.size() < count_min) finished_.Wait(&mutex_);
    results.swap(results_);
  }
  for (const auto& [tag, result] : results) done(tag, result);
  return absl::OkStatus();
}

}  // namespace hashcache
