#include "fs/mount/store.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"

namespace fs {
namespace {

constexpr const char kRootStorePath[] = "/var/lib/cachefs/default.img";
constexpr uint64_t kDefaultBytesMax = 8 * base::kGiB;

}  // namespace

absl::Status Store::Close() {
  absl::Status status;
  if (volume != nullptr) status.Update(volume->Close());
  volume.reset();
  if (engine != nullptr) status.Update(engine->Close());
  raw_engine = nullptr;
  engine.reset();
  device.reset();
  return status;
}

std::string DefaultStorePath() {
  if (geteuid() == 0) return kRootStorePath;
  return base::JoinPath(base::UserDirectory("XDG_DATA_HOME", ".local/share"), "cachefs/default.img");
}

absl::StatusOr<uint64_t> DefaultStoreBytes(const std::string& path) {
  // The nearest directory that exists already.
  std::string directory(base::DirectoryName(path));
  while (access(directory.c_str(), F_OK) != 0 && directory != "/" && directory != ".") {
    directory = std::string(base::DirectoryName(directory));
  }
  struct statvfs st {};
  if (statvfs(directory.c_str(), &st) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("asking for the free space of ", directory));
  }
  const uint64_t quarter = static_cast<uint64_t>(st.f_bavail) * st.f_frsize / 4;
  return base::RoundDown(std::min(kDefaultBytesMax, quarter), base::kMiB);
}

}  // namespace fs
