#include "tools/cachectl_mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/mount/mount_point.h"
#include "tools/mount_paths.h"

namespace tools {
namespace {

constexpr size_t kHoldersShownMax = 5;

int Fail(const absl::Status& status) {
  base::PrintError("cachectl", status.message());
  return 1;
}

// --- sync

int RunSync(const base::Arguments& arguments) {
  if (arguments.positional().empty()) return Fail(absl::InvalidArgumentError("want MOUNT..."));
  for (const std::string& path : arguments.positional()) {
    const absl::StatusOr<fs::MountEntry> mount = MountOf(path);
    if (!mount.ok()) return Fail(mount.status());
    const absl::StatusOr<base::Fd> root = base::OpenFile(mount->mount_point, O_RDONLY | O_DIRECTORY);
    if (!root.ok()) return Fail(root.status());
    // First what the kernel still holds, then what the daemon does.
    if (syncfs(root->get()) != 0 || fsync(root->get()) != 0) {
      return Fail(base::ErrnoStatus(errno, absl::StrCat("making ", mount->mount_point, " durable")));
    }
  }
  return 0;
}

// --- umount

// Whether one of the process's files, or where it is, lies on `device`.
bool Holds(const std::string& process, dev_t device) {
  struct stat st {};
  for (const char* const link : {"/cwd", "/root", "/exe"}) {
    if (stat((process + link).c_str(), &st) == 0 && st.st_dev == device) return true;
  }
  const std::string directory = process + "/fd";
  DIR* const files = opendir(directory.c_str());
  if (files == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(files)) {
    if (entry->d_name[0] == '.') continue;
    if (fstatat(dirfd(files), entry->d_name, &st, 0) == 0 && st.st_dev == device) found = true;
  }
  closedir(files);
  return found;
}

// "bash (1234), vim (1240)": who keeps a mount busy, as far as we may look.
std::string Holders(const fs::MountEntry& mount) {
  const dev_t device = makedev(mount.major, mount.minor);
  std::vector<std::string> holders;
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return "";
  while (const dirent* entry = readdir(processes)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const std::string process = absl::StrCat("/proc/", pid);
    if (!Holds(process, device)) continue;
    const absl::StatusOr<std::string> name = base::ReadFile(process + "/comm", 256);
    holders.push_back(absl::StrCat(name.ok() ? name->substr(0, name->find('\n')) : "?", " (", pid, ")"));
    if (holders.size() == kHoldersShownMax) break;
  }
  closedir(processes);
  return absl::StrJoin(holders, ", ");
}

absl::Status Detach(const fs::MountEntry& mount, bool lazy) {
  if (geteuid() == 0) {
    if (umount2(mount.mount_point.c_str(), lazy ? MNT_DETACH : 0) == 0) return absl::OkStatus();
    if (errno != EBUSY) return base::ErrnoStatus(errno, absl::StrCat("umount ", mount.mount_point));
  } else {
    const pid_t child = fork();
    if (child == 0) {
      execlp("fusermount3", "fusermount3", lazy ? "-uqz" : "-uq", "--", mount.mount_point.c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
      return absl::NotFoundError("fusermount3 is not installed, and only root can do without it");
    }
  }
  const std::string holders = Holders(mount);
  return absl::UnavailableError(absl::StrCat(mount.mount_point, " is busy",
                                             holders.empty() ? "" : absl::StrCat(": used by ", holders),
                                             "; --lazy takes it away now and ends it when they are done"));
}

// Waits until the daemon has let go of its store, by when everything is durable.
absl::Status WaitForStore(const std::string& store, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const absl::StatusOr<base::Fd> file = base::OpenFile(store, O_RDONLY);
  if (!file.ok()) return absl::OkStatus();  // not ours to open: nothing to wait on
  while (flock(file->get(), LOCK_SH | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return base::ErrnoStatus(errno, absl::StrCat("lock of ", store));
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("unmounted, but the daemon still writes to ", store, " after ", base::HumanDuration(timeout)));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  return absl::OkStatus();
}

int RunUmount(const base::Arguments& arguments) {
  if (arguments.positional().empty()) return Fail(absl::InvalidArgumentError("want MOUNT..."));
  const absl::StatusOr<absl::Duration> timeout = base::ParseDuration(arguments.Get("timeout"));
  if (!timeout.ok()) return Fail(timeout.status());
  for (const std::string& path : arguments.positional()) {
    absl::StatusOr<fs::MountEntry> mount = MountOf(path);
    if (!mount.ok() && base::ErrnoOf(mount.status()) == ENOTCONN) mount = fs::FindMount(path);
    if (!mount.ok()) return Fail(mount.status());
    if (!fs::IsCachefsType(mount->type)) return Fail(absl::FailedPreconditionError(path + " is not a cachefs mount"));
    const absl::Status detached = Detach(*mount, arguments.Has("lazy"));
    if (!detached.ok()) return Fail(detached);
    const absl::Status waited = arguments.Has("lazy") ? absl::OkStatus() : WaitForStore(mount->source, *timeout);
    if (!waited.ok()) return Fail(waited);
  }
  return 0;
}

}  // namespace

std::vector<base::Command> MountCommands() {
  return {
      {.name = "sync",
       .summary = "make everything on a mount durable",
       .arguments = "MOUNT...",
       .description = "sync(1) does not reach the daemon of a FUSE mount; this does. Returns when everything written "
                      "before is on the disk.",
       .examples = {{"cachectl sync /mnt", "wait until all is on the disk"}},
       .run = RunSync},
      {.name = "umount",
       .summary = "unmount, and wait until everything is durable",
       .arguments = "MOUNT...",
       .description = "As umount(8) or fusermount3 -u, but returns only when the daemon has ended and its store may be "
                      "taken away or mounted again. A busy mount stays, and its users are named.",
       .flags = {{.name = "lazy", .help = "take a busy mount away now, end it when its users are done"},
                 {.name = "timeout", .value = "TIME", .help = "how long to wait for the daemon", .fallback = "5m"}},
       .examples = {{"cachectl umount /mnt", "unmount and wait"}},
       .run = RunUmount},
  };
}

}  // namespace tools
