// The reference's seven tests of its writer, and how writers scale: N of them on
// N files against a bare loop of 1 MiB writes, and against fio, in the same run.
//
// Scaling: work-normalised, N * T(1 writer) / T(N writers with N times the records).
// Errors:  a writer's or the filesystem's
// Threads: single thread (main); rows start threads of their own.
#ifndef MARC_BENCHMARK_WRITER_ROWS_H_
#define MARC_BENCHMARK_WRITER_ROWS_H_

#include <string>

#include "absl/status/status.h"
#include "marc/benchmark/bench_setup.h"

namespace marc {

// The seven, with the records of `corpus`, files in `place`.
absl::Status RunReferenceTests(const BenchSetup& setup, const std::string& place, const std::string& corpus);
// Scaling of writers with the records of `corpus`, files in `place`; `kind` names it.
absl::Status RunWriterScaling(const BenchSetup& setup, const std::string& kind, const std::string& place,
                              const std::string& corpus);

}  // namespace marc

#endif  // MARC_BENCHMARK_WRITER_ROWS_H_
