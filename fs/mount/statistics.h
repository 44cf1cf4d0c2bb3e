// Statistics of a running mount, on their way from the daemon to people and monitors.
//
// Shape:   the daemon gives the JSON form of the message as the value of one extended
//          attribute of the mount's root, so that whoever may look at the tree may look
//          at its numbers, through bind mounts and containers too.
// Errors:  FailedPrecondition  the path is not the root of a cachefs mount
// Threads: no state.
#ifndef FS_MOUNT_STATISTICS_H_
#define FS_MOUNT_STATISTICS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "fs/mount/statistics.pb.h"

namespace fs {

// Answered on the root only, never listed, never stored.
constexpr char kStatisticsXattr[] = "user.cachefs.stats.json";

// "LOOKUP" for 1, and so on (linux/fuse.h); "" for numbers without a name.
const char* OpcodeName(uint32_t opcode);

std::string StatisticsJson(const Statistics& statistics);
// Of the mount at `mount_point`.
absl::StatusOr<Statistics> ReadStatistics(const std::string& mount_point);

// For people: one aligned line each.
std::string StatisticsTable(const Statistics& statistics);
// The text format of Prometheus, with HELP and TYPE lines.
std::string StatisticsPrometheus(const Statistics& statistics);

}  // namespace fs

#endif  // FS_MOUNT_STATISTICS_H_
