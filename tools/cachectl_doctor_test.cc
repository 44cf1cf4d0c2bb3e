#include "tools/cachectl_doctor.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace tools {
namespace {

TEST(DoctorTest, LooksAtEverythingAndExplainsWhatIsNotGood) {
  std::set<std::string> seen;
  for (const Finding& finding : Diagnose()) {
    seen.insert(finding.what);
    EXPECT_FALSE(finding.found.empty()) << finding.what;
    EXPECT_EQ(finding.advice.empty(), finding.verdict == Verdict::kGood) << finding.what << ": " << finding.advice;
  }
  for (const char* const what : {"kernel", "/dev/fuse", "fusermount3", "allow_other", "request size", "io_uring",
                                 "memory", "wake of an idle CPU"}) {
    EXPECT_EQ(seen.count(what), 1) << what;
  }
}

TEST(DoctorTest, AWakeTakesSomeTimeAndNotForEver) {
  const absl::Duration wake = MeasureWake(20);
  EXPECT_GT(wake, absl::ZeroDuration());
  EXPECT_LT(wake, absl::Seconds(1));
}

}  // namespace
}  // namespace tools
