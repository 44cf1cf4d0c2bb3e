// Conversions between what the kernel says of an inode and what a Volume says.
//
// Threads: no state.
#ifndef FS_MOUNT_ATTRIBUTES_H_
#define FS_MOUNT_ATTRIBUTES_H_

#include <sys/stat.h>

#include "fs/volume/types.h"

namespace fs {

struct stat StatOf(const Attributes& attributes);

// `to_set` are libfuse's FUSE_SET_ATTR_* bits.
AttributeChange ChangeOf(const struct stat& values, int to_set, bool kill_privileges);

}  // namespace fs

#endif  // FS_MOUNT_ATTRIBUTES_H_
