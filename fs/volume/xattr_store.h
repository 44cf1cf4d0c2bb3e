// Where the xattrs of an inode are kept: small ones in its row, larger ones as rows.
//
// Threads: as Change; the caller holds the locks of the inode.
#ifndef FS_VOLUME_XATTR_STORE_H_
#define FS_VOLUME_XATTR_STORE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/volume/volume_state.h"

namespace fs {

constexpr char kCapabilityXattr[] = "security.capability";
// The target of a symbolic link that is too long for the inode's row. No class of names
// that callers can use has it.
constexpr char kSymlinkXattr[] = "\x02symlink";

// Sets `name` in `row`, the row of inode `number` that `mutation` will write.
absl::Status StoreXattr(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row,
                        absl::string_view name, absl::string_view value);
// Removes `name`; false if there was none.
absl::StatusOr<bool> EraseXattr(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row,
                                absl::string_view name);

// What Linux does to a file whose content or owner changes: security.capability goes;
// with `suid`, the suid bit goes and, if the group may execute, sgid too.
absl::Status DropPrivileges(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row, bool suid);

}  // namespace fs

#endif  // FS_VOLUME_XATTR_STORE_H_
