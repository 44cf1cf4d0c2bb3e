#include "fs/mount/mount_point.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {
namespace {

// "\040" and its like, three octal digits.
std::string Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// The real path, or that of the nearest ancestor that exists with the rest appended.
std::string RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) != nullptr) return resolved;
  if (path == "/" || path.empty()) return path;
  const std::string parent(base::DirectoryName(path));
  return base::JoinPath(RealPath(parent), base::BaseName(path));
}

absl::StatusOr<bool> IsEmptyDirectory(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return base::ErrnoStatus(errno, absl::StrCat("reading the mount point ", path));
  bool empty = true;
  while (const dirent* entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") empty = false;
  }
  closedir(directory);
  return empty;
}

}  // namespace

std::vector<MountEntry> ParseMountInfo(absl::string_view text) {
  std::vector<MountEntry> mounts;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    // id parent major:minor root mount-point options [optional...] - type source ...
    size_t dash = 6;
    while (dash < words.size() && words[dash] != "-") ++dash;
    if (dash + 2 >= words.size()) continue;
    const std::pair<absl::string_view, absl::string_view> device = absl::StrSplit(words[2], absl::MaxSplits(':', 1));
    MountEntry entry;
    if (!absl::SimpleAtoi(device.first, &entry.major) || !absl::SimpleAtoi(device.second, &entry.minor)) continue;
    entry.mount_point = Unescape(words[4]);
    entry.type = Unescape(words[dash + 1]);
    entry.source = Unescape(words[dash + 2]);
    mounts.push_back(std::move(entry));
  }
  return mounts;
}

std::vector<MountEntry> ReadMounts() {
  std::ifstream file("/proc/self/mountinfo");
  std::stringstream text;
  text << file.rdbuf();
  return ParseMountInfo(text.str());
}

absl::StatusOr<MountEntry> FindMount(absl::string_view path) {
  const std::vector<MountEntry> mounts = ReadMounts();
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (mount->mount_point == path) return *mount;
  }
  return absl::NotFoundError(absl::StrCat(path, " is not a mount point"));
}

absl::StatusOr<std::string> CheckMountPoint(const std::string& path, bool may_hold_files) {
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) {
    if (errno == ENOENT) {
      return absl::NotFoundError(absl::StrCat("the mount point ", path, " does not exist: mkdir it first"));
    }
    if (errno == ENOTCONN) {
      return absl::FailedPreconditionError(
          absl::StrCat("the mount point ", path, " still holds a mount whose daemon is gone: umount ", path, " first"));
    }
    return base::ErrnoStatus(errno, absl::StrCat("looking at the mount point ", path));
  }
  if (!S_ISDIR(st.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat("the mount point ", path, " is not a directory"));
  }
  const std::string real = RealPath(path);
  const absl::StatusOr<MountEntry> mounted = FindMount(real);
  if (mounted.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("the mount point ", real, " is busy: ", mounted->source, " (",
                                                      mounted->type, ") is mounted there; umount it first"));
  }
  if (!may_hold_files) {
    ASSIGN_OR_RETURN(const bool empty, IsEmptyDirectory(real));
    if (!empty) {
      return absl::FailedPreconditionError(absl::StrCat("the mount point ", real,
                                                        " is not empty and its files would be hidden: -o "
                                                        "nonempty mounts over them"));
    }
  }
  return real;
}

absl::Status CheckOutside(absl::string_view mount_point, const std::string& path, absl::string_view what) {
  const std::string real = RealPath(path);
  const std::string below = mount_point == "/" ? "/" : absl::StrCat(mount_point, "/");
  if (real != mount_point && !absl::StartsWith(real, below)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(what, " ", path, " lies below the mount point ", mount_point,
                                                    " and the mount would wait for itself: keep it elsewhere"));
}

bool IsCachefsType(absl::string_view type) { return type == "fuse.cachefs" || type == "fuseblk.cachefs"; }

absl::Status SetReadAhead(const MountEntry& mount, uint32_t kilobytes) {
  const char* const suffix = absl::StartsWith(mount.type, "fuseblk") ? "-fuseblk" : "";
  const std::string path = absl::StrCat("/sys/class/bdi/", mount.major, ":", mount.minor, suffix, "/read_ahead_kb");
  ASSIGN_OR_RETURN(const base::Fd file, base::OpenFile(path, O_WRONLY));
  return base::WriteFull(file.get(), absl::StrCat(kilobytes));
}

}  // namespace fs
