// A LoopDevice makes a block device out of a file, for tests that run as root.
//
// Errors:  PermissionDenied, NotFound  where there is no /dev/loop-control for us: skip
// Threads: thread-compatible.
// Source:  loop(4).
#ifndef FS_DISK_TESTING_LOOP_DEVICE_H_
#define FS_DISK_TESTING_LOOP_DEVICE_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/os/file.h"

namespace fs::testing {

class LoopDevice {
 public:
  // `path` is an existing file; direct I/O to it is asked for.
  static absl::StatusOr<LoopDevice> Attach(const std::string& path);
  ~LoopDevice();
  LoopDevice(LoopDevice&& other) = default;
  LoopDevice& operator=(LoopDevice&& other) = delete;

  const std::string& path() const { return path_; }

 private:
  LoopDevice(base::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  base::Fd fd_;
  std::string path_;
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_LOOP_DEVICE_H_
