// Locks that keep two processes off one store.
//
// Errors:  Unavailable  another process holds the lock; names it where /proc/locks does
// Threads: no state.
// Source:  flock(2), proc(5).
#ifndef FS_DISK_FILE_LOCK_H_
#define FS_DISK_FILE_LOCK_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fs {

// flock()s `fd` for its open file description's life, trying again for `patience` (udev
// holds a block device's lock for moments while it probes it).
absl::Status LockFile(int fd, bool exclusive, absl::Duration patience);

// Lets go at once, though other references to the open file description may live on.
void UnlockFile(int fd);

// The process that /proc/locks, given as `locks`, says holds a flock on the file; 0 = none.
pid_t LockHolder(absl::string_view locks, dev_t device, ino_t inode);

}  // namespace fs

#endif  // FS_DISK_FILE_LOCK_H_
