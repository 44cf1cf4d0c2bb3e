#include "fs/volume/batch_status.h"

#include <string>

#include "base/status.h"

namespace fs {

void SetStatus(const absl::Status& status, batch::Result* result) {
  result->set_code(static_cast<uint32_t>(status.code()));
  result->set_error_number(static_cast<uint32_t>(base::ErrnoOf(status)));
  // A bare NotFound is the volume's ENOENT.
  result->set_message(status.message().empty() && absl::IsNotFound(status) ? "no such file or directory"
                                                                           : std::string(status.message()));
}

absl::Status Errno(int error_number, absl::string_view what) { return base::ErrnoStatus(error_number, what); }

}  // namespace fs
