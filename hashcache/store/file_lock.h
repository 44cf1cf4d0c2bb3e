// A FileLock is an exclusive flock(2), which goes with the process that holds it.
//
// Errors:  Unavailable another process kept it for two seconds: a stopped holder must not stop
//          everybody else
// Threads: thread-compatible.
#ifndef HASHCACHE_STORE_FILE_LOCK_H_
#define HASHCACHE_STORE_FILE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/os/file.h"

namespace hashcache {

class FileLock {
 public:
  static absl::StatusOr<FileLock> Take(const std::string& path);

 private:
  explicit FileLock(base::Fd fd) : fd_(std::move(fd)) {}
  base::Fd fd_;
};

}  // namespace hashcache

#endif  // HASHCACHE_STORE_FILE_LOCK_H_
