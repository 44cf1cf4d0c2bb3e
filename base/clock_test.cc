#include "base/clock.h"

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(ClockTest, RealClockMovesForward) {
  Clock& clock = Clock::Real();
  const int64_t before = clock.MonotonicNs();
  EXPECT_GE(clock.MonotonicNs(), before);
  EXPECT_GT(clock.NowNs(), 1'600'000'000'000'000'000);
}

TEST(ClockTest, ManualClockAdvancesAndSteps) {
  ManualClock clock(1000);
  clock.Advance(absl::Nanoseconds(5));
  EXPECT_EQ(clock.NowNs(), 1005);
  EXPECT_EQ(clock.MonotonicNs(), 5);
  clock.Step(absl::Nanoseconds(-10));
  EXPECT_EQ(clock.NowNs(), 995);
  EXPECT_EQ(clock.MonotonicNs(), 5);
}

}  // namespace
}  // namespace base
