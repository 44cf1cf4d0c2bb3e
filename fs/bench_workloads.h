// What tools/bench fs has every filesystem do.
//
// Threads: thread-compatible.
#ifndef FS_BENCH_WORKLOADS_H_
#define FS_BENCH_WORKLOADS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bench/bench.h"
#include "fs/bench_peers.h"

namespace fs {

struct WorkloadOptions {
  uint64_t files = 5000;  // of 4 KiB, 100 to a directory
  uint64_t large_bytes = uint64_t{256} << 20;
  uint64_t appends = 20000;  // of 1 KiB
  uint64_t fsyncs = 200;
  uint64_t sources = 40;  // that make compiles
  std::string tree = "/usr/include";  // what whole jobs work on
};

struct Workload {
  std::string name;
  std::string unit;
  double gate = 0;  // as a ratio to ext4; 0 = none
  // Before each run, not measured; may be null.
  std::function<absl::Status(Peer&)> prepare;
  std::function<absl::StatusOr<base::Measurement>(Peer&)> run;
};

std::vector<Workload> Workloads(const WorkloadOptions& options);

}  // namespace fs

#endif  // FS_BENCH_WORKLOADS_H_
