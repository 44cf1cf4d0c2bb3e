#include "ssg/site/dates.h"

#include "gtest/gtest.h"

namespace ssg {
namespace {

TEST(Dates, Parse) {
  int64_t seconds = 0;
  EXPECT_TRUE(ParseDate("1970-01-02", &seconds));
  EXPECT_EQ(seconds, 86400);
  EXPECT_TRUE(ParseDate("1970-01-01T01:02:03Z", &seconds));
  EXPECT_EQ(seconds, 3723);
  EXPECT_TRUE(ParseDate("1970-01-01 01:02:03.5+01:00", &seconds));
  EXPECT_EQ(seconds, 123);
  EXPECT_TRUE(ParseDate("2024-02-29", &seconds));
  for (const char* bad : {"", "2024", "2023-02-29", "2024-13-01", "2024-01-01T25:00", "2024-01-01x", "yesterday"}) {
    EXPECT_FALSE(ParseDate(bad, &seconds)) << bad;
  }
}

TEST(Dates, Format) {
  EXPECT_EQ(FormatIsoDate(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc822Date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(FormatIsoDate(kNoDate), "");
}

}  // namespace
}  // namespace ssg
