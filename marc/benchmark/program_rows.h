// Rows of whole programs: marc against yaz-marcdump, MARC::Record and marc4j, and
// in one process against libyaz.
//
// Every row first compares what the contenders write: read back, it must be the
// same records.
// Errors:  DataLoss  outputs differ
//          other     a program failed
// Threads: single thread (main).
#ifndef MARC_BENCHMARK_PROGRAM_ROWS_H_
#define MARC_BENCHMARK_PROGRAM_ROWS_H_

#include <string>

#include "absl/status/status.h"
#include "marc/benchmark/bench_setup.h"

namespace marc {

// Runs a shell command that must succeed.
absl::Status RunShell(const std::string& command);
// Generates the corpora that the rows read. REQUIRES: yaz-marcdump.
absl::Status MakeCorpora(const BenchSetup& setup);
// Rows whose name contains `filter` (empty = all).
absl::Status RunProgramRows(const BenchSetup& setup, const std::string& filter);
absl::Status RunLibraryRows(const BenchSetup& setup, const std::string& filter);

}  // namespace marc

#endif  // MARC_BENCHMARK_PROGRAM_ROWS_H_
