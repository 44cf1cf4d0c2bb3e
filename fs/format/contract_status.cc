#include "fs/format/contract_status.h"

#include <cerrno>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "base/status.h"

namespace fs {
namespace {

absl::StatusCode CodeOf(const absl::Status& status) {
  switch (base::ErrnoOf(status)) {
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENOTEMPTY:
      return absl::StatusCode::kFailedPrecondition;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case EINVAL:
    case ENAMETOOLONG:
      return absl::StatusCode::kInvalidArgument;
    case EIO:
      return absl::StatusCode::kDataLoss;
    default:
      return status.code();
  }
}

}  // namespace

absl::Status ContractStatus(const absl::Status& status) {
  const absl::StatusCode code = CodeOf(status);
  if (code == status.code()) return status;
  absl::Status mapped(code, status.message());
  status.ForEachPayload(
      [&mapped](absl::string_view type, const absl::Cord& payload) { mapped.SetPayload(type, payload); });
  return mapped;
}

}  // namespace fs
