#include "tools/mount_paths.h"

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace tools {

absl::StatusOr<fs::MountEntry> MountOf(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) return base::ErrnoStatus(errno, path);
  const fs::MountEntry* best = nullptr;
  const std::vector<fs::MountEntry> mounts = fs::ReadMounts();
  const absl::string_view real = resolved;
  for (const fs::MountEntry& mount : mounts) {
    const std::string below = mount.mount_point == "/" ? "/" : mount.mount_point + "/";
    const bool holds = real == mount.mount_point || absl::StartsWith(real, below);
    if (holds && (best == nullptr || mount.mount_point.size() >= best->mount_point.size())) best = &mount;
  }
  if (best == nullptr || !fs::IsCachefsType(best->type)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not on a cachefs mount"));
  }
  return *best;
}

absl::StatusOr<std::vector<std::string>> PathsOrAllMounts(const std::vector<std::string>& paths) {
  if (!paths.empty()) return paths;
  std::vector<std::string> mounts;
  for (const fs::MountEntry& mount : fs::ReadMounts()) {
    if (fs::IsCachefsType(mount.type)) mounts.push_back(mount.mount_point);
  }
  if (mounts.empty()) return absl::NotFoundError("no cachefs is mounted");
  return mounts;
}

absl::StatusOr<std::string> PathOrOnlyMount(const std::vector<std::string>& paths) {
  if (paths.size() > 1) return absl::InvalidArgumentError("want one MOUNT");
  ASSIGN_OR_RETURN(const std::vector<std::string> found, PathsOrAllMounts(paths));
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("want MOUNT, one of ", absl::StrJoin(found, ", ")));
  }
  return found[0];
}

}  // namespace tools
