#include "fs/mount/raw_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/image_file.h"
#include "fs/mount/mount_point.h"

namespace fs {
namespace {

// How much of a new image is written at once; the rest is allocated and written as it is
// used. Its log and first chunks lie there, so that fsync is fast from the start.
constexpr uint64_t kWrittenBytes = 512 * base::kMiB;
// A daemon that has just been unmounted may still be writing.
constexpr absl::Duration kBusyTimeout = absl::Seconds(10);
constexpr absl::Duration kBusyInterval = absl::Milliseconds(20);

uint64_t Random64() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status CreateImage(const FormatOptions& options) {
  uint64_t size = options.size_bytes;
  if (size == 0) {
    ASSIGN_OR_RETURN(size, DefaultStoreBytes(options.path));
  }
  const std::string parent(base::DirectoryName(options.path));
  if (!Exists(parent)) RETURN_IF_ERROR(base::MakeDirectories(parent, 0700));
  ImageOptions image;
  image.size_bytes = base::RoundDown(size, 4096);
  image.written_bytes = options.write_all ? size : std::min(size, kWrittenBytes);
  if (options.progress != nullptr) {
    image.progress = [&options](uint64_t done, uint64_t total) { return options.progress("writing", done, total); };
  }
  return CreateImageFile(options.path, image);
}

// Who makes a volume may write to it.
absl::Status GiveRootToUser(Engine& engine) {
  if (geteuid() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<Volume> volume, Volume::Open(engine, VolumeOptions()));
  AttributeChange change;
  change.fields = AttributeChange::kUid | AttributeChange::kGid;
  change.uid = geteuid();
  change.gid = getegid();
  RETURN_IF_ERROR(volume->SetAttributes(kRootInode, change).status());
  return volume->Sync();
}

absl::Status FormatDevice(const FormatOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileDevice> device, OpenRawDevice(options.path, {.io = options.io}));
  MkfsOptions mkfs;
  mkfs.force = options.force;
  mkfs.label = options.label;
  if (options.progress != nullptr) {
    mkfs.progress = [&options](uint64_t done, uint64_t total) { options.progress("formatting", done, total); };
  }
  const absl::Status made = Mkfs(*device, mkfs);
  if (absl::IsFailedPrecondition(made))
    return base::Annotate(made, "--force makes a volume of it; what it holds is lost then");
  RETURN_IF_ERROR(made);
  ASSIGN_OR_RETURN(const std::unique_ptr<RawEngine> engine, OpenEngine(*device, EngineOptions()));
  RETURN_IF_ERROR(Volume::Format(*engine, base::Clock::Real(), Random64(), Random64()));
  RETURN_IF_ERROR(GiveRootToUser(*engine));
  return engine->Close();
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileDevice>> OpenRawDevice(const std::string& path, const RawDeviceOptions& wanted) {
  FileDevice::Options options;
  options.hands_over = wanted.hands_over;
  options.read_only = wanted.read_only;
  if (wanted.io == "uring") options.engine = FileDevice::Engine::kUring;
  if (wanted.io == "threads") options.engine = FileDevice::Engine::kThreads;
  const absl::Time deadline = absl::Now() + kBusyTimeout;
  while (true) {
    absl::StatusOr<std::unique_ptr<FileDevice>> device = FileDevice::Open(path, options);
    if (!absl::IsUnavailable(device.status()) || absl::Now() > deadline) return device;
    for (const MountEntry& mount : ReadMounts()) {
      if (mount.source != path) continue;
      return absl::FailedPreconditionError(absl::StrCat(path, " is mounted on ", mount.mount_point, " already"));
    }
    absl::SleepFor(kBusyInterval);
  }
}

absl::Status FormatRawStore(const FormatOptions& options) {
  const bool fresh = !Exists(options.path);
  if (fresh) RETURN_IF_ERROR(CreateImage(options));
  const absl::Status status = FormatDevice(options);
  if (!status.ok() && fresh) unlink(options.path.c_str());
  return status;
}

absl::StatusOr<Store> OpenRawStore(const StoreOptions& options) {
  FormatOptions format;
  format.path = options.path;
  format.size_bytes = options.size_bytes;
  format.io = options.io;
  format.force = options.force;
  if (!Exists(options.path)) {
    if (!options.create) {
      return absl::NotFoundError(absl::StrCat("there is no ", options.path, ": make it with cachectl mkfs --size SIZE ",
                                              options.path, ", or give cachefs --size"));
    }
    RETURN_IF_ERROR(FormatRawStore(format));
  }
  Store store;
  for (bool formatted = false;; formatted = true) {
    ASSIGN_OR_RETURN(std::unique_ptr<FileDevice> device,
                     OpenRawDevice(options.path, {options.io, options.read_only, options.hands_over}));
    if (options.hands_over && !device->is_block_device()) {
      return absl::InvalidArgumentError(
          absl::StrCat(options.path, " is no block device: losetup makes one of an image, or leave -o blkdev away"));
    }
    EngineOptions engine_options;
    engine_options.read_only = options.read_only;
    engine_options.on_work = options.on_work;
    absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(*device, engine_options);
    if (absl::IsFailedPrecondition(engine.status()) && !device->read_only() && options.force && !formatted) {
      device.reset();
      RETURN_IF_ERROR(FormatRawStore(format));
      continue;
    }
    if (absl::IsFailedPrecondition(engine.status()) && !options.force) {
      return base::Annotate(engine.status(), "--force makes a volume of it; what it holds is lost then");
    }
    if (absl::IsDataLoss(engine.status())) {
      return base::Annotate(engine.status(), "nothing was changed; cachectl fsck names all that is wrong");
    }
    RETURN_IF_ERROR(engine.status());
    store.raw_engine = engine->get();
    store.notes = store.raw_engine->stats().notes;
    if (options.hands_over) store.hand_over = [raw_device = device.get()] { raw_device->HandOver(); };
    store.device = std::move(device);
    store.engine = *std::move(engine);
    break;
  }
  VolumeOptions volume_options;
  volume_options.read_only = options.read_only;
  ASSIGN_OR_RETURN(store.volume, Volume::Open(*store.engine, volume_options));
  return store;
}

}  // namespace fs
