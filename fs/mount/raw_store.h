// Opens and makes stores on block devices and image files.
//
// Errors:  see store.h
// Threads: no state.
#ifndef FS_MOUNT_RAW_STORE_H_
#define FS_MOUNT_RAW_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/disk/file_device.h"
#include "fs/mount/store.h"

namespace fs {

// The StoreOpener of the command `cachefs`.
absl::StatusOr<Store> OpenRawStore(const StoreOptions& options);

struct FormatOptions {
  std::string path;
  uint64_t size_bytes = 0;  // of an image that is not there yet; 0 = DefaultStoreBytes()
  bool force = false;       // over whatever the store holds
  bool write_all = false;   // write every block of a new image now instead of the first ones
  std::string label;
  std::string io = "auto";
  // Phase, done, total; false stops. May be null.
  std::function<bool(const std::string& phase, uint64_t done, uint64_t total)> progress;
};

// Makes an empty volume, and the image file below it if there is none.
absl::Status FormatRawStore(const FormatOptions& options);

// The device as `io` ("auto", "uring", "threads") says.
struct RawDeviceOptions {
  std::string io;  // how it is driven: "auto", "uring", "threads"
  bool read_only = false;
  bool hands_over = false;  // see FileDevice
};
absl::StatusOr<std::unique_ptr<FileDevice>> OpenRawDevice(const std::string& path, const RawDeviceOptions& options);

}  // namespace fs

#endif  // FS_MOUNT_RAW_STORE_H_
