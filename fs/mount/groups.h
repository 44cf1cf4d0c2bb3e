// The supplementary groups of a process that asks something of the mount.
//
// Threads: no state. Reads /proc, which may wait: not for the dispatcher's thread.
#ifndef FS_MOUNT_GROUPS_H_
#define FS_MOUNT_GROUPS_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace fs {

// Empty if the process is gone, or lives in a PID namespace that we cannot see.
std::vector<uint32_t> SupplementaryGroups(pid_t pid);

}  // namespace fs

#endif  // FS_MOUNT_GROUPS_H_
