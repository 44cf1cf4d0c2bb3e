// What happens to an inode that loses a name.
//
// Threads: as Change; the caller holds the namespace exclusively and the inode's lock.
#ifndef FS_VOLUME_UNLINK_H_
#define FS_VOLUME_UNLINK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/volume/volume_state.h"

namespace fs {

// `inode` has one name less (a directory: none). If none is left it goes with this change
// when nobody holds it, else it becomes an orphan: true, and the caller tells the table
// when the change was applied.
absl::StatusOr<bool> LoseLink(VolumeState& state, Change& change, Inode& inode);

// Takes the name `found` of `child` out of `parent`, in a mutation of its own.
absl::Status UnlinkLocked(VolumeState& state, Inode& parent, const VolumeState::FoundName& found, Inode& child)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.namespace_mutex);

}  // namespace fs

#endif  // FS_VOLUME_UNLINK_H_
