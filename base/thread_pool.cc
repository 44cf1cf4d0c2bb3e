#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace base {

size_t DefaultParallelism() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

void SetThreadName(absl::string_view name) {
  pthread_setname_np(pthread_self(), std::string(name.substr(0, 15)).c_str());
}

ThreadPool::ThreadPool(absl::string_view name, size_t thread_count, size_t queue_max)
    : name_(name), queue_max_(queue_max) {
  CHECK_GE(thread_count, 1u);
  CHECK_GE(queue_max, 1u);
  for (size_t i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this, i] {
      SetThreadName(absl::StrCat(name_, "/", i));
      Work();
    });
  }
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    added_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Add(std::function<void()> function) {
  MutexLock lock(&mutex_);
  while (queue_.size() >= queue_max_) taken_.Wait(&mutex_);
  queue_.push_back(std::move(function));
  added_.Signal();
}

void ThreadPool::Wait() {
  MutexLock lock(&mutex_);
  while (!queue_.empty() || running_ > 0) idle_.Wait(&mutex_);
}

void ThreadPool::Work() {
  for (;;) {
    std::function<void()> function;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) added_.Wait(&mutex_);
      if (queue_.empty()) return;
      function = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      taken_.Signal();
    }
    function();
    function = nullptr;  // what it captured goes before Wait() returns
    MutexLock lock(&mutex_);
    --running_;
    if (queue_.empty() && running_ == 0) idle_.SignalAll();
  }
}

void ParallelFor(size_t count, size_t thread_count, absl::FunctionRef<void(size_t index)> function) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) function(i);
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(thread_count, count); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace base
