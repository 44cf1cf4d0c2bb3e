// A Pipeline does units of work on several threads and hands over their results on the calling
// thread, in order, with a bounded number of results waiting.
//
// Shape:   units lie in one list in the order of their results. A unit that is expanded while it is
//          done (a directory) is followed at once by its parts. Threads take the first unit that
//          nobody has taken, so the results that are due next are always being worked on, and a
//          unit may take any time.
// Bounds:  once units of kWeightMax weigh in, taken or done, only the very first of the list may be
//          taken.
// Life:    Add()*, Run(); one use.
// Threads: Add and Run on one thread; Unit::Run on any, Unit::Emit on Run()'s.
#ifndef HASHCACHE_ENGINE_PIPELINE_H_
#define HASHCACHE_ENGINE_PIPELINE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace hashcache {

class Worker;

class Unit {
 public:
  virtual ~Unit() = default;
  // Starts the work. When it is done, perhaps later and from `worker`'s loop,
  // Pipeline::Finished(this) must be called, once.
  virtual void Run(Worker& worker) = 0;
  // Hands over the results; false ends the whole pipeline.
  virtual bool Emit() = 0;
  // How many results it holds while it waits.
  virtual size_t weight() const = 0;
};

class Pipeline {
 public:
  static constexpr size_t kWeightMax = 32 << 10;

  // `make_worker` gives each thread its own.
  Pipeline(size_t thread_count_max, std::function<std::unique_ptr<Worker>(Pipeline&)> make_worker);
  ~Pipeline();

  void Add(std::unique_ptr<Unit> unit) ABSL_LOCKS_EXCLUDED(mutex_);
  // Until every unit was emitted, or Emit() returned false.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  // For units. `parts` follow `unit` in the order of results.
  void Finished(Unit* unit, std::vector<std::unique_ptr<Unit>> parts = {}) ABSL_LOCKS_EXCLUDED(mutex_);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  enum class State { kWaiting, kTaken, kDone };
  struct Node {
    std::unique_ptr<Unit> unit;
    State state = State::kWaiting;
    std::list<std::list<Node>::iterator>::iterator queued;  // while not done
  };
  using Nodes = std::list<Node>;

  Unit* TakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GrowLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void InsertLocked(Nodes::iterator before, std::list<Nodes::iterator>::iterator queue_before,
                    std::unique_ptr<Unit> unit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One turn of a thread's loop: takes a unit, or waits for the worker's reads,
  // or returns false if there is nothing of either.
  bool Turn(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t thread_count_max_;
  const std::function<std::unique_ptr<Worker>(Pipeline&)> make_worker_;
  std::atomic<bool> stopping_{false};
  base::Mutex mutex_;
  base::CondVar changed_;  // something to take, or the first is done
  Nodes nodes_ ABSL_GUARDED_BY(mutex_);
  // Those not done, in the same order; the taken ones mark where parts go.
  std::list<Nodes::iterator> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Unit*, Nodes::iterator>> taken_ ABSL_GUARDED_BY(mutex_);
  size_t weight_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // units nobody has taken
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_PIPELINE_H_
