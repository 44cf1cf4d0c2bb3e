// Volume: extended attributes.
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/acl.h"
#include "fs/volume/policy.h"
#include "fs/volume/virtual_xattrs.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"
#include "fs/volume/xattr_store.h"

namespace fs {
namespace {

bool IsAclName(absl::string_view name) { return name == Acl::kAccessName || name == Acl::kDefaultName; }

bool IsListed(absl::string_view name, bool privileged) {
  if (absl::StartsWith(name, "trusted.")) return privileged;
  return absl::StartsWith(name, "user.") || absl::StartsWith(name, "security.") || IsAclName(name);
}

// Whether inodes of this mode can have an xattr of this name.
absl::Status CheckName(InodeNumber inode, uint32_t mode, absl::string_view name) {
  if (name.empty() || name.size() > kXattrNameBytesMax) return InodeError(ERANGE, "bad size of an xattr's name", inode);
  if (name.find('\0') != absl::string_view::npos) return InodeError(EINVAL, "NUL in an xattr's name", inode);
  if (IsAclName(name)) {
    if (S_ISLNK(mode)) return InodeError(EOPNOTSUPP, "symbolic links have no ACL", inode);
    return absl::OkStatus();
  }
  const bool is_known =
      absl::StartsWith(name, "user.") || absl::StartsWith(name, "trusted.") || absl::StartsWith(name, "security.");
  if (!is_known || name.back() == '.') return InodeError(EOPNOTSUPP, "no such class of xattrs", inode);
  return absl::OkStatus();
}

absl::Status CheckWritableName(InodeNumber inode, uint32_t mode, absl::string_view name) {
  RETURN_IF_ERROR(CheckName(inode, mode, name));
  if (absl::StartsWith(name, "user.") && !S_ISREG(mode) && !S_ISDIR(mode)) {
    return InodeError(EPERM, "only files and directories have user xattrs", inode);
  }
  if (absl::StartsWith(name, kVirtualPrefix) && !IsPolicyXattr(name)) {
    return InodeError(EPERM, "this xattr cannot be set", inode);
  }
  return absl::OkStatus();
}

// Sets an ACL, and the mode bits that mirror an access ACL.
absl::Status SetAcl(VolumeState& state, const Inode& inode, Change& change, InodeRow& row, absl::string_view name,
                    absl::string_view value, bool clear_sgid) {
  ASSIGN_OR_RETURN(const Acl acl, Acl::Parse(value));
  bool is_stored = !acl.empty();
  if (name == Acl::kDefaultName) {
    if (is_stored && !S_ISDIR(row.mode))
      return InodeError(EACCES, "only directories have a default ACL", inode.number());
  } else if (is_stored) {
    row.mode = (row.mode & ~0777u) | acl.ModeBits();
    if (clear_sgid) row.mode &= ~uint32_t{S_ISGID};
    is_stored = !acl.IsEquivalentToMode();
  }
  if (is_stored) return StoreXattr(state, change.mutation(), inode.number(), row, name, acl.Encode());
  return EraseXattr(state, change.mutation(), inode.number(), row, name).status();
}

// The name of an xattr that is kept in rows, at its first row; else empty.
absl::string_view FirstPartName(absl::string_view key) {
  absl::string_view name;
  uint16_t part = 0;
  return ParseXattrSuffix(KeySuffix(key), &name, &part) && part == 0 ? name : "";
}

absl::StatusOr<size_t> ListBytes(VolumeState& state, const Inode& inode) {
  size_t total = 0;
  bool has_rows = false;
  inode.WithRow([&](const InodeRow& row) {
    for (const InlineXattr& xattr : row.xattrs) total += xattr.name.size() + 1;
    has_rows = row.xattr_row_count > 0;
  });
  if (!has_rows) return total;
  RETURN_IF_ERROR(state.engine.Scan(RowKey(inode.number(), RowType::kXattr), RowEnd(inode.number(), RowType::kXattr),
                                    [&](absl::string_view key, absl::string_view) {
                                      total += FirstPartName(key).empty() ? 0 : FirstPartName(key).size() + 1;
                                      return true;
                                    }));
  return total;
}

absl::Status SetLocked(VolumeState& state, Inode& inode, Change& change, absl::string_view name,
                       absl::string_view value, const XattrOptions& options) {
  ASSIGN_OR_RETURN(const absl::optional<std::string> old, state.FindXattr(inode, name));
  if (options.flag == XattrFlag::kCreate && old.has_value()) return InodeError(EEXIST, "xattr exists", inode.number());
  if (options.flag == XattrFlag::kReplace && !old.has_value())
    return InodeError(ENODATA, "no such xattr", inode.number());
  if (!old.has_value()) {
    ASSIGN_OR_RETURN(const size_t listed, ListBytes(state, inode));
    if (listed + name.size() + 1 > kXattrListBytesMax) return InodeError(ENOSPC, "too many xattrs", inode.number());
  }
  InodeRow& row = change.Edit(inode);
  if (IsAclName(name)) {
    RETURN_IF_ERROR(SetAcl(state, inode, change, row, name, value, options.clear_sgid));
  } else {
    RETURN_IF_ERROR(StoreXattr(state, change.mutation(), inode.number(), row, name, value));
  }
  return change.Apply();
}

}  // namespace

absl::StatusOr<std::string> Volume::GetXattr(InodeNumber inode, absl::string_view name) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  RETURN_IF_ERROR(CheckName(inode, pin->mode(), name));
  if (absl::StartsWith(name, kVirtualPrefix)) return GetVirtualXattr(*this, state_->AttributesOf(*pin), name);
  ASSIGN_OR_RETURN(absl::optional<std::string> value, state_->FindXattr(*pin, name));
  if (!value.has_value()) return InodeError(ENODATA, "no such xattr", inode);
  return *std::move(value);
}

absl::Status Volume::SetXattr(InodeNumber inode, absl::string_view name, absl::string_view value,
                              const XattrOptions& options) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(inode));
  RETURN_IF_ERROR(CheckWritableName(inode, pin->mode(), name));
  if (IsPolicyXattr(name)) return SetPolicy(inode, name.substr(absl::string_view(kVirtualPrefix).size()), value);
  if (value.size() > kXattrValueBytesMax) return InodeError(E2BIG, "xattr is larger than 64 KiB", inode);
  return ChangeInode(state, *pin, [&](Change& change) { return SetLocked(state, *pin, change, name, value, options); });
}

absl::Status Volume::RemoveXattr(InodeNumber inode, absl::string_view name) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  RETURN_IF_ERROR(state.WaitForRoom());
  ASSIGN_OR_RETURN(const InodePin pin, state.table.Pin(inode));
  RETURN_IF_ERROR(CheckWritableName(inode, pin->mode(), name));
  if (IsPolicyXattr(name))
    return SetPolicy(inode, name.substr(absl::string_view(kVirtualPrefix).size()), absl::nullopt);
  return ChangeInode(state, *pin, [&](Change& change) -> absl::Status {
    InodeRow& row = change.Edit(*pin);
    ASSIGN_OR_RETURN(const bool existed, EraseXattr(state, change.mutation(), inode, row, name));
    if (!existed) return InodeError(ENODATA, "no such xattr", inode);
    return change.Apply();
  });
}

absl::StatusOr<std::string> Volume::ListXattrs(InodeNumber inode, bool privileged) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->table.Pin(inode));
  std::string names;
  const auto add = [&](absl::string_view name) {
    if (IsListed(name, privileged)) absl::StrAppend(&names, name, absl::string_view("\0", 1));
  };
  bool has_rows = false;
  uint32_t policy = kNoPolicy;
  pin->WithRow([&](const InodeRow& row) {
    for (const InlineXattr& xattr : row.xattrs) add(xattr.name);
    has_rows = row.xattr_row_count > 0;
    policy = row.policy;
  });
  // A policy is listed where it was set, so that a copy of the tree carries it.
  const absl::optional<PolicyRow> policy_row = state_->PolicyOf(policy);
  if (policy_row.has_value() && policy_row->root == inode) {
    for (const absl::string_view field : SetPolicyFields(*policy_row)) add(absl::StrCat(kVirtualPrefix, field));
  }
  if (!has_rows) return names;
  RETURN_IF_ERROR(state_->engine.Scan(RowKey(inode, RowType::kXattr), RowEnd(inode, RowType::kXattr),
                                      [&](absl::string_view key, absl::string_view) {
                                        add(FirstPartName(key));
                                        return true;
                                      }));
  return names;
}

}  // namespace fs
