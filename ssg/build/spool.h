// A Spool holds rendered files until it is known that nothing failed: in memory
// up to a bound, in a nameless file beyond it.
//
// Errors:  those of the file system, kept and given by status()
// Threads: Add() is thread-safe; the rest after all Add() have returned.
#ifndef SSG_BUILD_SPOOL_H_
#define SSG_BUILD_SPOOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/os/file.h"

namespace ssg {

class Spool {
 public:
  static constexpr size_t kMemoryBytesMax = 192 << 20;

  struct File {
    std::string path;
    std::string text;  // empty once on disk
    uint64_t offset = 0;
    uint64_t size = 0;
    bool on_disk = false;
  };

  explicit Spool(std::string directory) : directory_(std::move(directory)) {}

  // The index of the file.
  size_t Add(std::string path, std::string text) ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The bytes of file `index`, which leave the spool. Thread-safe for distinct indices.
  absl::StatusOr<File> Take(size_t index);
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const std::string directory_;
  mutable base::Mutex mutex_;
  std::vector<File> files_ ABSL_GUARDED_BY(mutex_);
  uint64_t memory_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t disk_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  base::Fd file_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ssg

#endif  // SSG_BUILD_SPOOL_H_
