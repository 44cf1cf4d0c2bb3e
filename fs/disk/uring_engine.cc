#include "fs/disk/uring_engine.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "glog/logging.h"

namespace fs {

absl::StatusOr<std::unique_ptr<UringEngine>> UringEngine::Create(int fd, unsigned depth, Completion completion) {
  ASSIGN_OR_RETURN(std::unique_ptr<UringRing> ring, UringRing::Create(fd, depth));
  return std::unique_ptr<UringEngine>(new UringEngine(fd, depth, std::move(completion), std::move(ring)));
}

UringEngine::UringEngine(int fd, unsigned depth, Completion completion, std::unique_ptr<UringRing> ring)
    : fd_(fd), depth_(depth), completion_(std::move(completion)), ring_(std::move(ring)), thread_([this] { Work(); }) {}

UringEngine::~UringEngine() {
  {
    base::MutexLock lock(&mutex_);
    while (unfinished_ != 0) idle_.Wait(&mutex_);
    ring_->Wake();
    ring_->Submit();
  }
  thread_.join();
}

void UringEngine::Submit(absl::Span<IoRequest> requests) {
  base::MutexLock lock(&mutex_);
  unfinished_ += requests.size();
  for (IoRequest& request : requests) waiting_.push_back(std::move(request));
  StartWaiting();
}

void UringEngine::StartWaiting() {
  while (!waiting_.empty() && ring_->has_room()) {
    ring_->Start(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  ring_->Submit();
}

void UringEngine::Work() {
  ::pthread_setname_np(::pthread_self(), "disk-uring");
  std::vector<UringRing::Answer> answers;
  std::vector<Transfer> done;
  while (true) {
    answers.clear();
    done.clear();
    ring_->Wait();
    ring_->Reap(answers);
    bool stop = false;
    {
      base::MutexLock lock(&mutex_);
      for (const UringRing::Answer& answer : answers) {
        if (answer.slot == UringRing::kWake) {
          stop = true;
          continue;
        }
        Transfer& transfer = ring_->transfer(answer.slot);
        if (transfer.Advance(answer.result) == Transfer::Step::kAgain) {
          ring_->Continue(answer.slot);
        } else {
          done.push_back(std::move(transfer));
          ring_->Free(answer.slot);
        }
      }
      StartWaiting();
    }
    for (Transfer& transfer : done) completion_(transfer.request(), transfer.status());
    if (!done.empty()) {
      base::MutexLock lock(&mutex_);
      unfinished_ -= done.size();
      if (unfinished_ == 0) idle_.SignalAll();
    }
    if (stop) return;
  }
}

void UringEngine::SubmitAndWait(absl::Span<IoRequest> requests) {
  std::unique_ptr<UringRing> ring = TakeRing();
  if (ring == nullptr) return Submit(requests);
  std::vector<UringRing::Answer> answers;
  size_t next = 0;
  while (next < requests.size() || ring->in_flight() > 0) {
    while (next < requests.size() && ring->has_room()) ring->Start(std::move(requests[next++]));
    // Half of them is enough to refill the ring; at the end only the last one matters.
    const size_t in_flight = ring->in_flight();
    ring->SubmitAndWait(static_cast<unsigned>(next < requests.size() ? (in_flight + 1) / 2 : in_flight));
    answers.clear();
    ring->Reap(answers);
    for (const UringRing::Answer& answer : answers) {
      Transfer& transfer = ring->transfer(answer.slot);
      if (transfer.Advance(answer.result) == Transfer::Step::kAgain) {
        ring->Continue(answer.slot);
      } else {
        completion_(transfer.request(), transfer.status());
        ring->Free(answer.slot);
      }
    }
  }
  ReturnRing(std::move(ring));
}

std::unique_ptr<UringRing> UringEngine::TakeRing() {
  std::unique_ptr<UringRing> ring;
  base::MutexLock lock(&rings_mutex_);
  if (!rings_.empty()) {
    ring = std::move(rings_.back());
    rings_.pop_back();
  } else if (rings_made_ < kOwnRingsMax) {
    absl::StatusOr<std::unique_ptr<UringRing>> made = UringRing::Create(fd_, depth_);
    // Out of descriptors or locked memory: the shared ring serves this caller as well.
    if (!made.ok()) return nullptr;
    ring = *std::move(made);
    ++rings_made_;
  }
  if (ring == nullptr) return nullptr;
  while (ring->memory_count() < memories_.size() && ring->RegisterMemory(memories_[ring->memory_count()]).ok()) {
  }
  return ring;
}

void UringEngine::ReturnRing(std::unique_ptr<UringRing> ring) {
  base::MutexLock lock(&rings_mutex_);
  rings_.push_back(std::move(ring));
}

absl::Status UringEngine::RegisterMemory(absl::Span<uint8_t> memory) {
  {
    base::MutexLock lock(&mutex_);
    RETURN_IF_ERROR(ring_->RegisterMemory(memory));
  }
  base::MutexLock lock(&rings_mutex_);
  memories_.push_back(memory);
  return absl::OkStatus();
}

}  // namespace fs
