#include "hashcache/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace hashcache {
namespace {

constexpr int kTries = 400;
constexpr absl::Duration kPause = absl::Milliseconds(5);

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::string& path) {
  ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(path, O_RDWR | O_CREAT, 0600));
  for (int i = 0; i < kTries; ++i) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
    if (errno != EWOULDBLOCK && errno != EINTR) return base::ErrnoStatus(errno, path);
    absl::SleepFor(kPause);
  }
  return absl::UnavailableError(absl::StrCat("another process keeps the cache locked; ", path));
}

}  // namespace hashcache
