#include "fs/volume/open_volume.h"

#include <unistd.h>

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/file_device.h"
#include "fs/disk/image_file.h"
#include "fs/format/volume_row.h"

namespace fs {
namespace {

uint64_t RandomNumber() {
  std::random_device source;
  return uint64_t{source()} << 32 | source();
}

// Opens the engine; on a disk that holds nothing yet, or whatever it holds with `force`,
// makes a volume first.
absl::StatusOr<std::unique_ptr<RawEngine>> OpenOrMakeEngine(Device& device, const OpenVolumeOptions& options,
                                                            bool is_new) {
  if (is_new || options.force) {
    MkfsOptions mkfs;
    mkfs.page_bytes = options.page_bytes;
    mkfs.force = options.force;
    mkfs.clock = options.clock;
    RETURN_IF_ERROR(Mkfs(device, mkfs));
  }
  EngineOptions engine_options;
  engine_options.read_only = options.read_only;
  engine_options.clock = options.clock;
  return OpenEngine(device, engine_options);
}

}  // namespace

absl::Status OpenedVolume::Close() {
  absl::Status status;
  if (volume != nullptr) status.Update(volume->Close());
  volume = nullptr;
  if (engine != nullptr) status.Update(engine->Close());
  engine = nullptr;
  device = nullptr;
  return status;
}

absl::StatusOr<OpenedVolume> OpenVolume(const OpenVolumeOptions& options) {
  const bool is_new = access(options.path.c_str(), F_OK) != 0 && errno == ENOENT;
  if (is_new) {
    if (options.size_bytes == 0 || options.read_only) {
      return absl::NotFoundError(absl::StrCat("no cache at ", options.path, " and no size to make one"));
    }
    ImageOptions image;
    image.size_bytes = options.size_bytes;
    RETURN_IF_ERROR(CreateImageFile(options.path, image));
  }
  OpenedVolume opened;
  FileDevice::Options device_options;
  device_options.read_only = options.read_only;
  ASSIGN_OR_RETURN(opened.device, FileDevice::Open(options.path, device_options));
  ASSIGN_OR_RETURN(opened.engine, OpenOrMakeEngine(*opened.device, options, is_new));
  ASSIGN_OR_RETURN(const bool has_tree, opened.engine->Get(CounterKey(Counter::kNextInode), nullptr));
  if (!has_tree && !options.read_only) {
    RETURN_IF_ERROR(Volume::Format(*opened.engine, *options.clock, RandomNumber(), RandomNumber()));
  }
  VolumeOptions volume_options;
  volume_options.clock = options.clock;
  volume_options.read_only = options.read_only;
  ASSIGN_OR_RETURN(opened.volume, Volume::Open(*opened.engine, volume_options));
  return opened;
}

}  // namespace fs
