// Opens the disk, the engine and the volume of one path; makes what is missing if asked.
//
// Errors:  NotFound            nothing at the path, and `size_bytes` is 0
//          FailedPrecondition  foreign contents without `force`
//          Unavailable         in use by another
//          other               of FileDevice::Open, CreateImageFile, Mkfs, OpenEngine
// Threads: thread-compatible.
#ifndef FS_VOLUME_OPEN_VOLUME_H_
#define FS_VOLUME_OPEN_VOLUME_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/device.h"
#include "fs/volume/volume.h"

namespace fs {

struct OpenVolumeOptions {
  std::string path;
  uint64_t size_bytes = 0;  // makes an image of this size if there is none
  uint32_t page_bytes = 16 << 10;
  bool force = false;
  bool read_only = false;
  base::Clock* clock = &base::Clock::Real();
};

struct OpenedVolume {
  std::unique_ptr<Device> device;
  std::unique_ptr<RawEngine> engine;
  std::unique_ptr<Volume> volume;

  absl::Status Close();
};

absl::StatusOr<OpenedVolume> OpenVolume(const OpenVolumeOptions& options);

}  // namespace fs

#endif  // FS_VOLUME_OPEN_VOLUME_H_
