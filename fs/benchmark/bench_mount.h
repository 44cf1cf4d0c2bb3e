// A BenchMount is a filesystem of one kind on a disk of its own, for comparisons on the
// same machine in the same run: image files below one directory, loop devices with
// direct I/O for the kernel's filesystems.
//
// Life:    Make() formats and mounts; Remount() unmounts, drops the page cache, mounts;
//          the destructor unmounts and removes the image.
// Errors:  Unavailable  a program (mkfs.ext4, ...) is missing, or we are not root
// Threads: thread-compatible.
#ifndef FS_BENCHMARK_BENCH_MOUNT_H_
#define FS_BENCHMARK_BENCH_MOUNT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fs {

enum class MountKind { kExt4, kBtrfs, kCachefs, kTmpfs };

struct BenchMountOptions {
  MountKind kind = MountKind::kExt4;
  std::string directory;       // where image and mount point go
  uint64_t size_bytes = 0;
  std::string cachefs;         // the daemon's program
  std::string cachefs_options = "allow_other";
};

class BenchMount {
 public:
  static absl::StatusOr<std::unique_ptr<BenchMount>> Make(const BenchMountOptions& options);
  ~BenchMount();
  BenchMount(const BenchMount&) = delete;
  BenchMount& operator=(const BenchMount&) = delete;

  const std::string& path() const { return mount_point_; }
  MountKind kind() const { return options_.kind; }
  absl::Status Remount();
  // Everything written so far is durable, by the means that reach this kind's disk.
  absl::Status Sync();

 private:
  explicit BenchMount(const BenchMountOptions& options);
  absl::Status Format();
  absl::Status MountIt();
  absl::Status Unmount();

  const BenchMountOptions options_;
  std::string image_;
  std::string mount_point_;
  std::string loop_;  // "" = none attached
  bool mounted_ = false;
};

const char* MountKindName(MountKind kind);

}  // namespace fs

#endif  // FS_BENCHMARK_BENCH_MOUNT_H_
