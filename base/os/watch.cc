#include "base/os/watch.h"

#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace base {
namespace {

constexpr uint32_t kMask = IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO |
                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

int PollTimeoutMs(absl::Duration duration) {
  if (duration >= absl::Hours(24)) return -1;
  return static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(duration)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Watch>> Watch::Create(std::function<bool(const std::string&)> ignore) {
  std::unique_ptr<Watch> watch(new Watch);
  watch->ignore_ = std::move(ignore);
  watch->inotify_.Reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watch->inotify_.valid()) return ErrnoStatus(errno, "inotify");
  return watch;
}

absl::Status Watch::Add(const std::string& directory) {
  if (ignore_ && ignore_(directory)) return absl::OkStatus();
  const int descriptor = inotify_add_watch(inotify_.get(), directory.c_str(), kMask);
  if (descriptor < 0) {
    if (errno == ENOSPC) {
      return absl::ResourceExhaustedError(
          absl::StrCat("no inotify watch left for ", directory,
                       "; raise it: sysctl fs.inotify.max_user_watches=1048576"));
    }
    // Gone again, or replaced by a file: the parent's event tells.
    if (errno == ENOENT || errno == ENOTDIR) return absl::OkStatus();
    return ErrnoStatus(errno, absl::StrCat("watch ", directory));
  }
  directories_[descriptor] = directory;
  DIR* const stream = opendir(directory.c_str());
  if (stream == nullptr) return absl::OkStatus();
  absl::Status status;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
    const std::string path = JoinPath(directory, name);
    struct stat info;
    if (entry->d_type == DT_UNKNOWN && (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))) continue;
    status = Add(path);
    if (!status.ok()) break;
  }
  closedir(stream);
  return status;
}

absl::StatusOr<bool> Watch::Drain(Events* events) {
  alignas(inotify_event) char buffer[64 << 10];
  bool any = false;
  for (;;) {
    const ssize_t size = read(inotify_.get(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return any;
    if (size < 0) return ErrnoStatus(errno, "read inotify");
    any = true;
    for (const char* at = buffer; at < buffer + size;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        events->rescan = true;
        continue;
      }
      const auto found = directories_.find(event->wd);
      if (found == directories_.end()) continue;
      if ((event->mask & IN_IGNORED) != 0) {
        directories_.erase(found);
        continue;
      }
      const std::string path = event->len > 0 ? JoinPath(found->second, event->name) : found->second;
      events->paths.push_back(path);
      if ((event->mask & IN_ISDIR) != 0 && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
        RETURN_IF_ERROR(Add(path));
        // What was put there before the watch stood has given no event.
        events->rescan = true;
      }
    }
  }
}

absl::StatusOr<Watch::Events> Watch::Wait(absl::Duration timeout, absl::Duration settle, int wake_fd) {
  Events events;
  pollfd fds[2] = {{inotify_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  int64_t deadline_ns = INT64_MAX;
  absl::Duration wait = timeout;
  for (;;) {
    const int ready = poll(fds, 2, PollTimeoutMs(wait));
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    events.woken = ready > 0 && (fds[1].revents & POLLIN) != 0;
    ASSIGN_OR_RETURN(const bool any, Drain(&events));
    const int64_t now_ns = Clock::Real().MonotonicNs();
    if (any && deadline_ns == INT64_MAX) deadline_ns = now_ns + absl::ToInt64Nanoseconds(10 * settle);
    if (ready <= 0 || events.woken || now_ns >= deadline_ns) break;
    wait = settle;
  }
  std::sort(events.paths.begin(), events.paths.end());
  events.paths.erase(std::unique(events.paths.begin(), events.paths.end()), events.paths.end());
  return events;
}

}  // namespace base
