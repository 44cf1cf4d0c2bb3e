// Checks a volume without writing to it: every structure against the rules of FORMAT.md,
// the space accounting against the extents, and, if asked, all file data against its crcs.
// Goes on past damage. The volume must not be in use.
//
// Errors:  FailedPrecondition  no volume here
//          Unimplemented       a newer format
//          other findings are in the report
// Threads: no state.
// Source:  fs/format/FORMAT.md.
#ifndef FS_CACHE_CHECK_H_
#define FS_CACHE_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/disk/device.h"

namespace fs {

struct CheckFinding {
  std::string rule;      // "V21", "R8"; empty if the device failed
  std::string message;   // what, where, both values
  bool harmless = false; // the engine repairs it by itself when it opens the volume
};

struct CheckReport {
  std::vector<CheckFinding> findings;
  uint64_t pages = 0;
  uint64_t rows = 0;
  uint64_t extents = 0;
  uint64_t log_batches = 0;
  uint64_t data_bytes = 0;   // named by extents
  uint64_t bytes_read = 0;   // of file data, verified
  bool cleanly_closed = false;

  // Nothing that a reader could meet is wrong.
  bool sound() const;
};

struct CheckOptions {
  bool read_data = false;
  uint64_t findings_max = 1000;
  std::function<void(uint64_t done, uint64_t total)> progress;  // bytes of file data, with read_data
};

absl::StatusOr<CheckReport> CheckVolume(Device& device, const CheckOptions& options);

}  // namespace fs

#endif  // FS_CACHE_CHECK_H_
