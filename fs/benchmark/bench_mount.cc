#include "fs/benchmark/bench_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bench/bench.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "glog/logging.h"

namespace fs {
namespace {

absl::Status RunCommand(const std::vector<std::string>& words) {
  if (!base::HaveProgram(words[0]) && words[0].find('/') == std::string::npos) {
    return absl::UnavailableError(absl::StrCat(words[0], " is not installed; tools/setup test bench"));
  }
  return base::MeasureCommand(words, {}).status();
}

// Writes every byte once: an unwritten or sparse image costs extra at each fsync.
absl::Status WriteImage(const std::string& path, uint64_t size_bytes) {
  ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC));
  const std::string zeros(4 * base::kMiB, '\0');
  for (uint64_t at = 0; at < size_bytes; at += zeros.size()) RETURN_IF_ERROR(base::WriteFull(fd.get(), zeros));
  if (fsync(fd.get()) != 0) return base::ErrnoStatus(errno, absl::StrCat("fsync ", path));
  return absl::OkStatus();
}

}  // namespace

const char* MountKindName(MountKind kind) {
  switch (kind) {
    case MountKind::kExt4:
      return "ext4";
    case MountKind::kBtrfs:
      return "btrfs";
    case MountKind::kCachefs:
      return "cachefs";
    case MountKind::kTmpfs:
      return "tmpfs";
  }
  return "?";
}

BenchMount::BenchMount(const BenchMountOptions& options)
    : options_(options),
      image_(absl::StrCat(options.directory, "/", MountKindName(options.kind), ".img")),
      mount_point_(absl::StrCat(options.directory, "/", MountKindName(options.kind))) {}

absl::StatusOr<std::unique_ptr<BenchMount>> BenchMount::Make(const BenchMountOptions& options) {
  if (geteuid() != 0) return absl::UnavailableError("comparing filesystems needs root, for loop devices and caches");
  // Mounts of our own: a sandbox that some program starts meanwhile would take a copy and keep them.
  static const bool own = unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!own) return base::ErrnoStatus(errno, "no mount namespace of our own");
  std::unique_ptr<BenchMount> mount(new BenchMount(options));
  RETURN_IF_ERROR(base::MakeDirectories(mount->mount_point_));
  RETURN_IF_ERROR(mount->Format());
  RETURN_IF_ERROR(mount->MountIt());
  return mount;
}

BenchMount::~BenchMount() {
  const absl::Status status = Unmount();
  LOG_IF(WARNING, !status.ok()) << "benchmark mount stays: " << status;
  if (!loop_.empty()) RunCommand({"losetup", "-d", loop_}).IgnoreError();
  unlink(image_.c_str());
  rmdir(mount_point_.c_str());
}

absl::Status BenchMount::Format() {
  if (options_.kind == MountKind::kTmpfs) return absl::OkStatus();
  if (options_.kind == MountKind::kCachefs) return absl::OkStatus();  // the daemon makes its store
  RETURN_IF_ERROR(WriteImage(image_, options_.size_bytes));
  const std::string answer = absl::StrCat(image_, ".loop");
  ASSIGN_OR_RETURN(const base::Measurement made,
                   base::MeasureCommand({"losetup", "--find", "--show", "--direct-io=on", image_},
                                        {.stdout_path = answer}));
  static_cast<void>(made);
  ASSIGN_OR_RETURN(const std::string name, base::ReadFile(answer, base::kKiB));
  unlink(answer.c_str());
  loop_ = std::string(absl::StripAsciiWhitespace(name));
  if (options_.kind == MountKind::kExt4) return RunCommand({"mkfs.ext4", "-q", "-E", "lazy_itable_init=0", loop_});
  return RunCommand({"mkfs.btrfs", "-q", "-f", loop_});
}

absl::Status BenchMount::MountIt() {
  if (options_.kind == MountKind::kCachefs) {
    RETURN_IF_ERROR(RunCommand({options_.cachefs, "--size", absl::StrCat(options_.size_bytes), "-o",
                                options_.cachefs_options, image_, mount_point_}));
  } else if (options_.kind == MountKind::kTmpfs) {
    RETURN_IF_ERROR(RunCommand({"mount", "-t", "tmpfs", "tmpfs", mount_point_}));
  } else {
    RETURN_IF_ERROR(RunCommand({"mount", loop_, mount_point_}));
  }
  mounted_ = true;
  return absl::OkStatus();
}

absl::Status BenchMount::Unmount() {
  if (!mounted_) return absl::OkStatus();
  RETURN_IF_ERROR(RunCommand({"umount", mount_point_}));
  mounted_ = false;
  return absl::OkStatus();
}

absl::Status BenchMount::Remount() {
  if (options_.kind == MountKind::kTmpfs) return absl::OkStatus();
  RETURN_IF_ERROR(Unmount());
  RETURN_IF_ERROR(base::DropCaches());
  return MountIt();
}

absl::Status BenchMount::Sync() {
  ASSIGN_OR_RETURN(const base::Fd root, base::OpenFile(mount_point_, O_RDONLY | O_DIRECTORY));
  if (syncfs(root.get()) != 0) return base::ErrnoStatus(errno, absl::StrCat("syncfs ", mount_point_));
  // syncfs(2) does not reach a FUSE daemon; fsync of the root is its full barrier.
  if (options_.kind == MountKind::kCachefs && fsync(root.get()) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("fsync ", mount_point_));
  }
  return absl::OkStatus();
}

}  // namespace fs
