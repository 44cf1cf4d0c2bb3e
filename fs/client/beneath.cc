#include "fs/client/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/client/tree_path.h"

namespace fs {
namespace {

constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

int OpenAt2(int directory, const char* path) {
  open_how how = {};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(fd);
  }
}

}  // namespace

absl::string_view ParentOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

std::string NameOf(absl::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

absl::StatusOr<base::Fd> Beneath::Resolve(int directory, const std::string& path) {
  base::Fd fd(OpenAt2(directory, path.c_str()));
  if (fd.valid()) return fd;
  // Old kernels lack openat2 and some sandboxes forbid it: one component at a time then.
  if (errno != ENOSYS && errno != EPERM) return TreeStatus(errno, "open", path);
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    base::Fd next(openat(fd.valid() ? fd.get() : directory, std::string(name).c_str(), kFlags));
    if (!next.valid()) return TreeStatus(errno, "open", path);
    fd = std::move(next);
  }
  return fd;
}

int Beneath::Remember(absl::string_view path, base::Fd fd) {
  if (directories_.size() >= kDirectoriesMax) directories_.clear();
  return directories_.insert_or_assign(std::string(path), std::move(fd)).first->second.get();
}

absl::StatusOr<int> Beneath::Open(absl::string_view path) {
  if (path.empty()) return root_;
  const auto found = directories_.find(path);
  if (found != directories_.end()) return found->second.get();
  ASSIGN_OR_RETURN(base::Fd fd, Resolve(root_, std::string(path)));
  return Remember(path, std::move(fd));
}

absl::StatusOr<int> Beneath::OpenOrMake(absl::string_view path) {
  absl::StatusOr<int> opened = Open(path);
  if (opened.ok() || base::ErrnoOf(opened.status()) != ENOENT) return opened;
  ASSIGN_OR_RETURN(const int parent, OpenOrMake(ParentOf(path)));
  const std::string name = NameOf(path);
  if (mkdirat(parent, name.c_str(), 0777) == 0) {
    made_any_ = true;
  } else if (errno != EEXIST) {
    return TreeStatus(errno, "make directory", path);
  }
  ASSIGN_OR_RETURN(base::Fd fd, Resolve(parent, name));
  return Remember(path, std::move(fd));
}

}  // namespace fs
