#include "fs/disk/transfer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fs {
namespace {

int DiscardRange(int fd, uint64_t offset, uint64_t length) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return -1;
  if (S_ISBLK(info.st_mode)) {
    uint64_t range[2] = {offset, length};
    return ::ioctl(fd, BLKDISCARD, range);
  }
  return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                     static_cast<off_t>(length));
}

}  // namespace

absl::Status IoErrorStatus(int error_number) {
  const absl::Status named = base::ErrnoStatus(error_number, "I/O error");
  if (absl::IsResourceExhausted(named) && (error_number == ENOSPC || error_number == EDQUOT)) return named;
  absl::Status status = absl::UnavailableError(named.message());
  named.ForEachPayload(
      [&status](absl::string_view type, const absl::Cord& payload) { status.SetPayload(type, payload); });
  return status;
}

Transfer::Step Transfer::Finish(absl::Status status) {
  status_ = std::move(status);
  return Step::kDone;
}

Transfer::Step Transfer::Advance(int64_t result) {
  const bool again = result == -EINTR || result == -EAGAIN;
  if (result < 0 && !again) return Finish(IoErrorStatus(static_cast<int>(-result)));
  if (!again) {
    if (request_.kind == IoRequest::Kind::kFlush || request_.kind == IoRequest::Kind::kDiscard) {
      return Finish(absl::OkStatus());
    }
    if (static_cast<uint64_t>(result) >= length()) return Finish(absl::OkStatus());
    if (result == 0 && request_.kind == IoRequest::Kind::kRead) {
      return Finish(absl::UnavailableError(absl::StrCat("short read: the file ends inside the device; at ", offset())));
    }
    // Direct I/O goes on only from a sector's border.
    const uint64_t whole = static_cast<uint64_t>(result) / kSectorBytes * kSectorBytes;
    moved_ += whole;
    if (whole != 0) idle_attempts_ = 0;
  }
  if (++idle_attempts_ > kIdleAttemptsMax) {
    return Finish(absl::UnavailableError(absl::StrCat("no progress in ", kIdleAttemptsMax, " attempts")));
  }
  if (result == -EAGAIN) ::sched_yield();
  return Step::kAgain;
}

int64_t Transfer::Attempt(int fd) const {
  int64_t result = -1;
  errno = EINVAL;
  switch (request_.kind) {
    case IoRequest::Kind::kRead:
      result = ::pread(fd, out(), length(), static_cast<off_t>(offset()));
      break;
    case IoRequest::Kind::kWrite:
      result = ::pwrite(fd, bytes(), length(), static_cast<off_t>(offset()));
      break;
    case IoRequest::Kind::kFlush:
      result = ::fdatasync(fd);
      break;
    case IoRequest::Kind::kDiscard:
      result = DiscardRange(fd, offset(), length());
      break;
  }
  return result < 0 ? -errno : result;
}

absl::Status Transfer::Run(int fd) {
  while (Advance(Attempt(fd)) == Step::kAgain) {
  }
  return status_;
}

}  // namespace fs
