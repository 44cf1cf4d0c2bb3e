#include "base/os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace base {
namespace {

constexpr size_t kReadStep = size_t{1} << 20;

absl::Status RemoveAt(int directory, const std::string& name, const std::string& shown);

// Takes over `directory`.
absl::Status RemoveEntries(int directory, const std::string& shown) {
  DIR* const stream = fdopendir(directory);
  if (stream == nullptr) {
    const absl::Status status = ErrnoStatus(errno, absl::StrCat("list ", shown));
    close(directory);
    return status;
  }
  absl::Status status;
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    status = RemoveAt(dirfd(stream), name, JoinPath(shown, name));
    if (!status.ok()) break;
    errno = 0;
  }
  if (status.ok() && errno != 0) status = ErrnoStatus(errno, absl::StrCat("list ", shown));
  closedir(stream);
  return status;
}

absl::Status RemoveAt(int directory, const std::string& name, const std::string& shown) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return absl::OkStatus();
  if (errno != EISDIR && errno != EPERM) return ErrnoStatus(errno, absl::StrCat("remove ", shown));
  const int below = openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below < 0) return ErrnoStatus(errno, absl::StrCat("open ", shown));
  RETURN_IF_ERROR(RemoveEntries(below, shown));
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, absl::StrCat("remove ", shown));
  }
  return absl::OkStatus();
}

}  // namespace

void Fd::Reset(int fd) {
  // EINTR from close(2) on Linux means closed: never repeat it.
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

absl::StatusOr<Fd> OpenFileAt(int directory, const std::string& name, int flags, mode_t mode) {
  for (;;) {
    const int fd = openat(directory, name.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return ErrnoStatus(errno, absl::StrCat("open ", name));
  }
}

absl::StatusOr<Fd> OpenFile(const std::string& path, int flags, mode_t mode) {
  return OpenFileAt(AT_FDCWD, path, flags, mode);
}

absl::StatusOr<size_t> ReadFull(int fd, absl::Span<char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = read(fd, out.data() + done, out.size() - done);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "read");
    done += static_cast<size_t>(n);
  }
  return done;
}

absl::StatusOr<size_t> PReadFull(int fd, absl::Span<char> out, uint64_t offset) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrCat("read at ", offset + done));
    done += static_cast<size_t>(n);
  }
  return done;
}

absl::Status WriteFull(int fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t n = write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "write");
    data.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status PWriteFull(int fd, absl::string_view data, uint64_t offset) {
  while (!data.empty()) {
    const ssize_t n = pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrCat("write at ", offset));
    data.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadToEnd(int fd, uint64_t size_max) {
  std::string data;
  size_t step = size_t{1} << 12;  // small files of unknown size are common
  for (;;) {
    const size_t before = data.size();
    data.resize(before + step);
    ASSIGN_OR_RETURN(const size_t count, ReadFull(fd, absl::MakeSpan(&data[before], step)));
    data.resize(before + count);
    if (data.size() > size_max) return absl::OutOfRangeError(absl::StrCat("larger than ", size_max, " bytes"));
    if (count < step) return data;
    step = kReadStep;
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max) {
  if (path == "-") {
    absl::StatusOr<std::string> data = ReadToEnd(STDIN_FILENO, size_max);
    if (!data.ok()) return Annotate(data.status(), "standard input");
    return data;
  }
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, absl::StrCat("stat ", path));
  if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, absl::StrCat("read ", path));
  if (static_cast<uint64_t>(info.st_size) > size_max) {
    return absl::OutOfRangeError(absl::StrCat(path, " is larger than ", size_max, " bytes"));
  }
  std::string data(static_cast<size_t>(info.st_size), '\0');
  const absl::StatusOr<size_t> count = ReadFull(fd.get(), absl::MakeSpan(data.data(), data.size()));
  if (!count.ok()) return Annotate(count.status(), path);
  const bool shrunk = *count < data.size();
  data.resize(*count);
  if (shrunk) return data;
  // Files of /proc have size 0, and a file may have grown.
  const absl::StatusOr<std::string> rest = ReadToEnd(fd.get(), size_max - data.size());
  if (!rest.ok()) return Annotate(rest.status(), path);
  data += *rest;
  return data;
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path, const ReplaceOptions& options) {
  AtomicFile file;
  // A link is written through, as the shell's > would: its target is replaced.
  char* const real = realpath(path.c_str(), nullptr);
  file.path_ = real != nullptr ? real : path;
  std::free(real);
  file.durable_ = options.durable;
  const std::string prefix =
      JoinPath(DirectoryName(file.path_), absl::StrCat(".", BaseName(file.path_).substr(0, 200), "."));
  for (int attempt = 0; attempt < 100; ++attempt) {
    unsigned int random = 0;
    if (getentropy(&random, sizeof random) != 0) return ErrnoStatus(errno, "getentropy");
    const std::string temporary = absl::StrCat(prefix, absl::Hex(random, absl::kZeroPad8), ".tmp");
    absl::StatusOr<Fd> fd = OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL, options.mode);
    if (fd.ok()) {
      file.fd_ = *std::move(fd);
      file.temporary_ = temporary;
      return file;
    }
    if (ErrnoOf(fd.status()) != EEXIST) return fd.status();
  }
  return absl::UnavailableError(absl::StrCat("no free temporary name beside ", path));
}

AtomicFile::~AtomicFile() { Abandon(); }

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, "")),
      durable_(other.durable_) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  fd_ = std::move(other.fd_);
  path_ = std::move(other.path_);
  temporary_ = std::exchange(other.temporary_, "");
  durable_ = other.durable_;
  return *this;
}

void AtomicFile::Abandon() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
}

absl::Status AtomicFile::Append(absl::string_view data) { return Annotate(WriteFull(fd_.get(), data), path_); }

absl::Status AtomicFile::Commit() {
  if (durable_ && fsync(fd_.get()) != 0) return ErrnoStatus(errno, absl::StrCat("fsync ", path_));
  fd_.Reset();
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return ErrnoStatus(errno, absl::StrCat("replace ", path_));
  temporary_.clear();
  return durable_ ? SyncDirectory(std::string(DirectoryName(path_))) : absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view data, const ReplaceOptions& options) {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path, options));
  RETURN_IF_ERROR(file.Append(data));
  return file.Commit();
}

absl::Status MakeDirectories(const std::string& path, mode_t mode) {
  if (path.empty() || mkdir(path.c_str(), mode) == 0) return absl::OkStatus();
  if (errno == ENOENT) {
    RETURN_IF_ERROR(MakeDirectories(std::string(DirectoryName(path)), mode));
    if (mkdir(path.c_str(), mode) == 0) return absl::OkStatus();
  }
  const int error_number = errno;
  struct stat info;
  if (error_number == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return absl::OkStatus();
  return ErrnoStatus(error_number, absl::StrCat("mkdir ", path));
}

absl::Status SyncDirectory(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return ErrnoStatus(errno, absl::StrCat("fsync ", path));
  return absl::OkStatus();
}

absl::Status RemoveTree(const std::string& path) { return RemoveAt(AT_FDCWD, path, path); }

std::string JoinPath(absl::string_view first, absl::string_view second) {
  if (first.empty() || (!second.empty() && second[0] == '/')) return std::string(second);
  return absl::StrCat(first, first.back() == '/' ? "" : "/", second);
}

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

absl::string_view DirectoryName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string UserDirectory(const char* variable, absl::string_view below_home) {
  const char* const set = std::getenv(variable);
  // The base directory specification: a relative path is to be ignored.
  if (set != nullptr && set[0] == '/') return set;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    const passwd* const user = getpwuid(geteuid());
    home = user != nullptr ? user->pw_dir : "/";
  }
  return JoinPath(home, below_home);
}

absl::StatusOr<MappedFile> MappedFile::FromFd(int fd, uint64_t size_bytes) {
  MappedFile file;
  if (size_bytes == 0) return file;
  void* const data = mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  file.data_ = static_cast<const char*>(data);
  file.size_ = size_bytes;
  return file;
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, absl::StrCat("stat ", path));
  absl::StatusOr<MappedFile> file = FromFd(fd.get(), static_cast<uint64_t>(info.st_size));
  if (!file.ok()) return Annotate(file.status(), path);
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

}  // namespace base
