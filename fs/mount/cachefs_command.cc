#include "fs/mount/cachefs_command.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/init.h"
#include "base/os/file.h"
#include "base/os/heap.h"
#include "base/os/interrupt.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/raw_engine.h"
#include "fs/mount/background.h"
#include "fs/mount/monitor.h"
#include "fs/mount/mount_options.h"
#include "fs/mount/mount_point.h"
#include "fs/mount/mounted_volume.h"
#include "fs/mount/system_log.h"
#include "glog/logging.h"

namespace fs {
namespace {

struct Plan {
  StoreOptions store;
  MountOptions mount;
  std::string mount_point;  // as given
  bool foreground = false;
  bool debug = false;
};

// "store mounted on dir: 8.0 GiB, 12 % used, 7.0 GiB free".
std::string Describe(const Plan& plan, const std::string& mount_point, Volume& volume) {
  std::string text = absl::StrCat(plan.store.path, " mounted on ", mount_point);
  if (plan.mount.read_only) absl::StrAppend(&text, " (read-only)");
  const absl::StatusOr<VolumeStat> stat = volume.Stat();
  if (!stat.ok() || stat->total_bytes == 0) return text;
  const uint64_t used = stat->total_bytes - std::min(stat->free_bytes, stat->total_bytes);
  absl::StrAppend(&text, ": ", base::HumanSize(stat->total_bytes), ", ",
                  (used * 100 + stat->total_bytes - 1) / stat->total_bytes, " % used, ",
                  base::HumanSize(stat->available_bytes), " free, ", base::HumanCount(stat->files), " inodes");
  return text;
}

// Ends the mount when a signal comes, until told to stop watching.
class SignalWatch {
 public:
  explicit SignalWatch(MountedVolume& mounted)
      : stop_(eventfd(0, EFD_CLOEXEC)), thread_([this, &mounted] { Watch(mounted); }) {}
  ~SignalWatch() {
    const uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof one) != sizeof one) LOG(ERROR) << "eventfd write failed";
    thread_.join();
  }

 private:
  void Watch(MountedVolume& mounted) {
    pollfd events[2] = {{base::InterruptFd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    while (poll(events, 2, -1) < 0 || (events[0].revents | events[1].revents) == 0) {
    }
    if (events[1].revents != 0) return;
    LOG(INFO) << "ending the mount signal=" << base::Interrupted();
    mounted.End();
  }

  base::Fd stop_;
  std::thread thread_;
};

absl::Status Serve(const Plan& plan, const std::string& mount_point, const StoreOpener& opener,
                   Background& background) {
  if (plan.mount.block_device && geteuid() != 0) {
    return absl::PermissionDeniedError("-o blkdev is for root: the kernel holds the device for the mount");
  }
  Monitor monitor(base::Clock::Real());
  StoreOptions store_options = plan.store;
  store_options.on_work = [&monitor](const EngineWork& work) { monitor.EngineWorked(work); };
  ASSIGN_OR_RETURN(Store store, opener(store_options));
  for (const std::string& note : store.notes) {
    LOG(WARNING) << note;
    monitor.events.Add({.kind = MountEvent::Kind::kNote, .path = "", .inode = 0, .size_bytes = 0, .message = note});
  }
  absl::Status status;
  if (store.hand_over != nullptr) store.hand_over();
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<MountedVolume> mounted,
                     MountedVolume::Mount(*store.volume, {.mount_point = mount_point,
                                                          .source = plan.store.path,
                                                          .mount = plan.mount,
                                                          .monitor = &monitor,
                                                          .engine = store.raw_engine}));
    absl::Status usable;
    std::thread starter([&] {
      usable = mounted->WaitUntilUsable();
      if (usable.ok()) {
        std::string text = Describe(plan, mount_point, *store.volume);
        for (const std::string& note : store.notes) absl::StrAppend(&text, "\nnote: ", note);
        background.Report(0, text);
        LOG(INFO) << "mounted store=" << plan.store.path << " mount=" << mount_point;
      } else {
        mounted->End();
      }
    });
    {
      SignalWatch watch(*mounted);
      status = mounted->Serve();
    }
    starter.join();
    status.Update(usable);
  }
  status.Update(store.Close());
  LOG(INFO) << "unmounted mount=" << mount_point << " status=" << status;
  return status;
}

int Execute(Plan plan, const StoreOpener& opener) {
  Background background;
  const auto fail = [&background](const absl::Status& status) {
    background.Report(1, std::string(status.message()));
    return 1;
  };
  const absl::StatusOr<std::string> mount_point = CheckMountPoint(plan.mount_point, plan.mount.nonempty);
  if (!mount_point.ok()) return fail(mount_point.status());
  absl::Status outside = CheckOutside(*mount_point, plan.store.path, "the store");
  if (!plan.mount.log_dir.empty()) {
    outside.Update(CheckOutside(*mount_point, plan.mount.log_dir, "the log directory"));
    if (outside.ok()) outside.Update(base::MakeDirectories(plan.mount.log_dir));
  }
  if (!outside.ok()) return fail(outside);
  if (!plan.foreground) {
    const absl::Status entered = background.Enter();
    if (!entered.ok()) return fail(entered);
  }
  base::KeepHeapSmall();
  base::TakeInterrupts();
  std::unique_ptr<SystemLog> system_log;
  if (!plan.mount.log_dir.empty()) {
    base::LogToDirectory(plan.mount.log_dir);
  } else if (!plan.foreground) {
    system_log = std::make_unique<SystemLog>();
  }
  if (plan.debug) FLAGS_v = 2;
  const absl::Status status = Serve(plan, *mount_point, opener, background);
  if (!status.ok()) {
    // Who started us has the message, unless the mount was usable once.
    if (background.reported()) LOG(ERROR) << "cachefs ends: " << status;
    return fail(status);
  }
  return 0;
}

// The real path, so that messages and /proc/mounts name the same file from everywhere.
std::string Absolute(const std::string& path) {
  std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), free);
  if (real != nullptr) return real.get();
  std::unique_ptr<char, void (*)(void*)> here(getcwd(nullptr, 0), free);
  return here == nullptr ? path : base::JoinPath(here.get(), path);
}

absl::StatusOr<Plan> PlanFrom(const base::Arguments& arguments, const std::vector<std::string>& words) {
  Plan plan;
  if (words.empty() || words.size() > 2) {
    return absl::InvalidArgumentError("want [STORE] MOUNTPOINT");
  }
  plan.mount_point = words.back();
  for (const std::string& list : arguments.GetAll("options")) RETURN_IF_ERROR(plan.mount.Parse(list));
  const bool named = words.size() == 2;
  plan.store.path = Absolute(named ? words[0] : DefaultStorePath());
  plan.store.read_only = plan.mount.read_only;
  plan.store.size_bytes = plan.mount.size_bytes;
  plan.store.create = (!named || plan.mount.size_bytes != 0) && !plan.mount.read_only;
  plan.store.force = plan.mount.force;
  plan.store.hands_over = plan.mount.block_device;
  plan.store.io = "auto";
  return plan;
}

int RunMain(const base::Arguments& arguments, const StoreOpener& opener) {
  absl::StatusOr<Plan> plan = PlanFrom(arguments, arguments.positional());
  if (plan.ok() && arguments.Has("size")) {
    const absl::StatusOr<uint64_t> size = arguments.GetSize("size");
    if (size.ok()) {
      plan->store.size_bytes = *size;
      plan->store.create = !plan->mount.read_only;
    } else {
      plan = size.status();
    }
  }
  if (!plan.ok()) {
    base::PrintError("cachefs", plan.status().message());
    return 2;
  }
  plan->debug = arguments.Has("debug");
  plan->foreground = plan->debug || arguments.Has("foreground");
  if (arguments.Has("force")) plan->store.force = true;
  if (arguments.Has("log-dir")) plan->mount.log_dir = arguments.Get("log-dir");
  plan->store.io = arguments.Get("io");
  return Execute(*std::move(plan), opener);
}

const char kDescription[] =
    "Mounts STORE, a block device or an image file that holds a cachefs "
    "volume, at MOUNTPOINT, and goes on in "
    "the background. Returns 0 only when the mount is usable.\n\n"
    "Without STORE it is the default volume: /var/lib/cachefs/default.img for "
    "root, "
    "${XDG_DATA_HOME:-~/.local/share}/cachefs/default.img for others, made at "
    "the first use with 8 GiB or a "
    "quarter of the free space, whichever is less.\n\n"
    "umount MOUNTPOINT (fusermount3 -u MOUNTPOINT for ordinary users), SIGTERM "
    "and SIGINT end it cleanly: "
    "everything is durable before the process is gone. fsync of a file makes "
    "that file durable, fsync of the "
    "mount's root directory everything; what is not synced follows within "
    "seconds.\n\n"
    "A mount of root's is for all users, as with any disk; others' mounts are "
    "for their owner.";

}  // namespace

base::Command CachefsCommand(StoreOpener opener) {
  return {.name = "cachefs",
          .summary = "mount a raw disk as a batched, checksummed, crash-safe tree",
          .arguments = "[STORE] MOUNTPOINT",
          .description = kDescription,
          .flags = {{.name = "options", .letter = 'o', .value = "WORDS", .help = "mount options, see below"},
                    {.name = "foreground", .letter = 'f', .help = "stay in the foreground"},
                    {.name = "debug", .letter = 'd', .help = "stay in the foreground and log much"},
                    {.name = "size", .value = "SIZE", .help = "make the image with this size if it is not there"},
                    {.name = "force", .help = "format a STORE that holds something else, which is lost"},
                    {.name = "log-dir", .value = "DIR", .help = "write logs there instead of to the system's log"},
                    {.name = "io",
                     .value = "HOW",
                     .help = "how the device is driven",
                     .fallback = "auto",
                     .choices = {"auto", "uring", "threads"}}},
          .examples = {{"cachefs /mnt", "mount the default volume"},
                       {"cachefs /dev/vdb /mnt", "mount a block device made with cachectl mkfs"},
                       {"cachefs --size 64G ~/build.img ~/build", "make an image and mount it, as an ordinary user"},
                       {"cachefs -o ro,private backup.img /mnt", "look at it without changing it, for root only"}},
          .exit_codes = {{0,
                          "the mount is usable; with -f: it has ended and "
                          "everything is durable"},
                         {1, "it could not be mounted, or not ended durably"},
                         {2, "the command line is wrong"}},
          .sections = {{"MOUNT OPTIONS",
                        "ro: read-only.\n\nallow_other, allow_root, private: for all "
                        "users, for the owner and root, for "
                        "the owner only. Root's private mount skips permission checks and "
                        "has no ACLs.\n\nnonempty: mount "
                        "over files.\n\nsize=SIZE, force, log-dir=DIR: as the "
                        "flags.\n\nsuid, dev, exec, atime, sync, "
                        "dirsync and their opposites: as mount(8); nosuid and nodev are "
                        "the default.\n\nblkdev: for root and a block "
                        "device. The kernel holds the device, tells the daemon of sync(1) and "
                        "syncfs(2), and umount(8) returns only when everything is "
                        "durable.\n\nplain_open: "
                        "tell the daemon of every open and close, for measurements."}},
          .run = [opener](const base::Arguments& arguments) { return RunMain(arguments, opener); }};
}

base::Command MountHelperCommand(StoreOpener opener) {
  return {.name = "mount.fuse.cachefs",
          .summary = "mount helper of cachefs for mount(8) and fstab",
          .arguments = "STORE MOUNTPOINT",
          .flags = {{.name = "options", .letter = 'o', .value = "WORDS", .help = "mount options, see cachefs(1)"},
                    {.name = "sloppy", .letter = 's', .help = "ignored"},
                    {.name = "fake", .letter = 'f', .help = "check the words, mount nothing"},
                    {.name = "no-mtab", .letter = 'n', .help = "ignored"},
                    {.name = "verbose", .letter = 'v', .help = "ignored"},
                    {.name = "namespace", .letter = 'N', .value = "NS", .help = "ignored"},
                    {.name = "type", .letter = 't', .value = "TYPE", .help = "ignored"}},
          .examples = {{"mount -t fuse.cachefs /dev/vdb /mnt", "how mount(8) gets here"}},
          .run = [opener](const base::Arguments& arguments) {
            absl::StatusOr<Plan> plan = PlanFrom(arguments, arguments.positional());
            if (plan.ok() && arguments.positional().size() != 2) {
              plan = absl::InvalidArgumentError("want STORE MOUNTPOINT");
            }
            if (!plan.ok()) {
              base::PrintError("mount.fuse.cachefs", plan.status().message());
              return 2;
            }
            return arguments.Has("fake") ? 0 : Execute(*std::move(plan), opener);
          }};
}

int RunCachefs(StoreOpener opener, int argc, char** argv) {
  const bool helper = argc > 0 && absl::StartsWith(base::BaseName(argv[0]), "mount.fuse");
  return base::RunCommand(helper ? MountHelperCommand(std::move(opener)) : CachefsCommand(std::move(opener)), argc,
                          argv);
}

}  // namespace fs
