// How an errno becomes one of the few codes that a tree's users know (STYLE: few codes, fixed meaning). One table for both
// sides: what the mount's batches answer, and what a client makes of plain system calls.
//
//   EISDIR ENOTDIR ELOOP ENOTEMPTY  FailedPrecondition
//   EACCES EPERM EROFS              PermissionDenied
//   ENOSPC EDQUOT                   ResourceExhausted
//   EINVAL ENAMETOOLONG             InvalidArgument
//   EIO                             DataLoss
//   any other, or none              as it is
//
// Threads: no state.
#ifndef FS_FORMAT_CONTRACT_STATUS_H_
#define FS_FORMAT_CONTRACT_STATUS_H_

#include "absl/status/status.h"

namespace fs {

// `status` with the code that its errno (base::ErrnoOf) stands for; message and payloads stay.
absl::Status ContractStatus(const absl::Status& status);

}  // namespace fs

#endif  // FS_FORMAT_CONTRACT_STATUS_H_
