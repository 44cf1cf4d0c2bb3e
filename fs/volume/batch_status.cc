#include "fs/volume/batch_status.h"

#include <cerrno>
#include <string>

#include "absl/strings/cord.h"
#include "base/status.h"

namespace fs {

void SetStatus(const absl::Status& status, batch::Result* result) {
  result->set_code(static_cast<uint32_t>(status.code()));
  result->set_error_number(static_cast<uint32_t>(base::ErrnoOf(status)));
  // A bare NotFound is the volume's ENOENT.
  result->set_message(status.message().empty() && absl::IsNotFound(status) ? "no such file or directory"
                                                                           : std::string(status.message()));
}

// A volume's errno as the code that TreeClient's contract wants.
absl::Status Contract(const absl::Status& status) {
  absl::StatusCode code = status.code();
  switch (base::ErrnoOf(status)) {
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENOTEMPTY:
      code = absl::StatusCode::kFailedPrecondition;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = absl::StatusCode::kPermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
      code = absl::StatusCode::kResourceExhausted;
      break;
    case EINVAL:
    case ENAMETOOLONG:
      code = absl::StatusCode::kInvalidArgument;
      break;
    default:
      return status;
  }
  absl::Status mapped(code, status.message());
  status.ForEachPayload(
      [&mapped](absl::string_view type, const absl::Cord& payload) { mapped.SetPayload(type, payload); });
  return mapped;
}

absl::Status Errno(int error_number, absl::string_view what) { return base::ErrnoStatus(error_number, what); }

}  // namespace fs
