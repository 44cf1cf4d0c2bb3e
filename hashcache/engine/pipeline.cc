// Invariants:
//  P1  queue_ holds the nodes that are not done, in the order of nodes_.
//  P2  the first of nodes_ is either done, taken, or may be taken whatever the
//  weight:
//      so there is always progress.
#include "hashcache/engine/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/thread_pool.h"
#include "glog/logging.h"
#include "hashcache/engine/worker.h"

namespace hashcache {

Pipeline::Pipeline(size_t thread_count_max, std::function<std::unique_ptr<Worker>(Pipeline&)> make_worker)
    : thread_count_max_(thread_count_max), make_worker_(std::move(make_worker)) {}

Pipeline::~Pipeline() {
  std::vector<std::thread> threads;
  {
    base::MutexLock lock(&mutex_);
    ended_ = true;
    stopping_ = true;
    changed_.SignalAll();
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void Pipeline::Add(std::unique_ptr<Unit> unit) {
  base::MutexLock lock(&mutex_);
  InsertLocked(nodes_.end(), queue_.end(), std::move(unit));
}

void Pipeline::InsertLocked(Nodes::iterator before, std::list<Nodes::iterator>::iterator queue_before,
                            std::unique_ptr<Unit> unit) {
  const auto node = nodes_.insert(before, Node{.unit = std::move(unit)});
  node->queued = queue_.insert(queue_before, node);
  ++waiting_;
}

Unit* Pipeline::TakeLocked() {
  if (waiting_ == 0 || stopping()) return nullptr;
  const auto found = std::find_if(queue_.begin(), queue_.end(),
                                  [](const Nodes::iterator& node) { return node->state == State::kWaiting; });
  const Nodes::iterator node = *found;
  if (weight_ >= kWeightMax && node != nodes_.begin()) return nullptr;  // P2
  node->state = State::kTaken;
  --waiting_;
  weight_ += node->unit->weight();
  taken_.emplace_back(node->unit.get(), node);
  return node->unit.get();
}

void Pipeline::Finished(Unit* unit, std::vector<std::unique_ptr<Unit>> parts) {
  base::MutexLock lock(&mutex_);
  const auto found =
      std::find_if(taken_.begin(), taken_.end(), [unit](const auto& entry) { return entry.first == unit; });
  CHECK(found != taken_.end()) << "a unit finished twice";
  const Nodes::iterator node = found->second;
  *found = taken_.back();
  taken_.pop_back();
  const auto after = std::next(node);
  for (std::unique_ptr<Unit>& part : parts) InsertLocked(after, node->queued, std::move(part));
  queue_.erase(node->queued);
  node->state = State::kDone;
  GrowLocked();
  if (node == nodes_.begin() || !parts.empty()) changed_.SignalAll();
}

void Pipeline::GrowLocked() {
  // The caller's thread is one of them.
  if (waiting_ <= idle_ || threads_.size() + 1 >= thread_count_max_ || ended_ || stopping()) return;
  threads_.emplace_back([this] { Work(); });
}

bool Pipeline::Turn(Worker& worker) {
  Unit* unit = nullptr;
  if (worker.HasRoom()) {
    base::MutexLock lock(&mutex_);
    unit = TakeLocked();
    if (unit != nullptr) GrowLocked();
  }
  if (unit != nullptr) {
    unit->Run(worker);
    worker.Reap(/*wait=*/false);
    return true;
  }
  if (!worker.Busy()) return false;
  worker.Reap(/*wait=*/true);
  return true;
}

void Pipeline::Work() {
  base::SetThreadName("hash");
  const std::unique_ptr<Worker> worker = make_worker_(*this);
  for (;;) {
    if (Turn(*worker)) continue;
    base::MutexLock lock(&mutex_);
    if (ended_) return;
    const bool may_take = waiting_ > 0 && weight_ < kWeightMax && !stopping();
    if (may_take) continue;
    ++idle_;
    changed_.Wait(&mutex_);
    --idle_;
  }
}

void Pipeline::Run() {
  const std::unique_ptr<Worker> worker = make_worker_(*this);
  for (;;) {
    std::unique_ptr<Unit> due;
    {
      base::MutexLock lock(&mutex_);
      if (nodes_.empty()) break;
      Node& first = nodes_.front();
      if (first.state == State::kDone) {
        due = std::move(first.unit);
        const bool full = weight_ >= kWeightMax;
        weight_ -= due->weight();
        nodes_.pop_front();
        // Those that waited for room, or for their unit to become the first.
        if (full) changed_.SignalAll();
      }
    }
    if (due != nullptr) {
      if (!due->Emit()) break;
      continue;
    }
    if (Turn(*worker)) continue;
    base::MutexLock lock(&mutex_);
    if (nodes_.empty() || nodes_.front().state == State::kDone || nodes_.front().state == State::kWaiting)
      continue;
    ++idle_;
    changed_.Wait(&mutex_);
    --idle_;
  }
  stopping_ = true;
  while (worker->Busy()) worker->Reap(/*wait=*/true);
  std::vector<std::thread> threads;
  {
    base::MutexLock lock(&mutex_);
    ended_ = true;
    changed_.SignalAll();
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace hashcache
