// Which cachefs mount a path lies on.
//
// Threads: no state.
#ifndef TOOLS_MOUNT_PATHS_H_
#define TOOLS_MOUNT_PATHS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fs/mount/mount_point.h"

namespace tools {

// The cachefs mount that `path` lies on. FailedPrecondition if it is on none.
absl::StatusOr<fs::MountEntry> MountOf(const std::string& path);

// `paths`, or the mount points of every cachefs mount if there are none. NotFound if nothing is
// mounted.
absl::StatusOr<std::vector<std::string>> PathsOrAllMounts(const std::vector<std::string>& paths);

// The one path given, or the one cachefs mount there is.
absl::StatusOr<std::string> PathOrOnlyMount(const std::vector<std::string>& paths);

}  // namespace tools

#endif  // TOOLS_MOUNT_PATHS_H_
