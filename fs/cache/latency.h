// A LatencyCounter counts how long operations took: their number, sum, largest, and a
// histogram of powers of two of nanoseconds.
//
// Threads: thread-safe, without locks; a snapshot may miss what is being added.
#ifndef FS_CACHE_LATENCY_H_
#define FS_CACHE_LATENCY_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "absl/time/time.h"

namespace fs {

struct LatencySnapshot {
  static constexpr size_t kBuckets = 64;
  uint64_t count = 0;
  absl::Duration sum;
  absl::Duration max;
  std::array<uint64_t, kBuckets> buckets{};  // [2^i, 2^(i+1)) ns

  absl::Duration average() const { return count == 0 ? absl::ZeroDuration() : sum / static_cast<int64_t>(count); }
  // At most twice too large. `share` in [0, 1].
  absl::Duration Percentile(double share) const {
    uint64_t before = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      before += buckets[i];
      if (count > 0 && static_cast<double>(before) >= share * static_cast<double>(count)) {
        return std::min(max, absl::Nanoseconds(i >= 62 ? INT64_MAX : int64_t{2} << i));
      }
    }
    return max;
  }
};

class LatencyCounter {
 public:
  void Add(int64_t ns) {
    ns = std::max<int64_t>(ns, 0);
    count_.fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
    buckets_[std::bit_width(static_cast<uint64_t>(ns) | 1) - 1].fetch_add(1, std::memory_order_relaxed);
    int64_t max = max_ns_.load(std::memory_order_relaxed);
    while (ns > max && !max_ns_.compare_exchange_weak(max, ns, std::memory_order_relaxed)) {
    }
  }
  LatencySnapshot Snapshot() const {
    LatencySnapshot out;
    out.count = count_.load(std::memory_order_relaxed);
    out.sum = absl::Nanoseconds(sum_ns_.load(std::memory_order_relaxed));
    out.max = absl::Nanoseconds(max_ns_.load(std::memory_order_relaxed));
    for (size_t i = 0; i < LatencySnapshot::kBuckets; ++i) out.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::atomic<uint64_t> count_{0};
  std::atomic<int64_t> sum_ns_{0};
  std::atomic<int64_t> max_ns_{0};
  std::array<std::atomic<uint64_t>, LatencySnapshot::kBuckets> buckets_{};
};

}  // namespace fs

#endif  // FS_CACHE_LATENCY_H_
