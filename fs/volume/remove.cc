// Volume: removing names.
#include <sys/stat.h>

#include <cerrno>

#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/unlink.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {

absl::StatusOr<bool> LoseLink(VolumeState& state, Change& change, Inode& inode) {
  InodeRow& row = change.Edit(inode);
  row.link_count = S_ISDIR(row.mode) || row.link_count == 0 ? 0 : row.link_count - 1;
  change.mutation().set_frees_space();
  if (row.link_count > 0) return false;
  if (state.table.IsHeldOnlyHere(inode)) {
    RETURN_IF_ERROR(change.Remove(inode));
    return false;
  }
  change.SetOrphan(inode.number());
  // A cache counts what can be found in it: who still holds an evicted file, as the kernel does until
  // it hears of it, must not keep others from being stored.
  const absl::optional<PolicyRow> policy = state.PolicyOf(row.policy);
  if (policy.has_value() && policy->is_evictable()) change.MovePolicy(inode.number(), row, kNoPolicy);
  change.SetExpiry(inode.number(), row, {});  // it has no name left to be found by
  return true;
}

absl::Status UnlinkLocked(VolumeState& state, Inode& parent, const VolumeState::FoundName& found, Inode& child) {
  Change change(state);
  InodeRow& parent_row = change.EditContent(parent);
  --parent_row.entry_count;
  if (S_ISDIR(child.mode())) --parent_row.link_count;
  change.DropName(parent, found.key, found.child, found.index);
  ASSIGN_OR_RETURN(const bool orphaned, LoseLink(state, change, child));
  RETURN_IF_ERROR(change.MarkUp(parent));
  RETURN_IF_ERROR(change.Apply());
  if (orphaned) state.table.SetOrphan(child, true);
  child.set_home(absl::nullopt);
  return absl::OkStatus();
}

namespace {

absl::Status RemoveEntry(VolumeState& state, InodeNumber directory, absl::string_view name, bool is_directory) {
  RETURN_IF_ERROR(CheckEntryName(name));
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin parent, state.PinDirectory(directory));
  ASSIGN_OR_RETURN(const VolumeState::FoundName found, state.FindLiveName(*parent, name));
  if (!found.found()) return absl::NotFoundError("");
  ASSIGN_OR_RETURN(const InodePin child, state.table.Pin(found.child));
  const InodeLocks locks(*child);
  const InodeRow child_row = child->row();
  if (is_directory) {
    if (!S_ISDIR(child_row.mode)) return InodeError(ENOTDIR, "not a directory", found.child);
    if (child_row.entry_count > 0) return InodeError(ENOTEMPTY, "directory is not empty", found.child);
  } else if (S_ISDIR(child_row.mode)) {
    return InodeError(EISDIR, "is a directory", found.child);
  }
  return UnlinkLocked(state, *parent, found, *child);
}

}  // namespace

absl::Status Volume::Unlink(InodeNumber directory, absl::string_view name) {
  return RemoveEntry(*state_, directory, name, /*is_directory=*/false);
}

absl::Status Volume::RemoveDirectory(InodeNumber directory, absl::string_view name) {
  if (name == ".") return InodeError(EINVAL, "a directory cannot remove itself", directory);
  if (name == "..") return InodeError(ENOTEMPTY, "directory is not empty", directory);
  return RemoveEntry(*state_, directory, name, /*is_directory=*/true);
}

}  // namespace fs
