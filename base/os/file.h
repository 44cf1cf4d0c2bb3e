// Files and descriptors, without policy: whole reads and writes, atomic replacement.
//
// Errors:  every status carries errno (base::ErrnoOf) and the path
// Threads: functions are thread-safe; Fd and AtomicFile are thread-compatible.
//
// Example:
//   ASSIGN_OR_RETURN(const std::string text, base::ReadFile("ssg.toml", base::kMiB));
//   RETURN_IF_ERROR(base::ReplaceFile("out/index.html", html, {}));
#ifndef BASE_OS_FILE_H_
#define BASE_OS_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace base {

// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// open(2) and openat(2) with O_CLOEXEC, repeated on EINTR.
absl::StatusOr<Fd> OpenFile(const std::string& path, int flags, mode_t mode = 0666);
absl::StatusOr<Fd> OpenFileAt(int directory, const std::string& name, int flags, mode_t mode = 0666);

// Reads until `out` is full or the file ends; the count read.
absl::StatusOr<size_t> ReadFull(int fd, absl::Span<char> out);
absl::StatusOr<size_t> PReadFull(int fd, absl::Span<char> out, uint64_t offset);
// Writes all of `data`.
absl::Status WriteFull(int fd, absl::string_view data);
absl::Status PWriteFull(int fd, absl::string_view data, uint64_t offset);

// The whole file ("-" is standard input).
// Errors: OutOfRange  larger than `size_max`
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max);
// All that is left to read from `fd`, for pipes too.
absl::StatusOr<std::string> ReadToEnd(int fd, uint64_t size_max);

struct ReplaceOptions {
  mode_t mode = 0644;    // umask applies
  bool durable = false;  // fsync the file and its directory before returning
};

// Writes a file that appears, whole, in place of `path` when Commit() returns
// OK. Until then `path` is what it was; the destructor abandons the new one.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::string& path, const ReplaceOptions& options);
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;

  int fd() const { return fd_.get(); }
  absl::Status Append(absl::string_view data);
  absl::Status Commit();

 private:
  AtomicFile() = default;
  void Abandon();

  Fd fd_;
  std::string path_;
  std::string temporary_;  // empty once committed or abandoned
  bool durable_ = false;
};

absl::Status ReplaceFile(const std::string& path, absl::string_view data, const ReplaceOptions& options);

// mkdir -p. OK if it is there already.
absl::Status MakeDirectories(const std::string& path, mode_t mode = 0777);
absl::Status SyncDirectory(const std::string& path);
// rm -r, never following links. OK if it is not there.
absl::Status RemoveTree(const std::string& path);

// "a/b" + "c" = "a/b/c"; an absolute second part wins.
std::string JoinPath(absl::string_view first, absl::string_view second);
absl::string_view BaseName(absl::string_view path);       // "c" of "a/b/c"
absl::string_view DirectoryName(absl::string_view path);  // "a/b", "." or "/"
// $XDG_CACHE_HOME or ~/.cache, and so on; `variable` is e.g. "XDG_CACHE_HOME".
std::string UserDirectory(const char* variable, absl::string_view below_home);

// A file mapped for reading. Empty files map to an empty view.
class MappedFile {
 public:
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  static absl::StatusOr<MappedFile> FromFd(int fd, uint64_t size_bytes);
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept;
  absl::string_view view() const { return absl::string_view(data_, size_); }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace base

#endif  // BASE_OS_FILE_H_
