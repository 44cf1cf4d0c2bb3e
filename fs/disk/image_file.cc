#include "fs/disk/image_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_device.h"

namespace fs {
namespace {

constexpr size_t kWriteBytes = 1 << 20;
constexpr size_t kWritesAtOnce = 16;

std::string DescriptorPath(int fd) { return absl::StrCat("/proc/self/fd/", fd); }

// On a copy-on-write host every overwrite would move; what cannot be had is not missed.
void AskForOverwriteInPlace(int fd) {
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NOCOW_FL) == 0) {
    flags |= FS_NOCOW_FL;
    static_cast<void>(::ioctl(fd, FS_IOC_SETFLAGS, &flags));
  }
}

absl::Status NoRoom(int fd, uint64_t size_bytes) {
  struct statvfs host = {};
  const uint64_t available_bytes =
      ::fstatvfs(fd, &host) == 0 ? static_cast<uint64_t>(host.f_bavail) * host.f_frsize : 0;
  return absl::ResourceExhaustedError(
      absl::StrCat("the filesystem has no room for an image of ", size_bytes, " bytes; available ", available_bytes));
}

absl::Status Allocate(int fd, uint64_t size_bytes) {
  // Trying would fill the filesystem to the brim, and harm others, before it failed.
  struct statvfs host = {};
  if (::fstatvfs(fd, &host) == 0 && size_bytes / host.f_frsize > host.f_bavail) return NoRoom(fd, size_bytes);
  while (::fallocate(fd, 0, 0, static_cast<off_t>(size_bytes)) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return NoRoom(fd, size_bytes);
    if (errno != EOPNOTSUPP) return base::ErrnoStatus(errno, "allocating the image");
    // The filesystem cannot tell early; writing will.
    if (::ftruncate(fd, static_cast<off_t>(size_bytes)) == 0) return absl::OkStatus();
    return base::ErrnoStatus(errno, "extending the image");
  }
  return absl::OkStatus();
}

absl::Status WriteZeros(Device& device, uint64_t total_bytes, const ImageOptions& options) {
  const AlignedBuffer zeros(kWriteBytes);
  for (uint64_t done = 0; done < total_bytes;) {
    std::vector<IoRequest> writes;
    while (writes.size() < kWritesAtOnce && done < total_bytes) {
      const uint64_t length = std::min<uint64_t>(kWriteBytes, total_bytes - done);
      writes.push_back(IoRequest::Write(done, zeros.span().first(length)));
      done += length;
    }
    RETURN_IF_ERROR(device.SubmitAndWait(absl::MakeSpan(writes)));
    if (options.progress && !options.progress(done, total_bytes)) {
      return absl::CancelledError("creating the image was stopped");
    }
  }
  return device.Flush();
}

absl::Status Fill(int fd, const ImageOptions& options) {
  AskForOverwriteInPlace(fd);
  RETURN_IF_ERROR(Allocate(fd, options.size_bytes));
  ASSIGN_OR_RETURN(const std::unique_ptr<FileDevice> device, FileDevice::Open(DescriptorPath(fd), {}));
  const uint64_t written_bytes = std::min(options.written_bytes, options.size_bytes) / 4096 * 4096;
  RETURN_IF_ERROR(WriteZeros(*device, written_bytes, options));
  if (::fsync(fd) != 0) return base::ErrnoStatus(errno, "flushing the image");
  return absl::OkStatus();
}

// Where there are no unnamed files: the name is there from the start, and goes on failure.
absl::Status CreateNamed(const std::string& path, const ImageOptions& options) {
  ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  auto remove = absl::MakeCleanup([&path] { ::unlink(path.c_str()); });
  RETURN_IF_ERROR(Fill(fd.get(), options));
  std::move(remove).Cancel();
  return absl::OkStatus();
}

absl::Status Create(const std::string& path, const ImageOptions& options) {
  if (options.size_bytes == 0 || options.size_bytes % AlignedBuffer::kAlignment != 0 ||
      options.size_bytes > static_cast<uint64_t>(INT64_MAX)) {
    return absl::InvalidArgumentError(absl::StrCat("an image's size is a multiple of ", AlignedBuffer::kAlignment,
                                                   " bytes, not ", options.size_bytes));
  }
  struct stat info;
  if (::lstat(path.c_str(), &info) == 0) return absl::AlreadyExistsError("there is something already");
  const std::string directory(base::DirectoryName(path));
  absl::StatusOr<base::Fd> fd = base::OpenFile(directory, O_TMPFILE | O_RDWR, 0600);
  if (fd.ok()) {
    RETURN_IF_ERROR(Fill(fd->get(), options));
    if (::linkat(AT_FDCWD, DescriptorPath(fd->get()).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return base::ErrnoStatus(errno, "naming the image");
    }
  } else if (base::ErrnoOf(fd.status()) == EOPNOTSUPP || base::ErrnoOf(fd.status()) == EISDIR) {
    RETURN_IF_ERROR(CreateNamed(path, options));
  } else {
    return fd.status();
  }
  return base::SyncDirectory(directory);
}

}  // namespace

absl::Status CreateImageFile(const std::string& path, const ImageOptions& options) {
  return base::Annotate(Create(path, options), path);
}

}  // namespace fs
