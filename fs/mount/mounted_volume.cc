#include "fs/mount/mounted_volume.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/init.h"
#include "base/os/file.h"
#include "base/os/heap.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "fs/mount/engine_statistics.h"
#include "fs/mount/mount_point.h"
#include "fs/mount/opcodes.h"
#include "fs/volume/space_map.h"
#include "glog/logging.h"

namespace fs {
namespace {

// FUSE starts with 128 KiB; one request carries at most 1 MiB.
constexpr uint32_t kReadAheadKilobytes = 1024;
constexpr absl::Duration kSweepInterval = absl::Seconds(1);
constexpr size_t kSweepFilesMax = 4096;
// When free memory is given back: in a quiet moment, but not too often, and once when what was
// dirty has reached the disk. A request that comes just then waits for the allocator.
constexpr int kQuietSweepsShort = 2;
constexpr int kQuietSweepsLong = 8;
constexpr int kSweepsBetweenTrims = 30;

}  // namespace

MountedVolume::MountedVolume(Volume& volume, const Options& options)
    : volume_(volume), options_(options), started_(absl::Now()) {
  const bool checked = options.mount.default_permissions(geteuid());
  dispatcher_ = std::make_unique<Dispatcher>(
      volume, Dispatcher::Options{.default_permissions = checked,
                                  .posix_acl = checked,
                                  .zero_message_open = !options.mount.plain_open,
                                  .monitor = options.monitor,
                                  .texts = [this](absl::string_view name, uint64_t after) {
                                    return Text(name, after);
                                  }});
}

absl::StatusOr<std::unique_ptr<MountedVolume>> MountedVolume::Mount(Volume& volume, const Options& options) {
  std::unique_ptr<MountedVolume> mounted(new MountedVolume(volume, options));
  Dispatcher* const dispatcher = mounted->dispatcher_.get();
  const Transport::Options transport_options = {.mount_point = options.mount_point,
                                                .mount_options = options.mount.ForFuse(options.source, geteuid()),
                                                .meter = &options.monitor->requests};
  ASSIGN_OR_RETURN(mounted->transport_,
                   Transport::Mount(transport_options, Dispatcher::operations(), dispatcher, dispatcher));
  mounted->notifier_ = std::make_unique<Notifier>(*mounted);
  dispatcher->Attach(mounted->transport_.get(), mounted->notifier_.get());
  // Names that eviction and expiry remove are dropped from the kernel's cache as well.
  MountedVolume* const self = mounted.get();
  volume.set_removal_listener([dispatcher, self](const RemovedEntry& entry) {
    self->NoteRemoval(entry);
    dispatcher->EntryChanged(entry.directory, entry.name, entry.inode);
  });
  mounted->sweeper_ = std::thread([m = mounted.get()] { m->Sweep(); });
  return mounted;
}

void MountedVolume::Sweep() {
  base::SetThreadName("sweeper");
  uint64_t requests = 0;
  int quiet_sweeps = kQuietSweepsLong, sweeps_since_trim = 0;
  base::MutexLock lock(&sweep_mutex_);
  bool told = false;
  while (!sweep_stopping_) {
    sweep_stopped_.WaitWithTimeout(&sweep_mutex_, kSweepInterval);
    if (sweep_stopping_) return;
    sweep_mutex_.Unlock();
    absl::StatusOr<size_t> removed = 0;
    if (!options_.mount.read_only) removed = volume_.RemoveExpired(kSweepFilesMax);
    const uint64_t requests_before = std::exchange(requests, RequestsSoFar());
    quiet_sweeps = requests == requests_before ? quiet_sweeps + 1 : 0;
    ++sweeps_since_trim;
    if (quiet_sweeps == kQuietSweepsLong ||
        (quiet_sweeps == kQuietSweepsShort && sweeps_since_trim >= kSweepsBetweenTrims)) {
      base::ReturnFreeMemory();
      sweeps_since_trim = 0;
    }
    sweep_mutex_.Lock();
    if (volume_.read_only() && !options_.mount.read_only && !told) {
      told = true;
      LOG(ERROR) << "the volume is read-only from now on, since what was written could not be made durable store="
                 << options_.source << " removed=" << removed.status();
      options_.monitor->events.Add({.kind = MountEvent::Kind::kError,
                                    .path = "",
                                    .inode = 0,
                                    .size_bytes = 0,
                                    .message = "read-only from now on: a write could not be made durable"});
    } else if (!removed.ok() && !told) {
      LOG_EVERY_N(WARNING, 60) << "expired files stay: " << removed.status();
    }
  }
}

uint64_t MountedVolume::RequestsSoFar() const {
  uint64_t count = 0;
  const RequestMeter& meter = options_.monitor->requests;
  for (uint32_t opcode = 0; opcode < RequestMeter::kOpcodesMax; ++opcode) count += meter.count(opcode);
  return count;
}

MountedVolume::~MountedVolume() {
  if (transport_ != nullptr) transport_->Unmount();
  {
    base::MutexLock lock(&sweep_mutex_);
    sweep_stopping_ = true;
    sweep_stopped_.SignalAll();
  }
  if (sweeper_.joinable()) sweeper_.join();
  dispatcher_->WaitUntilIdle();  // batches wait for their notices
  volume_.set_removal_listener([](const RemovedEntry&) {});
  notifier_.reset();
  dispatcher_.reset();
  transport_.reset();
}

absl::Status MountedVolume::Serve() { return transport_->Serve(); }

absl::Status MountedVolume::WaitUntilUsable() {
  struct statvfs st {};
  if (statvfs(options_.mount_point.c_str(), &st) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("the mount on ", options_.mount_point, " does not answer"));
  }
  ASSIGN_OR_RETURN(const MountEntry mount, FindMount(options_.mount_point));
  const absl::Status status = SetReadAhead(mount, kReadAheadKilobytes);
  if (!status.ok()) VLOG(1) << "read-ahead stays as it is: " << status;
  return absl::OkStatus();
}

void MountedVolume::End() {
  {
    // Pages that programs changed through mappings are the kernel's until now.
    const absl::StatusOr<base::Fd> root = base::OpenFile(options_.mount_point, O_RDONLY | O_DIRECTORY);
    if (root.ok() && syncfs(root->get()) != 0) PLOG(WARNING) << "syncfs failed mount=" << options_.mount_point;
  }
  transport_->Unmount();
  transport_->Stop();
}

void MountedVolume::NoteRemoval(const RemovedEntry& entry) {
  const bool evicted = entry.reason == RemovedEntry::Reason::kEvicted;
  const absl::StatusOr<std::string> directory = volume_.PathOf(entry.directory);
  std::string path = directory.ok() && directory->empty()
                         ? std::string(entry.name)
                         : absl::StrCat(directory.ok() ? *directory : "?", "/", entry.name);
  VLOG(1) << (evicted ? "evicted" : "expired") << " path=" << path << " bytes=" << entry.size_bytes;
  options_.monitor->events.Add({.kind = evicted ? MountEvent::Kind::kEvicted : MountEvent::Kind::kExpired,
                                .path = std::move(path),
                                .inode = entry.inode,
                                .size_bytes = entry.size_bytes,
                                .message = ""});
}

absl::StatusOr<std::string> MountedVolume::Text(absl::string_view name, uint64_t after) const {
  if (name == "stats") return StatisticsPrometheus(CurrentStatistics());
  if (name == "stats.json") return StatisticsJson(CurrentStatistics());
  if (name == "events") return options_.monitor->events.Text(after);
  if (name == "map" && options_.engine != nullptr) {
    ASSIGN_OR_RETURN(const SpaceMap map, MapSpace(*options_.engine, volume_));
    return SpaceMapJson(map);
  }
  if (name == "trace") return options_.monitor->trace.Read(after);
  return absl::NotFoundError("");
}

Statistics MountedVolume::CurrentStatistics() const {
  Statistics statistics;
  statistics.set_version(base::ProgramVersion());
  statistics.set_store(options_.source);
  statistics.set_mount_point(options_.mount_point);
  statistics.set_uptime_seconds(absl::ToDoubleSeconds(absl::Now() - started_));
  statistics.set_read_only(options_.mount.read_only || volume_.read_only());
  AddVolumeStatistics(volume_, &statistics);
  if (options_.engine != nullptr) {
    AddEngineStatistics(options_.engine->stats(), options_.engine->chunks(),
                        options_.engine->superblock().chunk_bytes, &statistics);
  }
  const Monitor& monitor = *options_.monitor;
  for (uint32_t opcode = 0; opcode < RequestMeter::kOpcodesMax; ++opcode) {
    const uint64_t count = monitor.requests.count(opcode);
    if (count == 0) continue;
    const std::string name = OpcodeName(opcode);
    (*statistics.mutable_requests())[name] = count;
    Statistics::Operation& operation = (*statistics.mutable_operations())[name];
    operation.set_count(count);
    operation.set_errors(monitor.requests.errors(opcode));
    *operation.mutable_latency() = LatencyOf(monitor.requests.latency(opcode));
  }
  statistics.set_requests_under_way(monitor.requests.under_way());
  *statistics.mutable_writes()->mutable_buffered() = LatencyOf(monitor.requests.latency(FUSE_WRITE));
  *statistics.mutable_writes()->mutable_direct() = LatencyOf(monitor.requests.latency(FUSE_FSYNC));
  *statistics.mutable_reads()->mutable_single() = LatencyOf(monitor.requests.latency(FUSE_READ));
  *statistics.mutable_reads()->mutable_batch() = LatencyOf(monitor.lookup_frames.Snapshot());
  Statistics::Batches* const batches = statistics.mutable_batches();
  *batches->mutable_frame() = LatencyOf(monitor.frames.Snapshot());
  batches->set_frames(batches->frame().count());
  batches->set_items(monitor.batch_items.load(std::memory_order_relaxed));
  batches->set_sessions(monitor.batch_sessions.load(std::memory_order_relaxed));
  statistics.set_events(monitor.events.count());
  return statistics;
}

void MountedVolume::InvalidateEntry(InodeNumber directory, const std::string& name) {
  fuse_lowlevel_notify_inval_entry(transport_->session(), directory, name.data(), name.size());
}

void MountedVolume::InvalidateInode(InodeNumber inode, bool data) {
  // A negative offset means attributes only; 0, 0 means the whole content as well.
  fuse_lowlevel_notify_inval_inode(transport_->session(), inode, data ? 0 : -1, 0);
}

void MountedVolume::Delete(InodeNumber directory, InodeNumber child, const std::string& name) {
  fuse_lowlevel_notify_delete(transport_->session(), directory, child, name.data(), name.size());
}

}  // namespace fs
