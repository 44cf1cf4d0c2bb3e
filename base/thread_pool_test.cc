#include "base/thread_pool.h"

#include <atomic>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(ThreadPoolTest, RunsEverythingThroughASmallQueue) {
  std::atomic<int> sum{0};
  {
    ThreadPool pool("test", 3, 2);
    for (int i = 1; i <= 100; ++i) pool.Add([&sum, i] { sum += i; });
    pool.Wait();
    EXPECT_EQ(sum, 5050);
    pool.Add([&sum] { sum = 1; });
  }
  EXPECT_EQ(sum, 1);
}

TEST(ThreadPoolTest, ParallelForVisitsEachIndexOnce) {
  std::vector<std::atomic<int>> seen(1000);
  ParallelFor(seen.size(), 4, [&seen](size_t i) { ++seen[i]; });
  for (const std::atomic<int>& count : seen) EXPECT_EQ(count, 1);
  ParallelFor(0, 4, [](size_t) { FAIL(); });
}

TEST(ThreadPoolTest, ParallelismIsPositive) { EXPECT_GE(DefaultParallelism(), 1u); }

}  // namespace
}  // namespace base
