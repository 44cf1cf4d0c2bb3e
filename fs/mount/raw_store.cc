#include "fs/mount/raw_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
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

// Counters end in "_total"; the rest goes up and down.
std::map<std::string, uint64_t> CountersOf(const EngineStats& stats) {
  return {
      {"mutations_total", stats.mutations},
      {"commits_total", stats.commits},
      {"commit_waits_total", stats.commit_waits},
      {"commit_microseconds_total", static_cast<uint64_t>(absl::ToInt64Microseconds(stats.commit_time))},
      {"commit_microseconds_max", static_cast<uint64_t>(absl::ToInt64Microseconds(stats.commit_time_max))},
      {"flushes_total", stats.flushes},
      {"checkpoints_total", stats.checkpoints},
      {"checkpoint_pages_total", stats.checkpoint_pages},
      {"cleaned_chunks_total", stats.cleaned_chunks},
      {"moved_bytes_total", stats.moved_bytes},
      {"user_bytes_total", stats.user_bytes},
      {"log_bytes_written_total", stats.log_bytes_written},
      {"data_bytes_written_total", stats.data_bytes_written},
      {"page_bytes_written_total", stats.page_bytes_written},
      {"reads_total", stats.reads},
      {"buffer_hits_total", stats.buffer_hits},
      {"cache_hits_total", stats.cache_hits},
      {"device_reads_total", stats.device_reads},
      {"device_bytes_read_total", stats.device_bytes_read},
      {"read_ahead_bytes_total", stats.read_ahead_bytes},
      {"checksum_errors_total", stats.checksum_errors},
      {"failed_flushes_total", stats.failed_flushes},
      {"failed_writes_total", stats.failed_writes},
      {"retired_chunks_total", stats.retired_chunks},
      {"recovered_batches_total", stats.recovered_batches},
      {"dirty_bytes", stats.dirty_bytes},
      {"logged_bytes", stats.logged_bytes},
      {"log_used_bytes", stats.log_bytes_used},
      {"log_size_bytes", stats.log_bytes_total},
      {"tree_pages", stats.tree_pages},
      {"tree_height", stats.tree_height},
      {"dirty_pages", stats.dirty_pages},
      {"cache_bytes", stats.cache_bytes},
  };
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
    RawEngine* const raw = engine->get();
    store.notes = raw->stats().notes;
    store.counters = [raw] { return CountersOf(raw->stats()); };
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
