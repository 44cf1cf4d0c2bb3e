// Runs another program, found in $PATH, without a shell, and takes what it writes.
//
// Bounds:  `output_bytes_max` of standard output and `timeout_ms_max`; past either
//          the program is killed.
// Errors:  NotFound           there is no such program
//          ResourceExhausted  too much output
//          DeadlineExceeded   too slow
//          other              errno of what failed
// Threads: thread-safe.
#ifndef BASE_OS_SPAWN_H_
#define BASE_OS_SPAWN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace base {

struct SpawnOptions {
  std::vector<std::string> words;  // the program and its arguments
  std::string input = {};          // its standard input
  size_t output_bytes_max = size_t{256} << 20;
  int64_t timeout_ms_max = 120'000;
};

struct SpawnResult {
  int exit_code = 0;  // 128 + signal if one ended it
  std::string output;
  std::string errors;  // the start of standard error
};

// Waits for the end of the program.
// REQUIRES: !options.words.empty()
absl::StatusOr<SpawnResult> Spawn(const SpawnOptions& options);

}  // namespace base

#endif  // BASE_OS_SPAWN_H_
