// A FileDevice is a block device or an image file, read and written past the page cache.
//
// Shape:   O_DIRECT, aligned to 4 KiB or what STATX_DIOALIGN asks for; where direct I/O is
//          not to be had (some tmpfs, network and encrypting filesystems), the page cache,
//          with the same durability: Flush() is fdatasync() either way.
// Life:    open for as long as the object lives, and nobody else may have it meanwhile:
//          O_EXCL keeps mounts and other openers off a block device, an exclusive flock
//          other instances off either kind (a shared one when reading only). A kernel mount on
//          the device wants to be its only holder itself: see HandOver().
// Speed:   Read(), Write(), Flush() and SubmitAndWait() do their work in the calling
//          thread, without a wake-up; prefer them where somebody waits anyway.
// Errors:  NotFound, PermissionDenied  as open(2) says
//          InvalidArgument     neither a block device nor a regular file; too small
//          Unavailable         in use by another process, which is named where possible
//          Unimplemented       options.engine is not to be had on this machine
//          others              see Device
// Threads: thread-safe.
// Source:  open(2), statx(2), flock(2), io_uring(7).
//
// Example:
//   ASSIGN_OR_RETURN(const std::unique_ptr<FileDevice> device, FileDevice::Open("/dev/vdb", {}));
#ifndef FS_DISK_FILE_DEVICE_H_
#define FS_DISK_FILE_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/os/file.h"
#include "fs/disk/device.h"
#include "fs/disk/io_engine.h"

namespace fs {

class FileDevice : public Device {
 public:
  enum class Engine : uint8_t {
    kAuto = 1,  // io_uring, or threads where it is forbidden (CACHEFS_NO_IO_URING=1 forbids it too)
    kUring,
    kThreads,
  };
  struct Options {
    Engine engine = Engine::kAuto;
    bool read_only = false;
    bool direct = true;  // false: through the page cache, for tests and comparisons
    unsigned depth = 128;
    int thread_count = 8;
    // Discard() of an image file punches holes, which makes later writes there slower.
    bool discard_images = false;
    // Of a block device: keeps other holders off only until HandOver().
    bool hands_over = false;
  };

  static absl::StatusOr<std::unique_ptr<FileDevice>> Open(const std::string& path, const Options& options);
  ~FileDevice() override;

  // Whether transfers go past the page cache.
  bool direct() const { return direct_; }
  bool is_block_device() const { return block_; }
  // With Options::hands_over: from now on the kernel may hold the device, for the mount that is
  // about to be made. The flock stays.
  void HandOver() { hold_.Reset(); }
  // "io_uring" or "threads".
  absl::string_view engine_name() const { return engine_->name(); }

 private:
  struct Opened;

  FileDevice(Geometry geometry, Opened opened);

  static absl::StatusOr<Opened> OpenDescriptor(const std::string& path, const Options& options);
  absl::Status Start(const Options& options);

  void DoSubmit(absl::Span<IoRequest> requests) override;
  void DoSubmitAndWait(absl::Span<IoRequest> requests) override;
  absl::Status DoRegisterMemory(absl::Span<uint8_t> memory) override;
  // Completes the discards in this thread and gives the others; io_uring cannot discard.
  absl::Span<IoRequest> WithoutDiscards(absl::Span<IoRequest> requests);

  const base::Fd fd_;
  base::Fd hold_;  // only with Options::hands_over
  const bool direct_;
  const bool block_;
  std::unique_ptr<IoEngine> engine_;    // constant after Start()
  std::unique_ptr<IoEngine> discards_;  // constant after Start(); null if it cannot discard
};

}  // namespace fs

#endif  // FS_DISK_FILE_DEVICE_H_
