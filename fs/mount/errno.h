// The one table that turns an absl::Status into the errno a system call gives.
//
// Shape:   a status that carries an errno (base::ErrnoStatus) gives exactly that
//          one. Every other status gives its code's row of the table:
//            DataLoss, Internal, Unknown, Unavailable        EIO
//            NotFound, AlreadyExists                         ENOENT, EEXIST
//            InvalidArgument, OutOfRange                     EINVAL
//            FailedPrecondition (the store is read-only)     EROFS
//            ResourceExhausted                               ENOSPC
//            PermissionDenied, Unauthenticated               EACCES, EPERM
//            Unimplemented                                   EOPNOTSUPP
//            Aborted, Cancelled, DeadlineExceeded            EAGAIN, EINTR, ETIMEDOUT
// Threads: no state.
#ifndef FS_MOUNT_ERRNO_H_
#define FS_MOUNT_ERRNO_H_

#include "absl/status/status.h"

namespace fs {

// A positive errno; 0 for OK.
int ErrnoForStatus(const absl::Status& status);

}  // namespace fs

#endif  // FS_MOUNT_ERRNO_H_
