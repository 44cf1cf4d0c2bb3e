// Statistics of a running mount, on their way from the daemon to people and monitors.
//
// Shape:   the daemon gives them as texts of its control directory, so that whoever may look at
//          the tree may look at its numbers, through bind mounts and containers too.
// Errors:  FailedPrecondition  the path is not on a cachefs mount
// Threads: no state.
#ifndef FS_MOUNT_STATISTICS_H_
#define FS_MOUNT_STATISTICS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/mount/statistics.pb.h"

namespace fs {

// Answered on the root only, never listed, never stored: the requests so far, as JSON. Asking costs
// one GETXATTR, where the text of the statistics costs several requests.
constexpr char kRequestsXattr[] = "user.cachefs.requests";

std::string StatisticsJson(const Statistics& statistics);
// Of the mount that `directory` lies on.
absl::StatusOr<Statistics> ReadStatistics(const std::string& directory);
// By kRequestsXattr: the `requests` of the mount with this root.
absl::StatusOr<Statistics> ReadRequestCounts(const std::string& mount_point);
// The text `.cachefs/NAME` of the mount that `directory` lies on.
absl::StatusOr<std::string> ReadControlText(const std::string& directory, absl::string_view name);

// For people: one aligned line each.
std::string StatisticsTable(const Statistics& statistics);
// The text format of Prometheus, with HELP and TYPE lines.
std::string StatisticsPrometheus(const Statistics& statistics);

}  // namespace fs

#endif  // FS_MOUNT_STATISTICS_H_
