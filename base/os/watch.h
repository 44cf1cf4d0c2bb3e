// A Watch tells what changes below a directory, through inotify.
//
// Shape:   every directory of the tree is watched, those made later too. After an
//          overflow of the kernel's queue `rescan` is true: paths are incomplete.
// Errors:  ResourceExhausted  fs.inotify.max_user_watches is too small; says so
// Threads: thread-compatible; InterruptFd() or another thread may wake Wait() by
//          making `wake_fd` readable.
#ifndef BASE_OS_WATCH_H_
#define BASE_OS_WATCH_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/os/file.h"

namespace base {

class Watch {
 public:
  struct Events {
    std::vector<std::string> paths;  // sorted, without repeats, as given to Add()
    bool rescan = false;
    bool woken = false;  // `wake_fd` became readable
  };
  // `ignore` is asked with each directory's path; true leaves it and all below out.
  static absl::StatusOr<std::unique_ptr<Watch>> Create(std::function<bool(const std::string&)> ignore);

  // Watches `directory` and all below it, or a single file's directory entry.
  absl::Status Add(const std::string& directory);
  // Waits for a first event, then gathers until nothing has come for `settle`
  // (at most ten times that). Empty after `timeout`. `wake_fd` < 0: none.
  absl::StatusOr<Events> Wait(absl::Duration timeout, absl::Duration settle, int wake_fd);

 private:
  Watch() = default;
  // Reads what has come; false if there was nothing.
  absl::StatusOr<bool> Drain(Events* events);

  Fd inotify_;
  std::function<bool(const std::string&)> ignore_;
  absl::flat_hash_map<int, std::string> directories_;
};

}  // namespace base

#endif  // BASE_OS_WATCH_H_
