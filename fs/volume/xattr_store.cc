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
  bool found = false;
  RETURN_IF_ERROR(state.engine.Scan(XattrKey(number, name, 0), XattrEnd(number, name),
                                    [&](absl::string_view key, absl::string_view) {
                                      mutation.Delete(std::string(key));
                                      found = true;
                                      return true;
                                    }));
  if (found) --row.xattr_row_count;
  return found;
}

absl::Status StoreXattr(VolumeState& state, Mutation& mutation, InodeNumber number, InodeRow& row,
                        absl::string_view name, absl::string_view value) {
  RETURN_IF_ERROR(EraseXattr(state, mutation, number, row, name).status());
  const size_t bytes = name.size() + value.size();
  if (value.size() <= kInlineValueBytesMax && InlineBytes(row) + bytes <= InodeRow::kInlineXattrBytesMax) {
    row.xattrs.insert(LowerBound(row, name), {std::string(name), std::string(value)});
    return absl::OkStatus();
  }
  uint16_t part = 0;
  do {
    mutation.Put(XattrKey(number, name, part++), std::string(value.substr(0, kXattrPartBytes)));
    value.remove_prefix(std::min(value.size(), kXattrPartBytes));
  } while (!value.empty());
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
