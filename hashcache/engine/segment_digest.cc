#include "hashcache/engine/segment_digest.h"

#include <atomic>
#include <memory>
#include <utility>

namespace hashcache {
namespace {

bool Parallel(AlgorithmSet algorithms, uint64_t segment_count) {
  return algorithms.Has(Algorithm::kBlake3) && segment_count > 1;
}

}  // namespace

SegmentDigest::SegmentDigest(AlgorithmSet algorithms, uint64_t segment_count, base::ThreadPool& pool)
    : parallel_(Parallel(algorithms, segment_count)),
      pool_(pool),
      in_order_(parallel_ ? algorithms.Without(Algorithm::kBlake3) : algorithms) {}

SegmentDigest::~SegmentDigest() { WaitForPool(); }

void SegmentDigest::Feed(absl::Span<const uint8_t> segment, std::function<void()> released) {
  const uint64_t index = next_++;
  if (!parallel_) {
    in_order_.Update(segment);
    released();
    return;
  }
  {
    base::MutexLock lock(&mutex_);
    ++running_;
  }
  // Released when both sides are through with the bytes.
  auto left = std::make_shared<std::atomic<int>>(2);
  const auto part_done = [left, released = std::move(released)] {
    if (left->fetch_sub(1) == 1) released();
  };
  pool_.Add([this, segment, index, part_done] {
    const Blake3Value value = Blake3Segment(segment, index);
    part_done();
    base::MutexLock lock(&mutex_);
    tree_.Add(index, value);
    if (--running_ == 0) idle_.SignalAll();
  });
  if (!in_order_.algorithms().empty()) in_order_.Update(segment);
  part_done();
}

void SegmentDigest::WaitForPool() {
  base::MutexLock lock(&mutex_);
  while (running_ > 0) idle_.Wait(&mutex_);
}

Digests SegmentDigest::Finish() {
  WaitForPool();
  Digests digests = in_order_.Finish();
  if (parallel_) {
    base::MutexLock lock(&mutex_);
    const Blake3Value value = tree_.Finish();
    digests.Set(Algorithm::kBlake3, value);
  }
  return digests;
}

}  // namespace hashcache
