#include "base/bench/bench.h"

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::HasSubstr;

TEST(BenchTest, ComparesMediansWithTheFirstContender) {
  Bench bench({.title = "test", .runs = 3});
  std::string order;
  const auto contender = [&order](std::string name, double seconds) {
    return Contender{name, [&order, name, seconds]() -> absl::StatusOr<Measurement> {
                       order += name;
                       return Measurement{.wall_seconds = seconds, .units = 10};
                     }};
  };
  bench.Add({.name = "row", .gate = 1.5}, {contender("a", 2), contender("b", 1)});
  ASSERT_OK(bench.Run());
  EXPECT_EQ(order, "ababab");
  ASSERT_EQ(bench.results().size(), 2u);
  EXPECT_DOUBLE_EQ(bench.results()[1].ratio, 2);
  EXPECT_DOUBLE_EQ(bench.results()[1].units_per_second, 10);
}

TEST(BenchTest, DifferentOutputDoesNotCount) {
  Bench bench({.title = "test", .tiny = true});
  const auto contender = [](std::string name, std::string digest) {
    return Contender{name, [digest]() -> absl::StatusOr<Measurement> {
                       return Measurement{.wall_seconds = 1, .output_digest = digest};
                     }};
  };
  bench.Add({.name = "row"}, {contender("a", "1"), contender("b", "2")});
  EXPECT_THAT(bench.Run(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("differs")));
  EXPECT_EQ(bench.results().size(), 1u);
}

TEST(BenchTest, MeasuresCommands) {
  ASSERT_OK_AND_ASSIGN(const Measurement measured, MeasureCommand({"true"}, {}));
  EXPECT_GT(measured.wall_seconds, 0);
  EXPECT_GT(measured.rss_bytes_max, 0u);
  EXPECT_FALSE(MeasureCommand({"false"}, {}).ok());
  EXPECT_OK(MeasureCommand({"false"}, {.exit_codes = {1}}));
  EXPECT_FALSE(MeasureCommand({"no-such-program-here"}, {}).ok());
  EXPECT_TRUE(HaveProgram("sh"));
  EXPECT_FALSE(HaveProgram("no-such-program-here"));
}

TEST(BenchTest, MedianOfEvenAndOdd) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({}), 0);
}

}  // namespace
}  // namespace base
