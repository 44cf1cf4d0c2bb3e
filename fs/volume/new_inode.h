// The row of an inode that is about to be made in a directory.
//
// Threads: as Change; the caller holds the namespace exclusively.
#ifndef FS_VOLUME_NEW_INODE_H_
#define FS_VOLUME_NEW_INODE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/volume/volume_state.h"

namespace fs {

// What a new inode is, before its directory has its say.
struct NewInode {
  uint32_t mode;
  uint32_t device = 0;
  absl::string_view symlink_target;
};

// Owner, group and sgid as Linux decides them from `parent`, the umask or the parent's
// default ACL applied. ACLs go to the row or to `mutation`.
absl::StatusOr<InodeRow> MakeRow(VolumeState& state, Mutation& mutation, const Inode& parent, InodeNumber number,
                                 const NewInode& node, const Credentials& credentials);

}  // namespace fs

#endif  // FS_VOLUME_NEW_INODE_H_
