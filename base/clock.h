// Clock: the time of day and a monotonic time, passed in wherever time matters.
//
// Threads: implementations are thread-safe.
#ifndef BASE_CLOCK_H_
#define BASE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since 1970; may step either way.
  virtual int64_t NowNs() = 0;
  // Nanoseconds since some fixed point; never goes back.
  virtual int64_t MonotonicNs() = 0;
  absl::Time Now() { return absl::FromUnixNanos(NowNs()); }

  // The system's clock; lives for ever.
  static Clock& Real();
};

// Stands still until it is moved.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t now_ns = 1'700'000'000'000'000'000) : now_ns_(now_ns) {}
  int64_t NowNs() override { return now_ns_.load(); }
  int64_t MonotonicNs() override { return monotonic_ns_.load(); }
  void Advance(absl::Duration duration) {
    now_ns_ += absl::ToInt64Nanoseconds(duration);
    monotonic_ns_ += absl::ToInt64Nanoseconds(duration);
  }
  // Steps the time of day only, as an administrator or NTP would.
  void Step(absl::Duration duration) { now_ns_ += absl::ToInt64Nanoseconds(duration); }

 private:
  std::atomic<int64_t> now_ns_;
  std::atomic<int64_t> monotonic_ns_{0};
};

}  // namespace base

#endif  // BASE_CLOCK_H_
