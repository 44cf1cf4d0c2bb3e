// The Dispatcher's handlers for the data of files.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "fs/mount/dispatcher.h"
#include "fs/mount/errno.h"

namespace fs {
namespace {

// One COPY_FILE_RANGE is answered after so much; the caller asks for the rest. So neither a signal
// nor other work waits for a copy of gigabytes.
constexpr uint64_t kCopyBytesMax = 64 << 20;

}  // namespace

void Dispatcher::Create(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, fuse_file_info* file) {
  if (zero_message_open_) {
    fuse_reply_err(request, ENOSYS);  // the kernel goes on with MKNOD, for good
    return;
  }
  RunChange(0, [this, request, directory, name = std::string(name), node = NewNode{.mode = mode, .device = 0},
                credentials = CredentialsOf(request), file = *file]() mutable {
    absl::StatusOr<Attributes> made = volume_.MakeNode(directory, name, node, credentials);
    if (ErrnoForStatus(made.status()) == EEXIST && !(file.flags & O_EXCL)) made = volume_.Lookup(directory, name);
    if (!made.ok()) {
      ReplyStatus(request, made.status());
      return;
    }
    file.keep_cache = 1;
    const fuse_entry_param entry = EntryOf(*made);
    if (fuse_reply_create(request, &entry, &file) == -ENOENT) GiveBack(made->inode, 1);
  });
}

void Dispatcher::Open(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  if (zero_message_open_) {
    fuse_reply_err(request, ENOSYS);  // the kernel opens by itself, for good
    return;
  }
  file->keep_cache = 1;
  fuse_reply_open(request, file);
}

void Dispatcher::Release(fuse_req_t request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, 0); }

void Dispatcher::Read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info*) {
  const auto from = static_cast<uint64_t>(offset);
  if (read_buffer_.size() < size) read_buffer_.resize(size);
  size_t got = 0;
  const absl::StatusOr<bool> cached = volume_.TryRead(inode, from, absl::MakeSpan(read_buffer_.data(), size), &got);
  if (!cached.ok()) {
    ReplyStatus(request, cached.status());
    return;
  }
  if (*cached) {
    fuse_reply_buf(request, reinterpret_cast<const char*>(read_buffer_.data()), got);
    return;
  }
  workers_.Add([this, request, inode, from, size] {
    static thread_local std::vector<uint8_t> buffer;
    if (buffer.size() < size) buffer.resize(size);
    const absl::StatusOr<size_t> read = volume_.Read(inode, from, absl::MakeSpan(buffer.data(), size));
    if (read.ok()) {
      fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), *read);
    } else {
      ReplyStatus(request, read.status());
    }
  });
}

void Dispatcher::Write(fuse_req_t request, fuse_ino_t inode, const char* bytes, size_t size, off_t offset,
                       fuse_file_info*) {
  const auto to = static_cast<uint64_t>(offset);
  const VolumeWriteOptions options = {.kill_privileges = transport_->raw_flags().kill_suid_sgid};
  const auto write = [this, request, inode, to, options](absl::string_view data) {
    const absl::Status status = volume_.Write(inode, to, data, options);
    if (status.ok()) {
      fuse_reply_write(request, data.size());
    } else {
      ReplyStatus(request, status);
    }
  };
  if (volume_.WriteWouldWait(inode, to, size)) {
    workers_.Add([write, copy = std::string(bytes, size)] { write(copy); });
  } else {
    write(absl::string_view(bytes, size));
  }
}

void Dispatcher::Fsync(fuse_req_t request, fuse_ino_t inode, int, fuse_file_info*) {
  volume_.FsyncAsync(inode, Priority::kSync,
                     Tracked([this, request](const absl::Status& status) { ReplyStatus(request, status); }));
}

void Dispatcher::FsyncDirectory(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* file) {
  if (inode != kRootInode) {
    Fsync(request, inode, data_only, file);
    return;
  }
  // The root's is the full barrier, as SYNCFS reaches only block device mounts.
  volume_.SyncAsync(Priority::kSync, Tracked([this, request](const absl::Status& status) { ReplyStatus(request, status); }));
}

void Dispatcher::Fallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                           fuse_file_info*) {
  FallocateMode how;
  switch (mode) {
    case 0:
      how = FallocateMode::kExtend;
      break;
    case FALLOC_FL_KEEP_SIZE:
      how = FallocateMode::kKeepSize;
      break;
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      how = FallocateMode::kPunchHole;
      break;
    case FALLOC_FL_ZERO_RANGE:
      how = FallocateMode::kZeroRange;
      break;
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
      how = FallocateMode::kZeroRangeKeepSize;
      break;
    default:
      fuse_reply_err(request, EOPNOTSUPP);
      return;
  }
  // The kernel does not say whether the caller may keep suid bits: they go, unless it is root.
  const VolumeWriteOptions options = {.kill_privileges = fuse_req_ctx(request)->uid != 0};
  workers_.Add([this, request, inode, how, offset, length, options] {
    ReplyStatus(request,
                volume_.Fallocate(inode, how, static_cast<uint64_t>(offset), static_cast<uint64_t>(length), options));
  });
}

void Dispatcher::CopyFileRange(fuse_req_t request, fuse_ino_t from, off_t from_offset, fuse_file_info*, fuse_ino_t to,
                               off_t to_offset, fuse_file_info*, size_t length, int flags) {
  if (flags != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const uint64_t bytes = std::min<uint64_t>(length, kCopyBytesMax);
  const VolumeWriteOptions options = {.kill_privileges = fuse_req_ctx(request)->uid != 0};
  workers_.Add([this, request, from, from_offset, to, to_offset, bytes, options] {
    const absl::StatusOr<uint64_t> copied = volume_.CopyRange(from, static_cast<uint64_t>(from_offset), to,
                                                              static_cast<uint64_t>(to_offset), bytes, options);
    if (copied.ok()) {
      fuse_reply_write(request, *copied);
    } else {
      ReplyStatus(request, copied.status());
    }
  });
}

void Dispatcher::Seek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence, fuse_file_info*) {
  const absl::StatusOr<uint64_t> found = volume_.Seek(inode, static_cast<uint64_t>(offset), whence == SEEK_HOLE);
  if (found.ok()) {
    fuse_reply_lseek(request, static_cast<off_t>(*found));
  } else {
    ReplyStatus(request, found.status());
  }
}

}  // namespace fs
