#include "fs/volume/xattr_store.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/status_macros.h"

namespace fs {
namespace {

constexpr size_t kInlineValueBytesMax = 512;

std::vector<InlineXattr>::iterator LowerBound(InodeRow& row, absl::string_view name) {
  return std::lower_bound(row.xattrs.begin(), row.xattrs.end(), name,
                          [](const InlineXattr& xattr, absl::string_view wanted) { return xattr.name < wanted; });
}

size_t InlineBytes(const InodeRow& row) {
  size_t total = 0;
  for (const InlineXattr& xattr : row.xattrs) total += xattr.name.size() + xattr.value.size();
  return total;
}

}  // namespace

absl::StatusOr<bool> EraseXattr(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row,
                                absl::string_view name) {
  const auto it = LowerBound(row, name);
  if (it != row.xattrs.end() && it->name == name) {
    row.xattrs.erase(it);
    return true;
  }
  if (row.xattr_row_count == 0) return false;
  std::string key = XattrKey(number, name);
  ASSIGN_OR_RETURN(const bool found, state.engine.Get(key, nullptr));
  if (!found) return false;
  mutation.Delete(std::move(key));
  --row.xattr_row_count;
  return true;
}

absl::Status StoreXattr(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row,
                        absl::string_view name, absl::string_view value) {
  RETURN_IF_ERROR(EraseXattr(state, mutation, number, row, name).status());
  const size_t bytes = name.size() + value.size();
  if (value.size() <= kInlineValueBytesMax && InlineBytes(row) + bytes <= InodeRow::kInlineXattrBytesMax) {
    row.xattrs.insert(LowerBound(row, name), {std::string(name), std::string(value)});
    return absl::OkStatus();
  }
  mutation.Put(XattrKey(number, name), std::string(value));
  ++row.xattr_row_count;
  return absl::OkStatus();
}

absl::Status DropPrivileges(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row, bool suid) {
  if (S_ISDIR(row.mode)) return absl::OkStatus();
  if (suid) {
    row.mode &= ~uint32_t{S_ISUID};
    if ((row.mode & S_IXGRP) != 0) row.mode &= ~uint32_t{S_ISGID};
  }
  if (row.xattrs.empty() && row.xattr_row_count == 0) return absl::OkStatus();
  return EraseXattr(state, mutation, number, row, kCapabilityXattr).status();
}

}  // namespace fs
