// Where a volume may be mounted, and what is mounted where.
//
// Errors:  NotFound            the directory is missing
//          FailedPrecondition  no directory, not empty, a mount point already, the
//                              store or log directory lies in it; each says what to do
// Threads: no state.
#ifndef FS_MOUNT_MOUNT_POINT_H_
#define FS_MOUNT_MOUNT_POINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fs {

struct MountEntry {
  uint32_t major = 0;
  uint32_t minor = 0;
  std::string mount_point;
  std::string type;    // e.g. "fuse.cachefs", see IsCachefsType()
  std::string source;  // for ours: the path of the store
};

// Whether a mount of this type is one of ours, of a file or (-o blkdev) of a block device.
bool IsCachefsType(absl::string_view type);
// The lines of a mountinfo file (proc(5)), with escapes undone. Bad lines are left out.
std::vector<MountEntry> ParseMountInfo(absl::string_view text);
// Of this process.
std::vector<MountEntry> ReadMounts();
// The topmost mount at exactly `path`. NotFound if none.
absl::StatusOr<MountEntry> FindMount(absl::string_view path);

// The real path of `path`, after making sure that a volume can be mounted there.
absl::StatusOr<std::string> CheckMountPoint(const std::string& path, bool may_hold_files);

// Refuses a `path` that would be hidden by, or be served from, the mount itself. `what` is what the
// message calls it, e.g. "the store".
absl::Status CheckOutside(absl::string_view mount_point, const std::string& path, absl::string_view what);

// Makes the kernel read ahead up to `kilobytes` on a mount. PermissionDenied unless root.
absl::Status SetReadAhead(const MountEntry& mount, uint32_t kilobytes);

}  // namespace fs

#endif  // FS_MOUNT_MOUNT_POINT_H_
