// What a mount did between two looks at its statistics.
//
// Threads: no state.
#ifndef TOOLS_STATISTICS_DELTA_H_
#define TOOLS_STATISTICS_DELTA_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/types/optional.h"
#include "fs/mount/statistics.pb.h"

namespace tools {

struct OperationDelta {
  double per_second = 0;
  uint64_t errors = 0;
  double p50_seconds = 0;  // of the requests answered between the looks
  double p99_seconds = 0;
};

struct StatisticsDelta {
  double seconds = 0;  // between the looks; 0 = the mount is another one, and all else is 0
  double requests_per_second = 0;
  double request_p99_seconds = 0;
  double read_bytes_per_second = 0;    // from the device
  double user_bytes_per_second = 0;    // given to write
  double device_bytes_per_second = 0;  // written
  double commits_per_second = 0;
  uint64_t evicted_files = 0;
  uint64_t expired_files = 0;
  absl::optional<double> buffer_hit_ratio;  // none if nothing was read
  absl::optional<double> block_hit_ratio;
  std::map<std::string, OperationDelta> operations;  // those that came
};

StatisticsDelta DeltaOf(const fs::Statistics& before, const fs::Statistics& now);

}  // namespace tools

#endif  // TOOLS_STATISTICS_DELTA_H_
