#include "fs/bench_peers.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/bench/bench.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {
namespace {

constexpr absl::Duration kEndTimeout = absl::Seconds(60);

// Runs a shell command; its output, or what it said as an error.
absl::StatusOr<std::string> Shell(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return base::ErrnoStatus(errno, command);
  std::string text;
  char bytes[4096];
  while (const size_t got = fread(bytes, 1, sizeof bytes, pipe)) text.append(bytes, got);
  const int status = pclose(pipe);
  if (status != 0) return absl::InternalError(absl::StrCat(command, ": ", text));
  return text;
}

absl::Status Run(const std::string& command) { return Shell(command).status(); }

absl::Status MakeImage(const std::string& path, uint64_t bytes) {
  // Written once, for all alike: an unwritten image costs a journal commit for each fsync.
  return Run(absl::StrCat("dd if=/dev/zero of=", path, " bs=1M count=", bytes >> 20, " conv=fsync status=none"));
}

class LoopPeer : public Peer {
 public:
  LoopPeer(std::string type, std::string directory, uint64_t bytes)
      : Peer(type, std::move(directory)), type_(std::move(type)), bytes_(bytes) {}
  ~LoopPeer() override {
    umount2(root().c_str(), MNT_DETACH);
    if (!device_.empty() && !Run("losetup -d " + device_).ok()) fprintf(stderr, "%s stays\n", device_.c_str());
  }
  absl::Status Start() override {
    RETURN_IF_ERROR(base::MakeDirectories(root()));
    const std::string image = directory_ + "/image";
    RETURN_IF_ERROR(MakeImage(image, bytes_));
    ASSIGN_OR_RETURN(device_, Shell("losetup --direct-io=on -f --show " + image));
    device_ = std::string(absl::StripSuffix(device_, "\n"));
    RETURN_IF_ERROR(
        Run(absl::StrCat("mkfs.", type_, type_ == "ext4" ? " -qF -E lazy_itable_init=0 " : " -qf ", device_)));
    return Mount();
  }
  absl::Status Remount() override {
    // A daemon above may take a moment to let go.
    const absl::Time deadline = absl::Now() + kEndTimeout;
    while (umount2(root().c_str(), 0) != 0) {
      if (errno != EBUSY || absl::Now() > deadline) return base::ErrnoStatus(errno, "umount " + root());
      absl::SleepFor(absl::Milliseconds(2));
    }
    RETURN_IF_ERROR(base::DropCaches());
    return Mount();
  }

 private:
  absl::Status Mount() { return Run(absl::StrCat("mount -t ", type_, " ", device_, " ", root())); }
  const std::string type_;
  const uint64_t bytes_;
  std::string device_;
};

// bindfs over a filesystem of its own.
class BindPeer : public Peer {
 public:
  BindPeer(std::string directory, uint64_t bytes)
      : Peer("bindfs on ext4", directory), below_("ext4", directory + "/below", bytes) {}
  ~BindPeer() override { umount2(root().c_str(), MNT_DETACH); }
  absl::Status Start() override {
    RETURN_IF_ERROR(base::MakeDirectories(root()));
    RETURN_IF_ERROR(base::MakeDirectories(directory_ + "/below"));
    RETURN_IF_ERROR(below_.Start());
    return Mount();
  }
  absl::Status Remount() override {
    if (umount2(root().c_str(), 0) != 0) return base::ErrnoStatus(errno, "umount " + root());
    RETURN_IF_ERROR(below_.Remount());
    return Mount();
  }

 private:
  // Its daemon may say that it is ready a moment early.
  absl::Status Mount() {
    RETURN_IF_ERROR(Run(absl::StrCat("bindfs ", below_.root(), " ", root())));
    const absl::Time deadline = absl::Now() + kEndTimeout;
    struct stat inside {
    }, outside{};
    while (stat(root().c_str(), &inside) != 0 || stat(directory_.c_str(), &outside) != 0 ||
           inside.st_dev == outside.st_dev) {
      if (absl::Now() > deadline) return absl::DeadlineExceededError("bindfs does not mount");
      absl::SleepFor(absl::Milliseconds(2));
    }
    return absl::OkStatus();
  }

  LoopPeer below_;
};

class TmpfsPeer : public Peer {
 public:
  explicit TmpfsPeer(std::string directory) : Peer("tmpfs", std::move(directory)) {}
  ~TmpfsPeer() override { umount2(root().c_str(), MNT_DETACH); }
  absl::Status Start() override {
    RETURN_IF_ERROR(base::MakeDirectories(root()));
    return Run("mount -t tmpfs tmpfs " + root());
  }
  absl::Status Remount() override { return base::DropCaches(); }
};

class CachefsPeer : public Peer {
 public:
  CachefsPeer(std::string name, std::string option, std::string directory, uint64_t bytes)
      : Peer(std::move(name), std::move(directory)), option_(std::move(option)), bytes_(bytes) {}
  ~CachefsPeer() override {
    if (const absl::Status status = Unmount(); !status.ok()) fprintf(stderr, "%s\n", status.ToString().c_str());
  }
  absl::Status Start() override {
    RETURN_IF_ERROR(base::MakeDirectories(root()));
    RETURN_IF_ERROR(MakeImage(directory_ + "/image", bytes_));
    return Mount("--force ");
  }
  absl::Status Remount() override {
    RETURN_IF_ERROR(Unmount());
    RETURN_IF_ERROR(base::DropCaches());
    return Mount("");
  }
  pid_t pid() const override { return pid_; }

 private:
  absl::Status Mount(const std::string& words) {
    char self[PATH_MAX] = {};
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return base::ErrnoStatus(errno, "/proc/self/exe");
    std::string program = base::JoinPath(base::DirectoryName(self), "cachefs");
    // Another room's benchmark has it beside its own folder.
    if (access(program.c_str(), X_OK) != 0) program = base::JoinPath(base::DirectoryName(self), "../fs/cachefs");
    const std::string image = directory_ + "/image";
    const std::string output = directory_ + "/output";
    unlink(output.c_str());  // what an earlier daemon said
    pid_ = fork();
    if (pid_ == 0) {
      if (freopen(output.c_str(), "w", stdout) == nullptr) _exit(126);
      dup2(STDOUT_FILENO, STDERR_FILENO);
      std::vector<const char*> argv = {program.c_str(), "-f", "-o", option_.c_str()};
      if (!words.empty()) argv.push_back("--force");
      argv.insert(argv.end(), {image.c_str(), nullptr});
      const std::string mount_point = root();
      argv.back() = mount_point.c_str();
      argv.push_back(nullptr);
      execv(argv[0], const_cast<char**>(argv.data()));
      _exit(127);
    }
    const absl::Time deadline = absl::Now() + kEndTimeout;
    while (absl::Now() < deadline) {
      const absl::StatusOr<std::string> said = base::ReadFile(output, 1 << 20);
      if (said.ok() && said->find(" mounted on ") != std::string::npos) return absl::OkStatus();
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return absl::InternalError(absl::StrCat(program, ": ", said.ok() ? *said : ""));
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
    return absl::DeadlineExceededError("cachefs does not mount");
  }
  absl::Status Unmount() {
    if (pid_ == 0) return absl::OkStatus();
    if (umount2(root().c_str(), 0) != 0) return base::ErrnoStatus(errno, "umount " + root());
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    if (status != 0) return absl::InternalError(absl::StrCat("cachefs ended with status ", status));
    return absl::OkStatus();
  }

  const std::string option_;
  const uint64_t bytes_;
  pid_t pid_ = 0;
};

}  // namespace

std::unique_ptr<Peer> MakePeer(absl::string_view kind, const std::string& directory, uint64_t image_bytes) {
  const std::string own = absl::StrCat(directory, "/", kind);
  if (kind == "ext4" || kind == "btrfs") return std::make_unique<LoopPeer>(std::string(kind), own, image_bytes);
  if (kind == "bindfs") return std::make_unique<BindPeer>(own, image_bytes);
  if (kind == "tmpfs") return std::make_unique<TmpfsPeer>(own);
  if (kind == "cachefs") return std::make_unique<CachefsPeer>("cachefs", "allow_other", own, image_bytes);
  if (kind == "private") return std::make_unique<CachefsPeer>("cachefs private", "private", own, image_bytes);
  return nullptr;
}

absl::Status MakeDurable(const std::string& root) {
  ASSIGN_OR_RETURN(const base::Fd directory, base::OpenFile(root, O_RDONLY | O_DIRECTORY));
  if (syncfs(directory.get()) != 0 || fsync(directory.get()) != 0) return base::ErrnoStatus(errno, "sync of " + root);
  return absl::OkStatus();
}

}  // namespace fs
