// The calls to the kernel that hashing makes, behind one interface so that tests can step clocks,
// refuse leases, swap files between two calls and reboot.
//
// Shape:   thin: one call each, results are >= 0 or -errno as in the kernel, since these run
//          several times per file. EINTR is repeated inside.
// Threads: Filesystem is thread-safe; AsyncFiles is for one thread.
#ifndef HASHCACHE_OS_FILESYSTEM_H_
#define HASHCACHE_OS_FILESYSTEM_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hashcache {

struct FileAttributes {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  int64_t btime_ns = 0;  // 0 = the filesystem keeps none
  uint32_t mode = 0;
  uint32_t link_count = 0;
  bool immutable = false;
  bool verity = false;
};

struct FilesystemFacts {
  std::string id;      // lower-case hex; stable over reboots where the filesystem allows
  bool stable = true;  // false: the id holds for this mount only
  uint64_t type = 0;   // statfs f_type
};

enum class Lease {
  kHeld,        // no writer and no shared writable mapping; any would break it
                // visibly
  kBusy,        // there is one now
  kImpossible,  // not permitted or not supported: no proof either way
};

// Opens and reads in flight on one thread's ring.
class AsyncFiles {
 public:
  virtual ~AsyncFiles() = default;
  // `name` and `out` live until the completion, which brings `tag`.
  virtual void Open(int directory, const char* name, int flags, void* tag) = 0;
  virtual void Read(int fd, absl::Span<uint8_t> out, uint64_t offset, void* tag) = 0;
  // Submits, waits for `count_min` completions, hands each to `done`.
  virtual absl::Status Reap(unsigned count_min, absl::FunctionRef<void(void* tag, int result)> done) = 0;
};

class Filesystem {
 public:
  virtual ~Filesystem() = default;

  // Only what is cached in memory may be used: -EAGAIN if the disk would be
  // needed.
  static constexpr bool kCachedOnly = true;
  // O_CLOEXEC, O_NOFOLLOW unless `follow`, and where permitted O_NOATIME are
  // added.
  virtual int Open(int directory, const char* name, int flags, bool follow, bool cached_only) = 0;
  virtual void Close(int fd) = 0;
  virtual int Stat(int fd, FileAttributes* out) = 0;
  // Size, mtime and ctime only: cheaper, for the second look.
  virtual int StatAgain(int fd, FileAttributes* out) = 0;
  virtual int StatAt(int directory, const char* name, bool follow, bool force_sync, FileAttributes* out) = 0;
  // -EAGAIN with `cached_only` if the disk would be needed.
  virtual ssize_t Read(int fd, absl::Span<uint8_t> out, uint64_t offset, bool cached_only) = 0;
  virtual Lease TakeLease(int fd) = 0;
  // Whether the lease is whole; a writer that waits for it breaks it at once.
  virtual bool LeaseIsWhole(int fd) = 0;
  // The inode's generation; 0 if the filesystem has none.
  virtual uint32_t Generation(int fd) = 0;
  virtual uint32_t GenerationAt(int directory, const char* name) = 0;
  // Share of [0, size_bytes) in the page cache, 0..1; negative if unknown.
  virtual double ResidentShare(int fd, uint64_t size_bytes) = 0;
  // fs-verity's measurement of the file (its algorithm's id first), "" if it
  // has none.
  virtual std::string VerityDigest(int fd) = 0;
  virtual absl::StatusOr<FilesystemFacts> Facts(int fd, uint64_t device) = 0;
  // Whether two writes with a stat in between always differ in ctime in the
  // filesystem of `directory` (multigrain timestamps); writes an unnamed file.
  virtual bool HasFineTimes(int directory) = 0;
  // A number for this boot, never 0, and nanoseconds since it.
  virtual uint32_t BootTag() = 0;
  virtual int64_t SinceBootNs() = 0;
  // Errors: Unavailable  no io_uring here
  virtual absl::StatusOr<std::unique_ptr<AsyncFiles>> NewAsyncFiles(unsigned depth) = 0;

  // The kernel; lives for ever.
  static Filesystem& Real();
};

// Passes everything on; tests override what they bend.
class ForwardingFilesystem : public Filesystem {
 public:
  explicit ForwardingFilesystem(Filesystem& to = Filesystem::Real()) : to_(to) {}
  int Open(int directory, const char* name, int flags, bool follow, bool cached_only) override {
    return to_.Open(directory, name, flags, follow, cached_only);
  }
  void Close(int fd) override { to_.Close(fd); }
  int Stat(int fd, FileAttributes* out) override { return to_.Stat(fd, out); }
  int StatAgain(int fd, FileAttributes* out) override { return to_.StatAgain(fd, out); }
  int StatAt(int directory, const char* name, bool follow, bool force_sync, FileAttributes* out) override {
    return to_.StatAt(directory, name, follow, force_sync, out);
  }
  ssize_t Read(int fd, absl::Span<uint8_t> out, uint64_t offset, bool cached_only) override {
    return to_.Read(fd, out, offset, cached_only);
  }
  Lease TakeLease(int fd) override { return to_.TakeLease(fd); }
  bool LeaseIsWhole(int fd) override { return to_.LeaseIsWhole(fd); }
  uint32_t Generation(int fd) override { return to_.Generation(fd); }
  uint32_t GenerationAt(int directory, const char* name) override { return to_.GenerationAt(directory, name); }
  double ResidentShare(int fd, uint64_t size_bytes) override { return to_.ResidentShare(fd, size_bytes); }
  std::string VerityDigest(int fd) override { return to_.VerityDigest(fd); }
  absl::StatusOr<FilesystemFacts> Facts(int fd, uint64_t device) override { return to_.Facts(fd, device); }
  bool HasFineTimes(int directory) override { return to_.HasFineTimes(directory); }
  uint32_t BootTag() override { return to_.BootTag(); }
  int64_t SinceBootNs() override { return to_.SinceBootNs(); }
  absl::StatusOr<std::unique_ptr<AsyncFiles>> NewAsyncFiles(unsigned depth) override {
    return to_.NewAsyncFiles(depth);
  }

 private:
  Filesystem& to_;
};

}  // namespace hashcache

#endif  // HASHCACHE_OS_FILESYSTEM_H_
