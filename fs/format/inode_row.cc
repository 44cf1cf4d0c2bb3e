#include "fs/format/inode_row.h"

#include <sys/stat.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fs/format/varint.h"

namespace fs {
namespace {

// Presence bits, in the order of the fields on disk. The numbers never change.
enum Present : uint64_t {
  kUid = 1 << 0,
  kGid = 1 << 1,
  kLinkCount = 1 << 2,  // absent = 1
  kDevice = 1 << 3,
  kPolicy = 1 << 4,
  kSize = 1 << 5,
  kAccessTime = 1 << 6,
  kModifyTime = 1 << 7,
  kBirthTime = 1 << 8,
  kExpiryTime = 1 << 9,
  kDataVersion = 1 << 10,  // absent = version
  kSubtreeVersion = 1 << 11,
  kXattrRowCount = 1 << 12,
  kEntryCount = 1 << 13,
  kNextIndex = 1 << 14,
  kRun = 1 << 15,
  kSymlinkTarget = 1 << 16,
  kXattrs = 1 << 17,
  kDigests = 1 << 18,
  kHasExpiring = 1 << 19,  // the bit is the field
  kAllPresent = (1 << 20) - 1,
};

constexpr size_t kXattrCountMax = 256;
constexpr size_t kXattrNameBytesMax = 255;

uint64_t PresentFields(const InodeRow& row) {
  uint64_t present = 0;
  if (row.uid != 0) present |= kUid;
  if (row.gid != 0) present |= kGid;
  if (row.link_count != 1) present |= kLinkCount;
  if (row.device != 0) present |= kDevice;
  if (row.policy != 0) present |= kPolicy;
  if (row.size_bytes != 0) present |= kSize;
  if (row.access_time != row.change_time) present |= kAccessTime;
  if (row.modify_time != row.change_time) present |= kModifyTime;
  if (row.birth_time != row.change_time) present |= kBirthTime;
  if (!row.expiry_time.is_zero()) present |= kExpiryTime;
  if (row.data_version != row.version) present |= kDataVersion;
  if (row.subtree_version != 0) present |= kSubtreeVersion;
  if (row.xattr_row_count != 0) present |= kXattrRowCount;
  if (row.entry_count != 0) present |= kEntryCount;
  if (row.next_index != 0) present |= kNextIndex;
  if (row.run_next != 0 || row.run_end != 0) present |= kRun;
  if (!row.symlink_target.empty()) present |= kSymlinkTarget;
  if (!row.xattrs.empty()) present |= kXattrs;
  if (!row.digests.empty()) present |= kDigests;
  if (row.has_expiring) present |= kHasExpiring;
  return present;
}

void AppendTime(std::string* out, const Timestamp& time) {
  AppendVarint(out, ZigZag(time.seconds));
  AppendVarint(out, time.nanoseconds);
}

bool ConsumeTime(absl::string_view* in, Timestamp* time) {
  uint64_t seconds;
  if (!ConsumeVarint(in, &seconds) || !ConsumeVarint32(in, &time->nanoseconds)) return false;
  time->seconds = UnZigZag(seconds);
  return time->nanoseconds < 1'000'000'000;
}

bool ConsumeXattrs(absl::string_view* in, std::vector<InlineXattr>* xattrs) {
  uint64_t count;
  if (!ConsumeVarint(in, &count) || count == 0 || count > kXattrCountMax) return false;
  size_t total_bytes = 0;
  for (uint64_t i = 0; i < count; ++i) {
    absl::string_view name, value;
    if (!ConsumeSized(in, kXattrNameBytesMax, &name) || name.empty()) return false;
    if (!ConsumeSized(in, InodeRow::kInlineXattrBytesMax, &value)) return false;
    if (!xattrs->empty() && xattrs->back().name >= name) return false;
    total_bytes += name.size() + value.size();
    if (total_bytes > InodeRow::kInlineXattrBytesMax) return false;
    xattrs->push_back({std::string(name), std::string(value)});
  }
  return true;
}

bool ConsumeDigests(absl::string_view* in, std::string* digests) {
  absl::string_view bytes;
  if (!ConsumeSized(in, InodeRow::kDigestBytesMax, &bytes) || bytes.empty()) return false;
  *digests = std::string(bytes);
  while (!bytes.empty()) {
    if (bytes.size() < 2 || bytes.size() < 2u + static_cast<uint8_t>(bytes[1])) return false;
    bytes.remove_prefix(2 + static_cast<uint8_t>(bytes[1]));
  }
  return true;
}

bool ConsumeOwner(absl::string_view* in, uint64_t present, InodeRow* row) {
  if ((present & kUid) && !ConsumeVarint32(in, &row->uid)) return false;
  if ((present & kGid) && !ConsumeVarint32(in, &row->gid)) return false;
  row->link_count = 1;
  if ((present & kLinkCount) && !ConsumeVarint32(in, &row->link_count)) return false;
  if ((present & kDevice) && !ConsumeVarint32(in, &row->device)) return false;
  if ((present & kPolicy) && !ConsumeVarint32(in, &row->policy)) return false;
  if ((present & kSize) && !ConsumeVarint(in, &row->size_bytes)) return false;
  return row->size_bytes <= INT64_MAX;
}

bool ConsumeTimes(absl::string_view* in, uint64_t present, InodeRow* row) {
  if (!ConsumeTime(in, &row->change_time)) return false;
  row->access_time = row->modify_time = row->birth_time = row->change_time;
  if ((present & kAccessTime) && !ConsumeTime(in, &row->access_time)) return false;
  if ((present & kModifyTime) && !ConsumeTime(in, &row->modify_time)) return false;
  if ((present & kBirthTime) && !ConsumeTime(in, &row->birth_time)) return false;
  if ((present & kExpiryTime) && !ConsumeTime(in, &row->expiry_time)) return false;
  return true;
}

bool ConsumeVersions(absl::string_view* in, uint64_t present, InodeRow* row) {
  if (!ConsumeVarint(in, &row->version)) return false;
  row->data_version = row->version;
  if (present & kDataVersion) {
    uint64_t behind;
    if (!ConsumeVarint(in, &behind) || behind > row->version) return false;
    row->data_version = row->version - behind;
  }
  return !(present & kSubtreeVersion) || ConsumeVarint(in, &row->subtree_version);
}

bool ConsumeDirectory(absl::string_view* in, uint64_t present, InodeRow* row) {
  if ((present & kXattrRowCount) && !ConsumeVarint32(in, &row->xattr_row_count)) return false;
  if ((present & kEntryCount) && !ConsumeVarint(in, &row->entry_count)) return false;
  if ((present & kNextIndex) && !ConsumeVarint(in, &row->next_index)) return false;
  if (!(present & kRun)) return true;
  return ConsumeVarint(in, &row->run_next) && ConsumeVarint(in, &row->run_end) && row->run_next <= row->run_end;
}

bool IsKnownType(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return true;
    default:
      return false;
  }
}

std::string TimeText(const Timestamp& time) {
  return absl::StrCat(time.seconds, ".", absl::Dec(time.nanoseconds, absl::kZeroPad9));
}

}  // namespace

std::string InodeRow::Encode() const {
  std::string out;
  out.reserve(64 + symlink_target.size());
  const uint64_t present = PresentFields(*this);
  out.push_back(static_cast<char>(kFormat));
  AppendVarint(&out, mode);
  AppendVarint(&out, present);
  if (present & kUid) AppendVarint(&out, uid);
  if (present & kGid) AppendVarint(&out, gid);
  if (present & kLinkCount) AppendVarint(&out, link_count);
  if (present & kDevice) AppendVarint(&out, device);
  if (present & kPolicy) AppendVarint(&out, policy);
  if (present & kSize) AppendVarint(&out, size_bytes);
  AppendTime(&out, change_time);
  if (present & kAccessTime) AppendTime(&out, access_time);
  if (present & kModifyTime) AppendTime(&out, modify_time);
  if (present & kBirthTime) AppendTime(&out, birth_time);
  if (present & kExpiryTime) AppendTime(&out, expiry_time);
  AppendVarint(&out, version);
  if (present & kDataVersion) AppendVarint(&out, version - data_version);
  if (present & kSubtreeVersion) AppendVarint(&out, subtree_version);
  if (present & kXattrRowCount) AppendVarint(&out, xattr_row_count);
  if (present & kEntryCount) AppendVarint(&out, entry_count);
  if (present & kNextIndex) AppendVarint(&out, next_index);
  if (present & kRun) {
    AppendVarint(&out, run_next);
    AppendVarint(&out, run_end);
  }
  if (present & kSymlinkTarget) AppendSized(&out, symlink_target);
  if (present & kXattrs) {
    AppendVarint(&out, xattrs.size());
    for (const InlineXattr& xattr : xattrs) {
      AppendSized(&out, xattr.name);
      AppendSized(&out, xattr.value);
    }
  }
  if (present & kDigests) AppendSized(&out, digests);
  return out;
}

absl::StatusOr<InodeRow> InodeRow::Decode(absl::string_view bytes) {
  absl::string_view in = bytes;
  if (in.empty()) return absl::DataLossError("inode row is empty");
  if (static_cast<uint8_t>(in[0]) != kFormat) {
    return absl::UnimplementedError(absl::StrCat("inode row of format ", static_cast<uint8_t>(in[0])));
  }
  in.remove_prefix(1);
  InodeRow row;
  uint64_t present;
  if (!ConsumeVarint32(&in, &row.mode) || !ConsumeVarint(&in, &present)) {
    return absl::DataLossError("inode row is cut off");
  }
  if ((present & ~uint64_t{kAllPresent}) != 0) {
    return absl::UnimplementedError(absl::StrCat("inode row has unknown fields; present 0x", absl::Hex(present)));
  }
  if (!IsKnownType(row.mode) || row.mode > 0xffff) {
    return absl::DataLossError(absl::StrCat("inode row has mode 0x", absl::Hex(row.mode)));
  }
  if (!ConsumeOwner(&in, present, &row) || !ConsumeTimes(&in, present, &row) || !ConsumeVersions(&in, present, &row) ||
      !ConsumeDirectory(&in, present, &row)) {
    return absl::DataLossError("inode row is cut off or has a number out of range");
  }
  if (present & kSymlinkTarget) {
    absl::string_view target;
    if (!ConsumeSized(&in, kSymlinkBytesMax, &target) || target.empty()) {
      return absl::DataLossError("inode row has a bad symlink target");
    }
    row.symlink_target = std::string(target);
  }
  if ((present & kXattrs) && !ConsumeXattrs(&in, &row.xattrs)) {
    return absl::DataLossError("inode row has bad xattrs");
  }
  if ((present & kDigests) && !ConsumeDigests(&in, &row.digests)) {
    return absl::DataLossError("inode row has bad digests");
  }
  row.has_expiring = (present & kHasExpiring) != 0;
  if (!in.empty()) return absl::DataLossError(absl::StrCat("inode row has ", in.size(), " bytes too many"));
  // One value, one encoding: else a repaired row would not equal its original.
  if (PresentFields(row) != present) return absl::DataLossError("inode row spells out a default");
  return row;
}

std::string InodeRow::DebugString() const {
  std::string out = absl::StrCat("mode 0", absl::StrFormat("%o", mode), " uid ", uid, " gid ", gid, " links ",
                                 link_count, " size ", size_bytes, " ctime ", TimeText(change_time));
  if (access_time != change_time) absl::StrAppend(&out, " atime ", TimeText(access_time));
  if (modify_time != change_time) absl::StrAppend(&out, " mtime ", TimeText(modify_time));
  if (birth_time != change_time) absl::StrAppend(&out, " btime ", TimeText(birth_time));
  if (!expiry_time.is_zero()) absl::StrAppend(&out, " expires ", TimeText(expiry_time));
  absl::StrAppend(&out, " version 0x", absl::Hex(version));
  if (data_version != version) absl::StrAppend(&out, " data_version 0x", absl::Hex(data_version));
  if (subtree_version != 0) absl::StrAppend(&out, " subtree_version 0x", absl::Hex(subtree_version));
  if (device != 0) absl::StrAppend(&out, " device 0x", absl::Hex(device));
  if (policy != 0) absl::StrAppend(&out, " policy ", policy);
  if (S_ISDIR(mode)) {
    absl::StrAppend(&out, " entries ", entry_count, " next_index ", next_index, " run [", run_next, ", ", run_end, ")");
  }
  if (xattr_row_count != 0) absl::StrAppend(&out, " xattr_rows ", xattr_row_count);
  if (!symlink_target.empty()) absl::StrAppend(&out, " -> \"", absl::CHexEscape(symlink_target), "\"");
  if (!digests.empty()) absl::StrAppend(&out, " digests ", absl::BytesToHexString(digests));
  if (has_expiring) absl::StrAppend(&out, " has_expiring");
  for (const InlineXattr& xattr : xattrs) {
    absl::StrAppend(&out, " ", absl::CHexEscape(xattr.name), "=\"", absl::CHexEscape(xattr.value), "\"");
  }
  return out;
}

std::vector<InodeRow> InodeRow::TestInstances() {
  InodeRow file;
  file.mode = S_IFREG | 0644;
  file.link_count = 1;
  file.change_time = file.modify_time = file.access_time = file.birth_time = {1'700'000'000, 123'456'789};
  file.version = file.data_version = (uint64_t{1} << 44) + 7;
  InodeRow full = file;
  full.mode = S_IFREG | 07777;
  full.uid = 1000;
  full.gid = UINT32_MAX;
  full.link_count = 65000;
  full.policy = 3;
  full.size_bytes = INT64_MAX;
  full.access_time = {-1, 999'999'999};
  full.modify_time = {INT64_MAX, 0};
  full.birth_time = {INT64_MIN, 1};
  full.expiry_time = {1'800'000'000, 0};
  full.data_version = 1;
  full.xattr_row_count = 2;
  full.xattrs = {{"security.capability", std::string("\0\1\2", 3)}, {"user.a", ""}};
  full.digests = std::string(
      "\x01\x04"
      "crc!",
      6);
  InodeRow directory = file;
  directory.has_expiring = true;
  directory.mode = S_IFDIR | 01777;
  directory.link_count = 12;
  directory.entry_count = 1'000'000;
  directory.next_index = 1'000'003;
  directory.run_next = 4096;
  directory.run_end = 5120;
  directory.subtree_version = file.version;
  InodeRow symlink = file;
  symlink.mode = S_IFLNK | 0777;
  symlink.symlink_target = "../target";
  symlink.size_bytes = symlink.symlink_target.size();
  InodeRow device = file;
  device.mode = S_IFCHR | 0600;
  device.device = 0x0103;
  InodeRow orphan = file;
  orphan.link_count = 0;
  return {file, full, directory, symlink, device, orphan};
}

}  // namespace fs
