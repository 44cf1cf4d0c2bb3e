#include "fs/mount/testing/exposition.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string FirstProblem(absl::string_view text) {
  const Exposition read = ReadExposition(text);
  return read.problems.empty() ? "" : read.problems[0];
}

constexpr char kHead[] = "# HELP a_bytes Text.\n# TYPE a_bytes gauge\n";

TEST(ExpositionTest, ReadsWhatPrometheusReads) {
  const Exposition read = ReadExposition(
      "# a comment\n# HELP a_bytes Text.\n# TYPE a_bytes gauge\na_bytes{x=\"q\\\"\\\\\\n\",y=\"\"} 1e3\na_bytes{x=\"\",y=\"\"} NaN\n"
      "# HELP s_seconds T.\n# TYPE s_seconds histogram\ns_seconds_bucket{le=\"0.5\"} 1\ns_seconds_bucket{le=\"+Inf\"} 2\n"
      "s_seconds_sum 7.5\ns_seconds_count 2\n");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(read.families.at("a_bytes").samples[0].value, 1000);
  EXPECT_EQ(read.families.at("a_bytes").samples[0].labels.at("x"), "q\"\\\n");
}

TEST(ExpositionTest, RefusesEachThingThatIsWrong) {
  const std::string head = kHead;
  EXPECT_THAT(FirstProblem(head + "a_bytes 1"), HasSubstr("newline"));
  EXPECT_THAT(FirstProblem(head + "a_bytes one\n"), HasSubstr("bad value"));
  EXPECT_THAT(FirstProblem(head + "a_bytes  1\n"), HasSubstr("bad value"));
  EXPECT_THAT(FirstProblem(head + "a_bytes\n"), HasSubstr("without a value"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{x=\"\\t\"} 1\n"), HasSubstr("bad escape"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{x=\"1} 1\n"), HasSubstr("open quote"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{1x=\"\"} 1\n"), HasSubstr("bad label"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{x=\"\",x=\"\"} 1\n"), HasSubstr("twice"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{x=\"\" } 1\n"), HasSubstr("neither"));
  EXPECT_THAT(FirstProblem(head + "a_bytes 1\na_bytes 1\n"), HasSubstr("comes twice"));
  EXPECT_THAT(FirstProblem(head + "b_bytes 1\n"), HasSubstr("outside its family"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{x=\"\"} 1\na_bytes 1\n"), HasSubstr("different labels"));
  EXPECT_THAT(FirstProblem(head + "a_bytes{quantile=\"1\"} 1\n"), HasSubstr("quantile"));
  EXPECT_THAT(FirstProblem("# TYPE a gauge\na 1\n"), HasSubstr("no HELP"));
  EXPECT_THAT(FirstProblem("# HELP a Text.\na 1\n"), HasSubstr("outside its family"));
  EXPECT_THAT(FirstProblem(head + "a_bytes 1\n# HELP b Text.\n# TYPE b gauge\nb 1\n# HELP a_bytes More.\n"),
              HasSubstr("not in one piece"));
  EXPECT_THAT(FirstProblem("# HELP a Text.\n# TYPE a counter\na 1\n"), HasSubstr("_total"));
  EXPECT_THAT(FirstProblem("# HELP a_total Text.\n# TYPE a_total counter\na_total -1\n"), HasSubstr("negative"));
  EXPECT_THAT(FirstProblem("# HELP a_milliseconds T.\n# TYPE a_milliseconds gauge\na_milliseconds 1\n"),
              HasSubstr("base unit"));
  const std::string histogram = "# HELP h T.\n# TYPE h histogram\n";
  EXPECT_THAT(FirstProblem(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
              HasSubstr("fall"));
  EXPECT_THAT(FirstProblem(histogram + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"), HasSubstr("+Inf"));
  EXPECT_THAT(FirstProblem(histogram + "h_bucket{le=\"+Inf\"} 1\nh_count 1\n"), HasSubstr("no sum"));
}

}  // namespace
}  // namespace testing
}  // namespace fs
