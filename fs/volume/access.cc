// Volume: who may do what, as Linux decides it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/acl.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

constexpr uint32_t kPrivilegedUid = 0;

std::vector<uint32_t> Groups(const Credentials& credentials) {
  std::vector<uint32_t> groups = credentials.groups;
  groups.push_back(credentials.gid);
  return groups;
}

bool IsInGroup(const Credentials& credentials, uint32_t gid) {
  return credentials.gid == gid ||
         std::find(credentials.groups.begin(), credentials.groups.end(), gid) != credentials.groups.end();
}

}  // namespace

absl::Status Volume::CheckAccess(const Credentials& credentials, InodeNumber inode, int mask) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  const InodeRow row = pin->row();
  const uint32_t wanted = static_cast<uint32_t>(mask) & (R_OK | W_OK | X_OK);
  if ((wanted & W_OK) != 0 && read_only() && (S_ISREG(row.mode) || S_ISDIR(row.mode) || S_ISLNK(row.mode))) {
    return InodeError(EROFS, "the volume is read-only", inode);
  }
  if (credentials.uid == kPrivilegedUid) {
    // Even the privileged execute only what somebody may execute.
    if ((wanted & X_OK) == 0 || S_ISDIR(row.mode) || (row.mode & 0111) != 0) return absl::OkStatus();
    return InodeError(EACCES, "permission denied", inode);
  }
  const bool is_owner = credentials.uid == row.uid;
  bool granted = false;
  ASSIGN_OR_RETURN(const absl::optional<std::string> bytes, state_->FindXattr(*pin, Acl::kAccessName));
  if (bytes.has_value() && !is_owner) {
    ASSIGN_OR_RETURN(const Acl acl, Acl::Parse(*bytes));
    granted = acl.Grants(wanted, credentials.uid, Groups(credentials), row.uid, row.gid);
  } else {
    const uint32_t shift = is_owner ? 6 : IsInGroup(credentials, row.gid) ? 3 : 0;
    granted = ((row.mode >> shift) & wanted) == wanted;
  }
  return granted ? absl::OkStatus() : InodeError(EACCES, "permission denied", inode);
}

absl::Status Volume::CheckRemove(const Credentials& credentials, InodeNumber directory, InodeNumber child) {
  RETURN_IF_ERROR(CheckAccess(credentials, directory, W_OK | X_OK));
  if (credentials.uid == kPrivilegedUid) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes parent, GetAttributes(directory));
  if ((parent.mode & S_ISVTX) == 0 || parent.uid == credentials.uid) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes attributes, GetAttributes(child));
  if (attributes.uid == credentials.uid) return absl::OkStatus();
  return InodeError(EPERM, "the directory is sticky", child);
}

absl::Status Volume::CheckSetAttributes(const Credentials& credentials, InodeNumber inode,
                                        const AttributeChange& change) {
  using Field = AttributeChange::Field;
  if ((change.fields & Field::kSize) != 0) RETURN_IF_ERROR(CheckAccess(credentials, inode, W_OK));
  if (credentials.uid == kPrivilegedUid) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Attributes attributes, GetAttributes(inode));
  const bool is_owner = attributes.uid == credentials.uid;
  const auto refused = [inode] { return InodeError(EPERM, "only the owner may", inode); };
  if ((change.fields & Field::kUid) != 0 && (!is_owner || change.uid != attributes.uid)) return refused();
  if ((change.fields & Field::kGid) != 0) {
    if (!is_owner || (change.gid != attributes.gid && !IsInGroup(credentials, change.gid))) return refused();
  }
  if ((change.fields & Field::kMode) != 0) {
    if (!is_owner) return refused();
    const uint32_t gid = (change.fields & Field::kGid) != 0 ? change.gid : attributes.gid;
    if ((change.mode & S_ISGID) != 0 && !IsInGroup(credentials, gid) && !attributes.is_directory()) return refused();
  }
  if ((change.fields & (Field::kAccessTime | Field::kModifyTime)) != 0 && !is_owner) return refused();
  if ((change.fields & (Field::kAccessTimeNow | Field::kModifyTimeNow)) != 0 && !is_owner) {
    return CheckAccess(credentials, inode, W_OK);
  }
  return absl::OkStatus();
}

}  // namespace fs
