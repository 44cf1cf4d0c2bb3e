#include "hashcache/testing/filesystems.h"

#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/temp_dir.h"
#include "fs/mount/testing/test_mount.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

struct Kind {
  const char* name;
  const char* mkfs;  // the image's path follows
  const char* size;
};

constexpr Kind kKinds[] = {
    {"ext4", "mkfs.ext4 -q -F", "64M"},
    {"ext4_128", "mkfs.ext4 -q -F -I 128", "64M"},
    {"xfs", "mkfs.xfs -q -f", "320M"},
    {"btrfs", "mkfs.btrfs -q -f", "128M"},
};

int Shell(const std::string& command) {
  const int status = std::system((command + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Owns what was made; its destructor runs at exit.
class Mounts {
 public:
  ~Mounts() {
    for (const auto& [name, filesystem] : filesystems_) {
      if (mounted_.count(name) != 0) Shell(absl::StrCat("umount ", filesystem.directory));
    }
  }

  const TestFilesystem& Get(const std::string& name) {
    const auto known = filesystems_.find(name);
    if (known != filesystems_.end()) return known->second;
    return filesystems_[name] = Make(name);
  }

 private:
  TestFilesystem Make(const std::string& name) {
    const std::string directory = absl::StrCat(temporary_.path(), "/", name);
    if (!base::MakeDirectories(directory).ok()) return {.why_not = "no temporary directory"};
    if (name == "tmp") return {.directory = directory};
    if (name == "cachefs") return MakeCachefs();
    if (geteuid() != 0) return {.why_not = "mounting needs root"};
    if (name == "tmpfs") {
      if (mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64m") != 0) return {.why_not = "tmpfs cannot be mounted"};
    } else {
      for (const Kind& kind : kKinds) {
        if (name != kind.name) continue;
        const std::string image = absl::StrCat(temporary_.path(), "/", name, ".img");
        if (Shell(absl::StrCat("truncate -s ", kind.size, " ", image)) != 0 ||
            Shell(absl::StrCat("PATH=$PATH:/usr/sbin:/sbin ", kind.mkfs, " ", image)) != 0) {
          return {.why_not = absl::StrCat(kind.mkfs, " failed or is not installed")};
        }
        if (Shell(absl::StrCat("mount -o loop ", image, " ", directory)) != 0) {
          return {.why_not = "a loop image cannot be mounted here"};
        }
      }
    }
    mounted_[name] = true;
    return {.directory = directory};
  }

  TestFilesystem MakeCachefs() {
    if (!fs::testing::HaveFuse()) return {.why_not = "there is no /dev/fuse"};
    cachefs_ = std::make_unique<fs::testing::TestMount>();
    const absl::Status started = cachefs_->Start();
    if (!started.ok()) ADD_FAILURE() << started;
    return {.directory = cachefs_->mount_point()};
  }

  base::TempDir temporary_;
  std::unique_ptr<fs::testing::TestMount> cachefs_;
  std::map<std::string, TestFilesystem> filesystems_;
  std::map<std::string, bool> mounted_;
};

}  // namespace

std::vector<std::string> FilesystemNames() {
  return {"tmp", "tmpfs", "ext4", "ext4_128", "xfs", "btrfs", "cachefs"};
}

const TestFilesystem& FilesystemByName(const std::string& name) {
  static Mounts mounts;
  return mounts.Get(name);
}

}  // namespace hashcache
