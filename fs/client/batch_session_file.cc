#include "fs/client/batch_session_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {
namespace {

constexpr long kFuseMagic = 0x65735546;

absl::Status Lost(int error_number, absl::string_view what) {
  if (error_number == ENOTCONN || error_number == ECONNABORTED || error_number == ENODEV) {
    return absl::UnavailableError(absl::StrCat("the cachefs daemon is gone (", what, ")"));
  }
  return base::ErrnoStatus(error_number, absl::StrCat(what, " of the batch session"));
}

}  // namespace

bool HasBatchSessions(int directory) {
  struct statfs filesystem;
  struct stat info;
  return fstatfs(directory, &filesystem) == 0 && filesystem.f_type == kFuseMagic &&
         fstatat(directory, ".cachefs/batch", &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

absl::StatusOr<std::unique_ptr<BatchChannel>> BatchSessionFile::Open(int directory) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    uint64_t random[2];
    if (getentropy(random, sizeof random) != 0) return base::ErrnoStatus(errno, "getentropy");
    const std::string path = absl::StrCat(".cachefs/batch/", absl::Hex(random[0], absl::kZeroPad16),
                                          absl::Hex(random[1], absl::kZeroPad16));
    base::Fd fd(openat(directory, path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600));
    if (fd.valid()) return std::unique_ptr<BatchChannel>(new BatchSessionFile(std::move(fd)));
    if (errno != EEXIST && errno != EINTR) return Lost(errno, "open");
  }
  return absl::UnavailableError("no free name for a batch session");
}

absl::Status BatchSessionFile::Call(const batch::Request& request, absl::string_view payload, batch::Reply* reply,
                                    absl::string_view* payload_out) {
  const std::string frame = EncodeFrame(FrameKind::kRequest, ++sequence_, request, payload);
  ssize_t count;
  do {
    count = pwrite(fd_.get(), frame.data(), frame.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Lost(errno, "write");
  if (static_cast<size_t>(count) != frame.size()) return absl::UnavailableError("the batch session took half a frame");
  do {
    count = pread(fd_.get(), buffer_.data(), buffer_.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return Lost(errno, "read");
  ASSIGN_OR_RETURN(const FrameView answer,
                   DecodeFrame(absl::string_view(buffer_.data(), static_cast<size_t>(count)), FrameKind::kReply));
  if (answer.sequence != sequence_) {
    return absl::InternalError(absl::StrCat("answer ", answer.sequence, " to batch frame ", sequence_));
  }
  RETURN_IF_ERROR(DecodeReply(answer, reply));
  if (reply->code() != 0) {
    return absl::Status(static_cast<absl::StatusCode>(reply->code()), reply->message());
  }
  if (reply->results_size() > request.items_size()) return absl::InternalError("more answers than items");
  *payload_out = answer.payload;
  return absl::OkStatus();
}

}  // namespace fs
