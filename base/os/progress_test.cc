#include "base/os/progress.h"

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(ProgressTest, LineShowsShareRateAndTimeLeft) {
  Progress progress({.label = "hashing", .unit = Progress::Unit::kBytes, .total = 4 << 20, .second_unit = "files"});
  progress.Add(1 << 20);
  progress.AddSecond(12);
  EXPECT_EQ(progress.Line(1'000'000'000),
            "hashing 1.0 MiB of 4.0 MiB (25%), 1.0 MiB/s, 12 files, 3.0 s left");
}

TEST(ProgressTest, LineWithoutTotal) {
  Progress progress({.label = "read"});
  progress.Add(1500);
  EXPECT_EQ(progress.Line(500'000'000), "read 1,500, 3,000/s");
}

TEST(ProgressTest, DrawsNothingWhereStderrIsNoTerminal) {
  ::testing::internal::CaptureStderr();
  { Progress progress({.label = "x"}); }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  { Progress progress({.label = "x", .force = true}); }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "\r\033[K");
}

}  // namespace
}  // namespace base
