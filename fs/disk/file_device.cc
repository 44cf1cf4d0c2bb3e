#include "fs/disk/file_device.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_lock.h"
#include "fs/disk/thread_engine.h"
#include "fs/disk/transfer.h"
#include "fs/disk/uring_engine.h"

namespace fs {

struct FileDevice::Opened {
  base::Fd fd;
  base::Fd hold;
  bool direct = false;
  bool block = false;
};

namespace {

constexpr size_t kAlignment = AlignedBuffer::kAlignment;

absl::StatusOr<uint64_t> SizeBytes(int fd, const struct stat& info) {
  if (!S_ISBLK(info.st_mode)) return static_cast<uint64_t>(info.st_size);
  uint64_t size_bytes = 0;
  if (::ioctl(fd, BLKGETSIZE64, &size_bytes) != 0) return base::ErrnoStatus(errno, "asking for the device's size");
  return size_bytes;
}

// Whether the file says, or a read shows, that direct I/O of our alignment works.
bool DirectWorks(int fd, uint64_t size_bytes) {
  // The C library's struct statx may be older than the kernel's.
  struct ::statx info = {};
  if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) == 0 &&
      (info.stx_mask & STATX_DIOALIGN) != 0 &&
      (info.stx_dio_offset_align == 0 || kAlignment % info.stx_dio_offset_align != 0 ||
       kAlignment % std::max(info.stx_dio_mem_align, 1u) != 0)) {
    return false;
  }
  if (size_bytes < kAlignment) return true;
  AlignedBuffer buffer(kAlignment);
  return !(::pread(fd, buffer.data(), buffer.size(), 0) < 0 && errno == EINVAL);
}

bool BlockDeviceCanDiscard(dev_t device) {
  const absl::StatusOr<std::string> text = base::ReadFile(
      absl::StrCat("/sys/dev/block/", major(device), ":", minor(device), "/queue/discard_max_bytes"), 4096);
  uint64_t discard_bytes_max = 0;
  return text.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &discard_bytes_max) && discard_bytes_max > 0;
}

absl::Status ExplainOpen(const std::string& path, bool block, const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  if (block && error == EBUSY) {
    return absl::UnavailableError("the block device is in use: mounted, or part of another device");
  }
  if (error != EROFS && error != EPERM && error != EACCES) return status;
  return ::access(path.c_str(), R_OK) == 0
             ? base::Annotate(status, "it can be read but not written: open it read-only (-o ro)")
             : base::Annotate(status, "who may read and write it is its owner's to say: chown, chmod, or be root");
}

// A device that says so only when it is written to would fail much later.
absl::Status RefuseReadOnlyBlockDevice(int fd) {
  int read_only = 0;
  if (::ioctl(fd, BLKROGET, &read_only) != 0) return base::ErrnoStatus(errno, "asking whether the device is read-only");
  if (read_only == 0) return absl::OkStatus();
  return absl::PermissionDeniedError("the block device is read-only: open it read-only (-o ro)");
}

bool UringForbiddenByEnvironment() {
  const char* value = std::getenv("CACHEFS_NO_IO_URING");
  return value != nullptr && absl::string_view(value) == "1";
}

}  // namespace

absl::StatusOr<FileDevice::Opened> FileDevice::OpenDescriptor(const std::string& path, const Options& options) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return base::ErrnoStatus(errno, "opening the store");
  const bool block = S_ISBLK(info.st_mode);
  if (!block && !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("the store is neither a block device nor a regular file");
  }
  int flags = options.read_only ? O_RDONLY : O_RDWR;
  base::Fd hold;
  if (block && !options.read_only) {
    if (options.hands_over) {
      absl::StatusOr<base::Fd> held = base::OpenFile(path, O_RDONLY | O_EXCL);
      if (!held.ok()) return ExplainOpen(path, block, held.status());
      hold = *std::move(held);
    } else {
      flags |= O_EXCL;
    }
  }
  absl::StatusOr<base::Fd> fd = base::OpenFile(path, options.direct ? flags | O_DIRECT : flags);
  bool direct = options.direct && fd.ok();
  if (!fd.ok() && options.direct && base::ErrnoOf(fd.status()) == EINVAL) fd = base::OpenFile(path, flags);
  if (!fd.ok()) return ExplainOpen(path, block, fd.status());
  if (block && !options.read_only) RETURN_IF_ERROR(RefuseReadOnlyBlockDevice(fd->get()));
  struct stat opened;
  if (::fstat(fd->get(), &opened) != 0) return base::ErrnoStatus(errno, "opening the store");
  if (opened.st_ino != info.st_ino || opened.st_dev != info.st_dev) {
    return absl::UnavailableError("the store was replaced while it was opened");
  }
  RETURN_IF_ERROR(LockFile(fd->get(), !options.read_only, block ? absl::Seconds(1) : absl::ZeroDuration()));
  return Opened{*std::move(fd), std::move(hold), direct, block};
}

absl::StatusOr<std::unique_ptr<FileDevice>> FileDevice::Open(const std::string& path, const Options& options) {
  const auto located = [&path](const absl::Status& status) { return base::Annotate(status, path); };
  absl::StatusOr<Opened> opened = OpenDescriptor(path, options);
  if (!opened.ok()) return located(opened.status());
  const int fd = opened->fd.get();
  struct stat info;
  if (::fstat(fd, &info) != 0) return located(base::ErrnoStatus(errno, "opening the store"));
  const absl::StatusOr<uint64_t> size_bytes = SizeBytes(fd, info);
  if (!size_bytes.ok()) return located(size_bytes.status());
  if (*size_bytes < kAlignment) {
    return located(absl::InvalidArgumentError(absl::StrCat("the store is too small: ", *size_bytes, " bytes")));
  }
  if (opened->direct && !DirectWorks(fd, *size_bytes)) {
    opened->direct = false;
    if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_DIRECT) != 0) {
      return located(base::ErrnoStatus(errno, "leaving direct I/O"));
    }
  }
  Geometry geometry;
  geometry.name = path;
  geometry.size_bytes = *size_bytes;
  geometry.alignment = kAlignment;
  geometry.read_only = options.read_only;
  geometry.can_discard =
      !options.read_only && (opened->block ? BlockDeviceCanDiscard(info.st_rdev) : options.discard_images);
  std::unique_ptr<FileDevice> device(new FileDevice(std::move(geometry), *std::move(opened)));
  const absl::Status started = device->Start(options);
  if (!started.ok()) return located(started);
  return device;
}

FileDevice::FileDevice(Geometry geometry, Opened opened)
    : Device(std::move(geometry)), fd_(std::move(opened.fd)), hold_(std::move(opened.hold)), direct_(opened.direct), block_(opened.block) {}

FileDevice::~FileDevice() {
  engine_.reset();
  discards_.reset();
  // The kernel takes an io_uring apart after we are gone: what it still refers to must
  // not keep the next opener out.
  UnlockFile(fd_.get());
}

absl::Status FileDevice::Start(const Options& options) {
  const IoEngine::Completion completion = [this](IoRequest& request, absl::Status status) {
    Complete(request, std::move(status));
  };
  const bool try_uring =
      options.engine == Engine::kUring || (options.engine == Engine::kAuto && !UringForbiddenByEnvironment());
  if (try_uring) {
    absl::StatusOr<std::unique_ptr<UringEngine>> engine = UringEngine::Create(fd_.get(), options.depth, completion);
    if (engine.ok()) {
      engine_ = *std::move(engine);
    } else if (options.engine == Engine::kUring) {
      return engine.status();
    }
  }
  if (engine_ == nullptr) engine_ = std::make_unique<ThreadEngine>(fd_.get(), options.thread_count, completion);
  if (can_discard()) discards_ = std::make_unique<ThreadEngine>(fd_.get(), 1, completion);
  return absl::OkStatus();
}

absl::Span<IoRequest> FileDevice::WithoutDiscards(absl::Span<IoRequest> requests) {
  if (discards_ == nullptr) return requests;
  const auto discard = std::stable_partition(requests.begin(), requests.end(), [](const IoRequest& request) {
    return request.kind != IoRequest::Kind::kDiscard;
  });
  const size_t others = static_cast<size_t>(discard - requests.begin());
  if (others < requests.size()) discards_->Submit(requests.subspan(others));
  return requests.first(others);
}

void FileDevice::DoSubmit(absl::Span<IoRequest> requests) {
  requests = WithoutDiscards(requests);
  if (!requests.empty()) engine_->Submit(requests);
}

void FileDevice::DoSubmitAndWait(absl::Span<IoRequest> requests) {
  if (requests.size() == 1) {
    // A plain system call: no ring could be cheaper for one request.
    Transfer transfer(std::move(requests.front()));
    const absl::Status status = transfer.Run(fd_.get());
    return Complete(transfer.request(), status);
  }
  requests = WithoutDiscards(requests);
  if (!requests.empty()) engine_->SubmitAndWait(requests);
}

absl::Status FileDevice::DoRegisterMemory(absl::Span<uint8_t> memory) { return engine_->RegisterMemory(memory); }

}  // namespace fs
