#include "fs/mount/attributes.h"

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 314
#endif
#include <fuse_lowlevel.h>

namespace fs {
namespace {

// What st_blksize suggests to programs that copy: a multiple of the data unit.
constexpr blksize_t kPreferredIoBytes = 4096;
constexpr uint64_t kStatBlockBytes = 512;

timespec TimespecOf(const Timestamp& time) {
  timespec result{};
  result.tv_sec = time.seconds;
  result.tv_nsec = time.nanoseconds;
  return result;
}

Timestamp TimestampOf(const timespec& time) {
  return {.seconds = time.tv_sec, .nanoseconds = static_cast<uint32_t>(time.tv_nsec)};
}

}  // namespace

struct stat StatOf(const Attributes& attributes) {
  struct stat st {};
  st.st_ino = attributes.inode;
  st.st_mode = attributes.mode;
  st.st_nlink = attributes.link_count;
  st.st_uid = attributes.uid;
  st.st_gid = attributes.gid;
  st.st_rdev = attributes.device;
  st.st_size = static_cast<off_t>(attributes.size_bytes);
  st.st_blksize = kPreferredIoBytes;
  st.st_blocks = static_cast<blkcnt_t>((attributes.allocated_bytes + kStatBlockBytes - 1) / kStatBlockBytes);
  st.st_atim = TimespecOf(attributes.access_time);
  st.st_mtim = TimespecOf(attributes.modify_time);
  st.st_ctim = TimespecOf(attributes.change_time);
  return st;
}

AttributeChange ChangeOf(const struct stat& values, int to_set, bool kill_privileges) {
  struct {
    int bit;
    AttributeChange::Field field;
  } constexpr kFields[] = {
      {FUSE_SET_ATTR_MODE, AttributeChange::kMode},
      {FUSE_SET_ATTR_UID, AttributeChange::kUid},
      {FUSE_SET_ATTR_GID, AttributeChange::kGid},
      {FUSE_SET_ATTR_SIZE, AttributeChange::kSize},
      {FUSE_SET_ATTR_ATIME, AttributeChange::kAccessTime},
      {FUSE_SET_ATTR_MTIME, AttributeChange::kModifyTime},
      {FUSE_SET_ATTR_ATIME_NOW, AttributeChange::kAccessTimeNow},
      {FUSE_SET_ATTR_MTIME_NOW, AttributeChange::kModifyTimeNow},
  };
  AttributeChange change;
  for (const auto& row : kFields) {
    if (to_set & row.bit) change.fields |= row.field;
  }
  // The kernel sends both bits of a time that is to be now.
  if (change.fields & AttributeChange::kAccessTimeNow) change.fields &= ~AttributeChange::kAccessTime;
  if (change.fields & AttributeChange::kModifyTimeNow) change.fields &= ~AttributeChange::kModifyTime;
  if (kill_privileges) change.fields |= AttributeChange::kKillPrivileges;
  change.mode = values.st_mode & 07777;
  change.uid = values.st_uid;
  change.gid = values.st_gid;
  change.size_bytes = static_cast<uint64_t>(values.st_size);
  change.access_time = TimestampOf(values.st_atim);
  change.modify_time = TimestampOf(values.st_mtim);
  return change;
}

}  // namespace fs
