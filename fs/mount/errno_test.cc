#include "fs/mount/errno.h"

#include <cerrno>
#include <map>

#include "absl/status/status.h"
#include "base/status.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(ErrnoTest, EveryCodeHasItsErrno) {
  const std::map<absl::StatusCode, int> expected = {
      {absl::StatusCode::kCancelled, EINTR},
      {absl::StatusCode::kUnknown, EIO},
      {absl::StatusCode::kInvalidArgument, EINVAL},
      {absl::StatusCode::kDeadlineExceeded, ETIMEDOUT},
      {absl::StatusCode::kNotFound, ENOENT},
      {absl::StatusCode::kAlreadyExists, EEXIST},
      {absl::StatusCode::kPermissionDenied, EACCES},
      {absl::StatusCode::kResourceExhausted, ENOSPC},
      {absl::StatusCode::kFailedPrecondition, EROFS},
      {absl::StatusCode::kAborted, EAGAIN},
      {absl::StatusCode::kOutOfRange, EINVAL},
      {absl::StatusCode::kUnimplemented, EOPNOTSUPP},
      {absl::StatusCode::kInternal, EIO},
      {absl::StatusCode::kUnavailable, EIO},
      {absl::StatusCode::kDataLoss, EIO},
      {absl::StatusCode::kUnauthenticated, EPERM},
  };
  EXPECT_EQ(ErrnoForStatus(absl::OkStatus()), 0);
  // Codes are the numbers 1 to 16; a new one fails here until it has its row.
  for (int code = 1; code <= 16; ++code) {
    const auto status_code = static_cast<absl::StatusCode>(code);
    const auto row = expected.find(status_code);
    ASSERT_NE(row, expected.end()) << code;
    EXPECT_EQ(ErrnoForStatus(absl::Status(status_code, "x")), row->second) << absl::StatusCodeToString(status_code);
  }
  EXPECT_EQ(absl::StatusCodeToString(static_cast<absl::StatusCode>(17)), "");
}

TEST(ErrnoTest, AnErrnoThatTheStatusCarriesWins) {
  for (const int error : {ENOTEMPTY, EXDEV, EMLINK, ENAMETOOLONG, ENODATA, ERANGE, EFBIG, ELOOP, ETXTBSY, EDQUOT}) {
    const absl::Status status = base::ErrnoStatus(error, "rename a to b");
    EXPECT_EQ(ErrnoForStatus(status), error);
    EXPECT_EQ(ErrnoForStatus(base::Annotate(status, "inode 7")), error);
  }
}

}  // namespace
}  // namespace fs
