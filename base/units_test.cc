#include "base/units.h"

#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(UnitsTest, ParsesSizes) {
  EXPECT_THAT(ParseSize("4096"), IsOkAndHolds(4096u));
  EXPECT_THAT(ParseSize("64K"), IsOkAndHolds(64 * kKiB));
  EXPECT_THAT(ParseSize("64 kib"), IsOkAndHolds(64 * kKiB));
  EXPECT_THAT(ParseSize("1.5GB"), IsOkAndHolds(3 * kGiB / 2));
  for (const char* bad : {"", "K", "-1", "1X", "1e3", "99999999T", "1.2.3"}) {
    EXPECT_THAT(ParseSize(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(UnitsTest, FormatsSizes) {
  EXPECT_EQ(HumanSize(0), "0 B");
  EXPECT_EQ(HumanSize(1023), "1023 B");
  EXPECT_EQ(HumanSize(4096), "4.0 KiB");
  EXPECT_EQ(HumanSize(kGiB - 1), "1.0 GiB");
}

TEST(UnitsTest, ParsesAndFormatsDurations) {
  EXPECT_THAT(ParseDuration("90"), IsOkAndHolds(absl::Seconds(90)));
  EXPECT_THAT(ParseDuration("7d"), IsOkAndHolds(absl::Hours(168)));
  EXPECT_THAT(ParseDuration("-5s"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(HumanDuration(absl::Seconds(185)), "3m 05s");
  EXPECT_EQ(HumanDuration(absl::Microseconds(12)), "12 us");
}

TEST(UnitsTest, FormatsCounts) {
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1234567), "1,234,567");
}

}  // namespace
}  // namespace base
