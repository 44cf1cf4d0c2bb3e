#include "fs/disk/file_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/os/file.h"
#include "base/status.h"

namespace fs {

pid_t LockHolder(absl::string_view locks, dev_t device, ino_t inode) {
  // "1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF"; a waiter has "->" after the number.
  const std::string file = absl::StrFormat("%02x:%02x:%d", major(device), minor(device), inode);
  for (const absl::string_view line : absl::StrSplit(locks, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int32_t pid = 0;
    if (words.size() >= 6 && words[1] == "FLOCK" && words[5] == file && absl::SimpleAtoi(words[4], &pid)) return pid;
  }
  return 0;
}

absl::Status LockFile(int fd, bool exclusive, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (::flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return base::ErrnoStatus(errno, "locking the store");
    if (absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
      continue;
    }
    struct stat info = {};
    const absl::StatusOr<std::string> locks = base::ReadFile("/proc/locks", 16 << 20);
    const pid_t holder = locks.ok() && ::fstat(fd, &info) == 0 ? LockHolder(*locks, info.st_dev, info.st_ino) : 0;
    return absl::UnavailableError(absl::StrCat("the store is in use by another process",
                                               holder > 0 ? absl::StrCat(" (pid ", holder, ")") : "",
                                               "; is it mounted already?"));
  }
  return absl::OkStatus();
}

void UnlockFile(int fd) {
  while (::flock(fd, LOCK_UN) != 0 && errno == EINTR) {
  }
}

}  // namespace fs
