// What every program does first, and what it is called.
//
// Threads: single thread (main), before any other starts.
#ifndef BASE_INIT_H_
#define BASE_INIT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace base {

// Starts logging (WARNING and above to stderr), ignores SIGPIPE so that a
// closed reader is an EPIPE error, ends the search for cycles of locks, and
// enters the directory `bazel run` was called from.
void InitProgram(const char* argv0);

// Sends the log to files in `directory` as well. For long runners only.
void LogToDirectory(absl::string_view directory);

// The project's version, e.g. "0.1.0".
std::string ProgramVersion();

}  // namespace base

#endif  // BASE_INIT_H_
