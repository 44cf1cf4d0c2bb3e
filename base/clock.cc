#include "base/clock.h"

#include <ctime>

namespace base {
namespace {

class RealClock final : public Clock {
 public:
  int64_t NowNs() override { return Read(CLOCK_REALTIME); }
  int64_t MonotonicNs() override { return Read(CLOCK_MONOTONIC); }

 private:
  static int64_t Read(clockid_t id) {
    timespec time;
    clock_gettime(id, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
};

}  // namespace

Clock& Clock::Real() {
  static RealClock* const clock = new RealClock;
  return *clock;
}

}  // namespace base
