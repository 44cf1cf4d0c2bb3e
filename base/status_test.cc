#include "base/status.h"

#include <cerrno>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::HasSubstr;

TEST(StatusTest, AnnotateAppendsCoordinateAndKeepsCode) {
  const absl::Status status = Annotate(absl::DataLossError("checksum mismatch"), "block 17");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "checksum mismatch; block 17");
  EXPECT_OK(Annotate(absl::OkStatus(), "anything"));
}

TEST(StatusTest, ErrnoSurvivesAnnotation) {
  const absl::Status status = Annotate(ErrnoStatus(ENOSPC, "write"), "disk.img");
  EXPECT_EQ(ErrnoOf(status), ENOSPC);
  EXPECT_THAT(std::string(status.message()), HasSubstr("disk.img"));
  EXPECT_EQ(ErrnoOf(absl::DataLossError("x")), 0);
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(StatusMacrosTest, AssignOrReturnPassesValuesAndErrors) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace base
