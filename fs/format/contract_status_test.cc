#include "fs/format/contract_status.h"

#include <cerrno>

#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(ContractStatusTest, EveryErrnoHasTheCodeOfTheTable) {
  const struct {
    int error_number;
    absl::StatusCode code;
  } kTable[] = {
      {EISDIR, absl::StatusCode::kFailedPrecondition},
      {ENOTDIR, absl::StatusCode::kFailedPrecondition},
      {ELOOP, absl::StatusCode::kFailedPrecondition},
      {ENOTEMPTY, absl::StatusCode::kFailedPrecondition},
      {EACCES, absl::StatusCode::kPermissionDenied},
      {EPERM, absl::StatusCode::kPermissionDenied},
      {EROFS, absl::StatusCode::kPermissionDenied},
      {ENOSPC, absl::StatusCode::kResourceExhausted},
      {EDQUOT, absl::StatusCode::kResourceExhausted},
      {EINVAL, absl::StatusCode::kInvalidArgument},
      {ENAMETOOLONG, absl::StatusCode::kInvalidArgument},
      {EIO, absl::StatusCode::kDataLoss},
      {ENOENT, absl::StatusCode::kNotFound},
      {EEXIST, absl::StatusCode::kAlreadyExists},
  };
  for (const auto& row : kTable) {
    const absl::Status mapped = ContractStatus(base::ErrnoStatus(row.error_number, "what"));
    EXPECT_EQ(mapped.code(), row.code) << row.error_number;
    EXPECT_EQ(base::ErrnoOf(mapped), row.error_number);
    EXPECT_EQ(mapped.message(), base::ErrnoStatus(row.error_number, "what").message());
  }
}

TEST(ContractStatusTest, WithoutAnErrnoNothingChanges) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(ContractStatus(status), status);
  }
}

}  // namespace
}  // namespace fs
