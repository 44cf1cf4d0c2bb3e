#include "hashcache/os/filesystem.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/os/file.h"
#include "base/os/io_ring.h"
#include "base/status.h"
#include "isa-l/crc.h"

namespace hashcache {
namespace {

constexpr unsigned kStatMask = STATX_BASIC_STATS | STATX_BTIME;
constexpr uint64_t kBtrfsMagic = 0x9123683E;

// Since Linux 6.9; older headers do not have it.
struct FsUuid {
  uint8_t length;
  uint8_t bytes[16];
};
#define HASHCACHE_IOC_GETFSUUID _IOR(0x15, 0, FsUuid)

#if !defined(SYS_cachestat)
constexpr long kCachestat = 451;  // the same number on every architecture
#else
constexpr long kCachestat = SYS_cachestat;
#endif

template <typename Call>
auto Repeat(Call call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

int64_t Nanoseconds(const statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }
int64_t Nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

void Convert(const struct statx& from, FileAttributes* out) {
  out->device = makedev(from.stx_dev_major, from.stx_dev_minor);
  out->inode = from.stx_ino;
  out->size_bytes = from.stx_size;
  out->mtime_ns = Nanoseconds(from.stx_mtime);
  out->ctime_ns = Nanoseconds(from.stx_ctime);
  out->btime_ns = (from.stx_mask & STATX_BTIME) != 0 ? Nanoseconds(from.stx_btime) : 0;
  out->mode = from.stx_mode;
  out->link_count = from.stx_nlink;
  out->immutable = (from.stx_attributes & STATX_ATTR_IMMUTABLE) != 0;
  out->verity = (from.stx_attributes & STATX_ATTR_VERITY) != 0;
}

class RingFiles : public AsyncFiles {
 public:
  explicit RingFiles(std::unique_ptr<base::IoRing> ring) : ring_(std::move(ring)) {}
  void Open(int directory, const char* name, int flags, void* tag) override {
    io_uring_sqe* const sqe = ring_->Next();
    io_uring_prep_openat(sqe, directory, name, flags | O_CLOEXEC, 0);
    io_uring_sqe_set_data(sqe, tag);
  }
  void Read(int fd, absl::Span<uint8_t> out, uint64_t offset, void* tag) override {
    io_uring_sqe* const sqe = ring_->Next();
    io_uring_prep_read(sqe, fd, out.data(), static_cast<unsigned>(out.size()), offset);
    io_uring_sqe_set_data(sqe, tag);
  }
  absl::Status Reap(unsigned count_min, absl::FunctionRef<void(void* tag, int result)> done) override {
    return ring_->Reap(count_min, done).status();
  }

 private:
  const std::unique_ptr<base::IoRing> ring_;
};

class RealFilesystem : public Filesystem {
 public:
  RealFilesystem() {
    // A broken lease raises SIGIO, whose default is to end the process. Whoever
    // handles it already keeps their handler.
    struct sigaction current;
    if (sigaction(SIGIO, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) signal(SIGIO, SIG_IGN);
    // Seconds that a writer waits for our lease; 0 = for ever. R3 builds on some.
    const absl::StatusOr<std::string> seconds = base::ReadFile("/proc/sys/fs/lease-break-time", 64);
    int value = 0;
    leases_last_ = seconds.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*seconds), &value) && value != 1;
  }

  int Open(int directory, const char* name, int flags, bool follow, bool cached_only) override {
    const int all = flags | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    int fd = OpenOnce(directory, name, all | O_NOATIME, cached_only);
    // Only a file's owner may ask for O_NOATIME.
    if (fd == -EPERM) fd = OpenOnce(directory, name, all, cached_only);
    // Kernels before 5.12 know no RESOLVE_CACHED, before 5.6 no openat2.
    if (cached_only && (fd == -EINVAL || fd == -ENOSYS)) return -EAGAIN;
    return fd;
  }

  void Close(int fd) override { close(fd); }

  int Stat(int fd, FileAttributes* out) override {
    struct statx attributes;
    const int result = Repeat([&] { return statx(fd, "", AT_EMPTY_PATH, kStatMask, &attributes); });
    if (result == 0) Convert(attributes, out);
    return result;
  }

  int StatAgain(int fd, FileAttributes* out) override {
    struct stat attributes;
    const int result = Repeat([&] { return fstat(fd, &attributes); });
    if (result != 0) return result;
    out->inode = attributes.st_ino;
    out->device = attributes.st_dev;
    out->size_bytes = static_cast<uint64_t>(attributes.st_size);
    out->mtime_ns = Nanoseconds(attributes.st_mtim);
    out->ctime_ns = Nanoseconds(attributes.st_ctim);
    out->mode = attributes.st_mode;
    out->link_count = static_cast<uint32_t>(attributes.st_nlink);
    return 0;
  }

  int StatAt(int directory, const char* name, bool follow, bool force_sync, FileAttributes* out) override {
    struct statx attributes;
    const int flags =
        (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (force_sync ? AT_STATX_FORCE_SYNC : 0) | AT_NO_AUTOMOUNT;
    const int result = Repeat([&] { return statx(directory, name, flags, kStatMask, &attributes); });
    if (result == 0) Convert(attributes, out);
    return result;
  }

  ssize_t Read(int fd, absl::Span<uint8_t> out, uint64_t offset, bool cached_only) override {
    if (!cached_only) {
      const auto at = static_cast<off_t>(offset);
      const ssize_t result = Repeat([&] { return pread(fd, out.data(), out.size(), at); });
      if (result != -ESPIPE) return result;
      return Repeat([&] { return read(fd, out.data(), out.size()); });
    }
    const iovec vector = {out.data(), out.size()};
    return Repeat([&] { return preadv2(fd, &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT); });
  }

  Lease TakeLease(int fd) override {
    if (!leases_last_) return Lease::kImpossible;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return Lease::kHeld;
    return errno == EAGAIN ? Lease::kBusy : Lease::kImpossible;
  }

  bool LeaseIsWhole(int fd) override { return fcntl(fd, F_GETLEASE) == F_RDLCK; }

  uint32_t Generation(int fd) override {
    // The kernel writes an int whatever the macro's type says.
    long value = 0;
    if (ioctl(fd, FS_IOC_GETVERSION, &value) != 0) return 0;
    return static_cast<uint32_t>(value);
  }

  uint32_t GenerationAt(int directory, const char* name) override {
    const int fd = Open(directory, name, O_RDONLY | O_NONBLOCK, false, false);
    if (fd < 0) return 0;
    const uint32_t generation = Generation(fd);
    close(fd);
    return generation;
  }

  double ResidentShare(int fd, uint64_t size_bytes) override {
    if (size_bytes == 0) return 1;
    struct {
      uint64_t offset, length;
    } range = {0, size_bytes};
    struct {
      uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } pages = {};
    if (syscall(kCachestat, fd, &range, &pages, 0) == 0) {
      const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
      return static_cast<double>(pages.cached) * page / static_cast<double>(size_bytes);
    }
    return ResidentShareByMapping(fd, size_bytes);
  }

  std::string VerityDigest(int fd) override {
    alignas(fsverity_digest) uint8_t buffer[sizeof(fsverity_digest) + 64];
    auto* const digest = new (buffer) fsverity_digest;
    digest->digest_size = 64;
    if (ioctl(fd, FS_IOC_MEASURE_VERITY, digest) != 0 || digest->digest_size > 64) return "";
    return absl::StrCat(digest->digest_algorithm, ":",
                        absl::string_view(reinterpret_cast<const char*>(digest->digest), digest->digest_size));
  }

  absl::StatusOr<FilesystemFacts> Facts(int fd, uint64_t device) override {
    struct statfs facts;
    if (const int result = Repeat([&] { return fstatfs(fd, &facts); }); result != 0) {
      return base::ErrnoStatus(-result, "statfs");
    }
    FilesystemFacts result;
    result.type = static_cast<uint64_t>(facts.f_type);
    uint64_t fsid = 0;
    static_assert(sizeof facts.f_fsid == sizeof fsid);
    std::memcpy(&fsid, &facts.f_fsid, sizeof fsid);
    FsUuid uuid = {};
    const bool has_uuid = ioctl(fd, HASHCACHE_IOC_GETFSUUID, &uuid) == 0 && uuid.length == sizeof uuid.bytes;
    // Some images are made with a UUID of zeros, which would be that of all of them.
    if (has_uuid && std::any_of(std::begin(uuid.bytes), std::end(uuid.bytes), [](uint8_t byte) { return byte != 0; })) {
      for (const uint8_t byte : uuid.bytes) absl::StrAppendFormat(&result.id, "%02x", byte);
      // Subvolumes of btrfs share the UUID but not the inode numbers.
      if (result.type == kBtrfsMagic) absl::StrAppendFormat(&result.id, "-%016x", fsid);
    } else if (fsid != 0 && fsid != device) {
      absl::StrAppendFormat(&result.id, "%016x", fsid);
    } else {
      result.stable = false;
      absl::StrAppendFormat(&result.id, "dev%x-boot%08x", device, BootTag());
    }
    absl::StrAppendFormat(&result.id, "-%x", result.type);
    return result;
  }

  bool HasFineTimes(int directory) override {
    const int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool fine = true;
    FileAttributes before, after;
    for (int i = 0; i < 32 && fine; ++i) {
      fine = pwrite(fd, "x", 1, 0) == 1 && StatAgain(fd, &before) == 0 && pwrite(fd, "y", 1, 0) == 1 &&
             StatAgain(fd, &after) == 0 && before.ctime_ns != after.ctime_ns;
    }
    close(fd);
    return fine;
  }

  uint32_t BootTag() override {
    static const uint32_t tag = [] {
      const absl::StatusOr<std::string> id = base::ReadFile("/proc/sys/kernel/random/boot_id", 256);
      std::string text = id.ok() ? *id : "unknown";
      const auto* bytes = reinterpret_cast<unsigned char*>(text.data());
      return crc32_iscsi(const_cast<unsigned char*>(bytes), static_cast<int>(text.size()), ~0u) | 1;
    }();
    return tag;
  }

  int64_t SinceBootNs() override {
    timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return Nanoseconds(time);
  }

  absl::StatusOr<std::unique_ptr<AsyncFiles>> NewAsyncFiles(unsigned depth) override {
    absl::StatusOr<std::unique_ptr<base::IoRing>> ring = base::IoRing::Create(depth);
    if (!ring.ok()) return ring.status();
    // Opening a cold file waits for its inode on a kernel thread; the default
    // of four per CPU would keep the disk's queue almost empty.
    unsigned workers_max[2] = {64, 0};
    io_uring_register_iowq_max_workers((*ring)->raw(), workers_max);
    return std::make_unique<RingFiles>(*std::move(ring));
  }

 private:
  bool leases_last_ = false;

  static int OpenOnce(int directory, const char* name, int flags, bool cached_only) {
    if (!cached_only) return Repeat([&] { return openat(directory, name, flags); });
    open_how how = {};
    how.flags = static_cast<uint64_t>(flags);
    how.resolve = RESOLVE_CACHED;
    return static_cast<int>(Repeat([&] { return syscall(SYS_openat2, directory, name, &how, sizeof how); }));
  }

  static double ResidentShareByMapping(int fd, uint64_t size_bytes) {
    void* const address = mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return -1;
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages((size_bytes + page - 1) / page);
    const int result = mincore(address, size_bytes, pages.data());
    munmap(address, size_bytes);
    if (result != 0) return -1;
    size_t resident = 0;
    for (const unsigned char flags : pages) resident += flags & 1;
    return static_cast<double>(resident) / static_cast<double>(pages.size());
  }
};

}  // namespace

Filesystem& Filesystem::Real() {
  static auto* const filesystem = new RealFilesystem;
  return *filesystem;
}

}  // namespace hashcache
