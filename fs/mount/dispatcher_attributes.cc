// The Dispatcher's handlers for attributes, extended attributes and the whole.
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "fs/mount/attributes.h"
#include "fs/mount/dispatcher.h"
#include "fs/mount/groups.h"
#include "fs/mount/opcodes.h"
#include "fs/mount/request_meter.h"
#include "fs/mount/statistics.h"

namespace fs {
namespace {

// Shrinking a file by more than this is handed to a worker.
constexpr uint64_t kInlineTruncateBytesMax = 1 << 20;
constexpr uint64_t kDataUnitBytes = 4096;
constexpr char kVirtualXattrPrefix[] = "user.cachefs.";

}  // namespace

void Dispatcher::GetAttributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  ReplyAttributes(request, volume_.GetAttributes(inode));
}

void Dispatcher::SetAttributes(fuse_req_t request, fuse_ino_t inode, struct stat* values, int to_set, fuse_file_info*) {
  const AttributeChange change = ChangeOf(*values, to_set, transport_->raw_flags().kill_suid_sgid);
  bool defer = volume_.ChangeWouldWait(inode);
  if (!defer && (change.fields & AttributeChange::kSize)) {
    const absl::StatusOr<Attributes> before = volume_.GetAttributes(inode);
    // Cutting a unit means reading what is left of it; a large cut frees a lot.
    defer =
        before.ok() && change.size_bytes < before->size_bytes &&
        (change.size_bytes % kDataUnitBytes != 0 || before->size_bytes - change.size_bytes > kInlineTruncateBytesMax);
  }
  Run(defer, [this, request, inode, change] { ReplyAttributes(request, volume_.SetAttributes(inode, change)); });
}

void Dispatcher::Access(fuse_req_t request, fuse_ino_t inode, int mask) {
  // Comes only without default_permissions. The groups are in /proc, whose reading may wait.
  Credentials credentials = CredentialsOf(request);
  const pid_t pid = fuse_req_ctx(request)->pid;
  Run(credentials.uid != 0, [this, request, inode, mask, pid, credentials = std::move(credentials)]() mutable {
    if (credentials.uid != 0) credentials.groups = SupplementaryGroups(pid);
    ReplyStatus(request, volume_.CheckAccess(credentials, inode, mask));
  });
}

void Dispatcher::SetXattr(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value, size_t size,
                          int flags) {
  if (absl::string_view(name) == kRequestsXattr) {
    fuse_reply_err(request, EPERM);
    return;
  }
  XattrOptions options;
  if (flags & XATTR_CREATE) options.flag = XattrFlag::kCreate;
  if (flags & XATTR_REPLACE) options.flag = XattrFlag::kReplace;
  options.clear_sgid = transport_->raw_flags().acl_kill_sgid;
  RunChange(inode, [this, request, inode, name = std::string(name), value = std::string(value, size), options] {
    ReplyStatus(request, volume_.SetXattr(inode, name, value, options));
  });
}

void Dispatcher::ReplyXattr(fuse_req_t request, const absl::StatusOr<std::string>& value, size_t size) {
  if (!value.ok()) {
    ReplyStatus(request, value.status());
  } else if (size == 0) {
    fuse_reply_xattr(request, value->size());
  } else if (value->size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value->data(), value->size());
  }
}

void Dispatcher::GetXattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t size) {
  if (inode == kRootInode && absl::string_view(name) == kRequestsXattr) {
    Statistics counts;
    for (uint32_t opcode = 0; opcode < RequestMeter::kOpcodesMax; ++opcode) {
      const uint64_t count = options_.monitor->requests.count(opcode);
      if (count > 0) (*counts.mutable_requests())[OpcodeName(opcode)] = count;
    }
    ReplyXattr(request, StatisticsJson(counts), size);
    return;
  }
  // A digest may have to read the whole file.
  const bool defer = absl::StartsWith(name, kVirtualXattrPrefix);
  Run(defer, [this, request, inode, name = std::string(name), size] {
    ReplyXattr(request, volume_.GetXattr(inode, name), size);
  });
}

void Dispatcher::ListXattrs(fuse_req_t request, fuse_ino_t inode, size_t size) {
  ReplyXattr(request, volume_.ListXattrs(inode, fuse_req_ctx(request)->uid == 0), size);
}

void Dispatcher::RemoveXattr(fuse_req_t request, fuse_ino_t inode, const char* name) {
  RunChange(inode, [this, request, inode, name = std::string(name)] {
    ReplyStatus(request, volume_.RemoveXattr(inode, name));
  });
}

void Dispatcher::StatFs(fuse_req_t request, fuse_ino_t) {
  const absl::StatusOr<VolumeStat> stat = volume_.Stat();
  if (!stat.ok()) {
    ReplyStatus(request, stat.status());
    return;
  }
  struct statvfs result {};
  result.f_bsize = stat->block_bytes;
  result.f_frsize = stat->block_bytes;
  result.f_blocks = stat->total_bytes / stat->block_bytes;
  result.f_bfree = stat->free_bytes / stat->block_bytes;
  result.f_bavail = stat->available_bytes / stat->block_bytes;
  result.f_files = stat->files + stat->files_free;
  result.f_ffree = stat->files_free;
  result.f_favail = stat->files_free;
  result.f_namemax = kNameBytesMax;
  fuse_reply_statfs(request, &result);
}

}  // namespace fs
