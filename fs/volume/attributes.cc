// Volume: reading and setting attributes.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/acl.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"
#include "fs/volume/xattr_store.h"

namespace fs {
namespace {

constexpr uint32_t kOwner = AttributeChange::kUid | AttributeChange::kGid;

// The mode bits of chmod, and the access ACL that mirrors them.
absl::Status SetMode(VolumeState& state, Change& change, const Inode& inode, InodeRow& row, uint32_t mode) {
  row.mode = (row.mode & S_IFMT) | (mode & 07777);
  ASSIGN_OR_RETURN(const absl::optional<std::string> bytes, state.FindXattr(inode, Acl::kAccessName));
  if (!bytes.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Acl acl, Acl::Parse(*bytes));
  acl.SetModeBits(mode);
  return StoreXattr(state, change.mutation(), inode.number(), row, Acl::kAccessName, acl.Encode());
}

absl::Status SetSize(Change& change, Inode& inode, uint64_t size_bytes) {
  InodeRow& row = change.EditContent(inode);
  if (size_bytes < row.size_bytes) {
    change.mutation().Punch(inode.number(), size_bytes, UINT64_MAX);
    change.mutation().set_frees_space();
  }
  change.AddUsage(row.policy, 0, static_cast<int64_t>(size_bytes) - static_cast<int64_t>(row.size_bytes));
  row.size_bytes = size_bytes;
  return absl::OkStatus();
}

absl::Status CheckChange(const Inode& inode, const AttributeChange& change) {
  if ((change.fields & AttributeChange::kSize) == 0) return absl::OkStatus();
  const uint32_t mode = inode.mode();
  if (S_ISDIR(mode)) return InodeError(EISDIR, "is a directory", inode.number());
  if (!S_ISREG(mode)) return InodeError(EINVAL, "not a regular file", inode.number());
  if (change.size_bytes > kFileBytesMax) return InodeError(EFBIG, "file would be too large", inode.number());
  return absl::OkStatus();
}

// REQUIRES: the locks of `inode` are held.
absl::Status SetLocked(VolumeState& state, Inode& inode, const AttributeChange& wanted, Change& change) {
  if (inode.removed) return InodeError(ESTALE, "inode is gone", inode.number());
  if ((wanted.fields & AttributeChange::kSize) != 0) RETURN_IF_ERROR(SetSize(change, inode, wanted.size_bytes));
  InodeRow& row = change.Edit(inode);
  if ((wanted.fields & (AttributeChange::kSize | kOwner)) != 0) {
    const bool suid = (wanted.fields & (kOwner | AttributeChange::kKillPrivileges)) != 0;
    RETURN_IF_ERROR(DropPrivileges(state, change.mutation(), inode.number(), row, suid));
  }
  if ((wanted.fields & AttributeChange::kUid) != 0) row.uid = wanted.uid;
  if ((wanted.fields & AttributeChange::kGid) != 0) row.gid = wanted.gid;
  if ((wanted.fields & AttributeChange::kMode) != 0) {
    RETURN_IF_ERROR(SetMode(state, change, inode, row, wanted.mode));
  }
  if ((wanted.fields & AttributeChange::kAccessTime) != 0) row.access_time = wanted.access_time;
  if ((wanted.fields & AttributeChange::kModifyTime) != 0) row.modify_time = wanted.modify_time;
  if ((wanted.fields & AttributeChange::kAccessTimeNow) != 0) row.access_time = change.now();
  if ((wanted.fields & AttributeChange::kModifyTimeNow) != 0) row.modify_time = change.now();
  return change.Apply();
}

}  // namespace

absl::StatusOr<Attributes> Volume::GetAttributes(InodeNumber inode) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  return state_->AttributesOf(*pin);
}

absl::StatusOr<Attributes> Volume::SetAttributes(InodeNumber inode, const AttributeChange& change) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(inode));
  RETURN_IF_ERROR(CheckChange(*pin, change));
  if ((change.fields & ~uint32_t{AttributeChange::kKillPrivileges}) == 0) return state.AttributesOf(*pin);
  RETURN_IF_ERROR(ChangeInode(state, *pin, [&](Change& built) { return SetLocked(state, *pin, change, built); }));
  state.NoteUse(*pin);
  return state.AttributesOf(*pin);
}

}  // namespace fs
