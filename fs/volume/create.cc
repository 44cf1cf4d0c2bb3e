// Volume: making and linking entries.
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/acl.h"
#include "fs/volume/new_inode.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"
#include "fs/volume/xattr_store.h"

namespace fs {
absl::StatusOr<InodeRow> MakeRow(VolumeState& state, Mutation& mutation, const Inode& parent, InodeNumber number,
                                 const NewInode& node, const Credentials& credentials) {
  InodeRow row;
  const InodeRow parent_row = parent.row();
  row.mode = node.mode;
  row.device = node.device;
  row.uid = credentials.uid;
  row.gid = credentials.gid;
  row.link_count = 1;
  row.policy = parent_row.policy;
  if (S_ISREG(row.mode)) row.expiry_time = state.ExpiryFor(row.policy, state.Now());
  if ((parent_row.mode & S_ISGID) != 0) {
    row.gid = parent_row.gid;
    if (S_ISDIR(row.mode)) row.mode |= S_ISGID;
  }
  if (S_ISDIR(row.mode)) {
    row.link_count = 2;
    row.next_index = kFirstIndex;
    row.run_next = number + 1;
    row.run_end = number + kDirectoryRun;
  }
  if (S_ISLNK(row.mode)) {
    row.size_bytes = node.symlink_target.size();
    if (node.symlink_target.size() <= InodeRow::kSymlinkBytesMax) {
      row.symlink_target = std::string(node.symlink_target);
    } else {
      RETURN_IF_ERROR(StoreXattr(state, mutation, number, row, kSymlinkXattr, node.symlink_target));
    }
    return row;
  }
  ASSIGN_OR_RETURN(const absl::optional<std::string> inherited, state.FindXattr(parent, Acl::kDefaultName));
  if (!inherited.has_value()) {
    row.mode &= ~(credentials.umask & 0777);
    return row;
  }
  ASSIGN_OR_RETURN(Acl acl, Acl::Parse(*inherited));
  if (S_ISDIR(row.mode)) RETURN_IF_ERROR(StoreXattr(state, mutation, number, row, Acl::kDefaultName, *inherited));
  row.mode = acl.ApplyToNewMode(row.mode);
  if (acl.IsEquivalentToMode()) return row;
  RETURN_IF_ERROR(StoreXattr(state, mutation, number, row, Acl::kAccessName, acl.Encode()));
  return row;
}

namespace {

absl::StatusOr<Attributes> MakeEntryOnce(VolumeState& state, InodeNumber directory, absl::string_view name,
                                         const NewInode& node, const Credentials& credentials, Reference reference) {
  RETURN_IF_ERROR(CheckEntryName(name));
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin parent, state.PinDirectory(directory));
  ASSIGN_OR_RETURN(const VolumeState::FoundName slot, state.FindLiveName(*parent, name));
  if (slot.found()) return InodeError(EEXIST, "name is taken", directory);
  const bool is_directory = S_ISDIR(node.mode);
  Change change(state);
  InodeRow& parent_row = change.EditContent(*parent);
  const InodeNumber number = is_directory ? change.AllocateRun(kDirectoryRun) : change.AllocateInode(parent_row);
  ASSIGN_OR_RETURN(InodeRow row, MakeRow(state, change.mutation(), *parent, number, node, credentials));
  const uint64_t index = parent_row.next_index++;
  ++parent_row.entry_count;
  if (is_directory) ++parent_row.link_count;
  RETURN_IF_ERROR(change.MarkUp(*parent));
  change.AddName(*parent, slot.key, name, number, row, index);
  const InodePin child = change.Create(number, std::move(row));
  child->set_home(Home{directory, index});
  const absl::Status applied = change.Apply();
  if (!applied.ok()) {
    child->removed = true;
    return applied;
  }
  child->mark = state.generation.load();
  state.NoteUse(*child, slot.key);
  if (reference == Reference::kTake) state.table.TakeReference(*child);
  return state.AttributesOf(*child);
}

absl::StatusOr<Attributes> MakeEntry(VolumeState& state, InodeNumber directory, absl::string_view name,
                                     const NewInode& node, const Credentials& credentials, Reference reference) {
  return WithRoom(state, 0, [&] { return MakeEntryOnce(state, directory, name, node, credentials, reference); });
}

}  // namespace

absl::StatusOr<Attributes> Volume::MakeNode(InodeNumber directory, absl::string_view name, const NewNode& node,
                                            const Credentials& credentials, Reference reference) {
  const uint32_t type = (node.mode & S_IFMT) == 0 ? S_IFREG : node.mode & S_IFMT;
  if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK) {
    return InodeError(type == S_IFDIR ? EPERM : EINVAL, "no node of this type can be made", directory);
  }
  const uint32_t device = type == S_IFCHR || type == S_IFBLK ? node.device : 0;
  return MakeEntry(*state_, directory, name, {type | (node.mode & 07777), device, ""}, credentials, reference);
}

absl::StatusOr<Attributes> Volume::MakeDirectory(InodeNumber directory, absl::string_view name, uint32_t mode,
                                                 const Credentials& credentials, Reference reference) {
  return MakeEntry(*state_, directory, name, {S_IFDIR | (mode & 07777), 0, ""}, credentials, reference);
}

absl::StatusOr<Attributes> Volume::MakeSymlink(InodeNumber directory, absl::string_view name, absl::string_view target,
                                               const Credentials& credentials, Reference reference) {
  if (target.empty()) return InodeError(ENOENT, "symbolic link to nothing", directory);
  if (target.size() > kSymlinkBytesMax) return InodeError(ENAMETOOLONG, "symbolic link is too long", directory);
  if (target.find('\0') != absl::string_view::npos) return InodeError(EINVAL, "NUL in a symbolic link", directory);
  return MakeEntry(*state_, directory, name, {S_IFLNK | 0777, 0, target}, credentials, reference);
}

absl::StatusOr<Attributes> Volume::MakeTemporary(InodeNumber directory, uint32_t mode, const Credentials& credentials,
                                                 Reference reference) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin parent, state.PinDirectory(directory));
  Change change(state);
  const InodeNumber number = change.AllocateInode(change.EditQuietly(*parent));
  const NewInode node{S_IFREG | (mode & 07777), 0, ""};
  ASSIGN_OR_RETURN(InodeRow row, MakeRow(state, change.mutation(), *parent, number, node, credentials));
  row.link_count = 0;
  change.SetOrphan(number);
  const InodePin child = change.Create(number, std::move(row));
  child->set_home(Home{});
  const absl::Status applied = change.Apply();
  if (!applied.ok()) {
    child->removed = true;
    return applied;
  }
  child->linkable = true;
  state.table.SetOrphan(*child, true);
  if (reference == Reference::kTake) state.table.TakeReference(*child);
  return state.AttributesOf(*child);
}

absl::StatusOr<Attributes> Volume::Link(InodeNumber inode, InodeNumber directory, absl::string_view name,
                                        Reference reference) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(CheckEntryName(name));
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  ASSIGN_OR_RETURN(const InodePin parent, state.PinDirectory(directory));
  ASSIGN_OR_RETURN(const VolumeState::FoundName slot, state.FindLiveName(*parent, name));
  if (slot.found()) return InodeError(EEXIST, "name is taken", directory);
  ASSIGN_OR_RETURN(const InodePin child, state.table.Pin(inode));
  const InodeLocks locks(*child);
  if (child->removed) return InodeError(ESTALE, "inode is gone", inode);
  if (S_ISDIR(child->mode())) return InodeError(EPERM, "a directory has one name only", inode);
  Change change(state);
  InodeRow& row = change.Edit(*child);
  const bool was_orphan = row.link_count == 0;
  if (was_orphan && !child->linkable) return absl::NotFoundError("");
  if (was_orphan) change.MovePolicy(inode, row, parent->row().policy);
  if (row.policy != parent->row().policy) return InodeError(EXDEV, "a link may not leave its policy's tree", inode);
  if (row.link_count >= kLinkCountMax) return InodeError(EMLINK, "too many links", inode);
  ++row.link_count;
  if (was_orphan) change.mutation().Delete(OrphanKey(inode));
  InodeRow& parent_row = change.EditContent(*parent);
  const uint64_t index = parent_row.next_index++;
  ++parent_row.entry_count;
  change.AddName(*parent, slot.key, name, inode, row, index);
  RETURN_IF_ERROR(change.MarkUp(*parent));
  RETURN_IF_ERROR(change.Apply());
  if (was_orphan) {
    child->linkable = false;
    child->set_home(Home{directory, index});
    state.table.SetOrphan(*child, false);
  }
  if (reference == Reference::kTake) state.table.TakeReference(*child);
  return state.AttributesOf(*child);
}

}  // namespace fs
