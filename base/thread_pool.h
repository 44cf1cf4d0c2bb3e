// A ThreadPool runs functions on a fixed number of threads, from a bounded queue.
//
// Life:    threads start in the constructor; the destructor runs what is queued,
//          then joins.
// Bounds:  Add() waits while `queue_max` functions are queued. A function must not
//          Add() to its own pool while the queue may be full: it would wait for itself.
// Threads: thread-safe.
//
// Example:
//   base::ThreadPool pool("render", base::DefaultParallelism());
//   for (Page& page : pages) pool.Add([&page] { page.Render(); });
//   pool.Wait();
#ifndef BASE_THREAD_POOL_H_
#define BASE_THREAD_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace base {

// The CPUs this process may run on; at least 1.
size_t DefaultParallelism();

// Names the calling thread as ps -L and gdb show it (15 bytes at most).
void SetThreadName(absl::string_view name);

class ThreadPool {
 public:
  // REQUIRES: thread_count >= 1, queue_max >= 1.
  ThreadPool(absl::string_view name, size_t thread_count, size_t queue_max = 1024);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Add(std::function<void()> function) ABSL_LOCKS_EXCLUDED(mutex_);
  // Until every function added before the call has returned.
  void Wait() ABSL_LOCKS_EXCLUDED(mutex_);
  size_t thread_count() const { return threads_.size(); }

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string name_;
  const size_t queue_max_;
  Mutex mutex_;
  CondVar added_;
  CondVar taken_;
  CondVar idle_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

// Calls `function` with every index in [0, count), on up to `thread_count`
// threads (the caller's is one of them); indices are handed out in order, one
// by one. Returns when all have returned.
void ParallelFor(size_t count, size_t thread_count, absl::FunctionRef<void(size_t index)> function);

}  // namespace base

#endif  // BASE_THREAD_POOL_H_
