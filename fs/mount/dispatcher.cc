#include "fs/mount/dispatcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "fs/mount/attributes.h"
#include "fs/mount/errno.h"
#include "glog/logging.h"

namespace fs {
namespace {

// Nothing but the kernel's own requests changes the tree, so what it knows stays true.
constexpr double kTimeoutSeconds = 86400;
// Asynchronous requests (read-ahead, direct I/O) that the kernel may send at once.
constexpr unsigned kBackgroundMax = 64;
// A FORGET follows each UNLINK: orphans are removed by the dozen, or rm -r would wake a worker for every file.
constexpr absl::Duration kOrphanDelay = absl::Milliseconds(2);

}  // namespace

// A libfuse handler that calls a method of the Dispatcher, or of its control tree for an inode of
// that; nullptr there means that it is not allowed.
template <auto kMethod, auto kControlMethod = nullptr>
struct Handler;

template <typename... Args, void (Dispatcher::*kMethod)(fuse_req_t, fuse_ino_t, Args...), auto kControlMethod>
struct Handler<kMethod, kControlMethod> {
  static void Call(fuse_req_t request, fuse_ino_t inode, Args... args) noexcept {
    auto* transport = static_cast<Transport*>(fuse_req_userdata(request));
    auto* dispatcher = static_cast<Dispatcher*>(transport->user());
    if (!ControlTree::Owns(inode)) {
      (dispatcher->*kMethod)(request, inode, args...);
    } else if constexpr (kControlMethod == nullptr) {
      fuse_reply_err(request, EPERM);
    } else {
      (dispatcher->control_.*kControlMethod)(request, inode, args...);
    }
  }
};

// For requests that do not begin with an inode, or that deal with both kinds themselves.
template <auto kMethod>
struct PlainHandler;

template <typename... Args, void (Dispatcher::*kMethod)(fuse_req_t, Args...)>
struct PlainHandler<kMethod> {
  static void Call(fuse_req_t request, Args... args) noexcept {
    auto* transport = static_cast<Transport*>(fuse_req_userdata(request));
    (static_cast<Dispatcher*>(transport->user())->*kMethod)(request, args...);
  }
};

class OperationTable {
 public:
  static fuse_lowlevel_ops Make() {
    fuse_lowlevel_ops ops{};
    ops.init = [](void* user, fuse_conn_info* connection) {
      static_cast<Dispatcher*>(static_cast<Transport*>(user)->user())->Init(connection);
    };
    ops.lookup = Handler<&Dispatcher::Lookup, &ControlTree::Lookup>::Call;
    ops.forget = PlainHandler<&Dispatcher::Forget>::Call;
    ops.forget_multi = PlainHandler<&Dispatcher::ForgetMulti>::Call;
    ops.mknod = Handler<&Dispatcher::MakeNode, &ControlTree::MakeNode>::Call;
    ops.mkdir = Handler<&Dispatcher::MakeDirectory>::Call;
    ops.symlink = PlainHandler<&Dispatcher::MakeSymlink>::Call;
    ops.readlink = Handler<&Dispatcher::ReadLink>::Call;
    ops.link = Handler<&Dispatcher::Link>::Call;
    ops.unlink = Handler<&Dispatcher::Unlink>::Call;
    ops.rmdir = Handler<&Dispatcher::RemoveDirectory>::Call;
    ops.rename = Handler<&Dispatcher::Rename>::Call;
    ops.opendir = Handler<&Dispatcher::OpenDirectory, &ControlTree::OpenDirectory>::Call;
    ops.readdir = Handler<&Dispatcher::ReadDirectory, &ControlTree::ReadDirectory>::Call;
    ops.readdirplus = Handler<&Dispatcher::ReadDirectoryPlus, &ControlTree::ReadDirectoryPlus>::Call;
    ops.releasedir = Handler<&Dispatcher::ReleaseDirectory, &ControlTree::Release>::Call;
    ops.getattr = Handler<&Dispatcher::GetAttributes, &ControlTree::GetAttributes>::Call;
    ops.setattr = Handler<&Dispatcher::SetAttributes, &ControlTree::SetAttributes>::Call;
    ops.access = Handler<&Dispatcher::Access, &ControlTree::Access>::Call;
    ops.setxattr = Handler<&Dispatcher::SetXattr>::Call;
    ops.getxattr = Handler<&Dispatcher::GetXattr, &ControlTree::GetXattr>::Call;
    ops.listxattr = Handler<&Dispatcher::ListXattrs, &ControlTree::ListXattrs>::Call;
    ops.removexattr = Handler<&Dispatcher::RemoveXattr>::Call;
    ops.statfs = Handler<&Dispatcher::StatFs, &ControlTree::StatFs>::Call;
    ops.create = Handler<&Dispatcher::Create, &ControlTree::Create>::Call;
    ops.open = Handler<&Dispatcher::Open, &ControlTree::Open>::Call;
    ops.release = Handler<&Dispatcher::Release, &ControlTree::Release>::Call;
    ops.read = Handler<&Dispatcher::Read, &ControlTree::Read>::Call;
    ops.write = Handler<&Dispatcher::Write, &ControlTree::Write>::Call;
    ops.fsync = Handler<&Dispatcher::Fsync, &ControlTree::Fsync>::Call;
    ops.fsyncdir = Handler<&Dispatcher::FsyncDirectory, &ControlTree::Fsync>::Call;
    ops.fallocate = Handler<&Dispatcher::Fallocate>::Call;
    ops.copy_file_range = Handler<&Dispatcher::CopyFileRange>::Call;
    ops.lseek = Handler<&Dispatcher::Seek>::Call;
    // No flush: the kernel stops asking at every close. No getlk, setlk, flock: locks are the
    // kernel's own, as every user of the tree goes through this one mount.
    return ops;
  }
};

const fuse_lowlevel_ops& Dispatcher::operations() {
  static const fuse_lowlevel_ops ops = OperationTable::Make();
  return ops;
}

Dispatcher::Dispatcher(Volume& volume, const Options& options)
    : volume_(volume),
      options_(options),
      control_(volume, {.texts = options.texts, .monitor = options.monitor, .fs_id = options.fs_id}, *this),
      workers_("fuse-worker", options.worker_count, 4096) {}

Dispatcher::~Dispatcher() { WaitUntilIdle(); }

void Dispatcher::Init(fuse_conn_info* connection) {
  const auto want = [connection](unsigned capability, bool on) {
    if (!on) {
      connection->want &= ~capability;
    } else if (connection->capable & capability) {
      connection->want |= capability;
    }
  };
  // With it O_TRUNC comes with OPEN, and is lost when OPEN is answered ENOSYS.
  want(FUSE_CAP_ATOMIC_O_TRUNC, false);
  // Nobody changes data behind the kernel's back: its pages stay valid until told.
  want(FUSE_CAP_AUTO_INVAL_DATA, false);
  want(FUSE_CAP_EXPLICIT_INVAL_DATA, true);
  want(FUSE_CAP_READDIRPLUS, true);
  want(FUSE_CAP_READDIRPLUS_AUTO, false);
  want(FUSE_CAP_DONT_MASK, true);  // a default ACL replaces the umask
  want(FUSE_CAP_POSIX_ACL, options_.posix_acl);
  want(FUSE_CAP_WRITEBACK_CACHE, false);
  want(FUSE_CAP_PARALLEL_DIROPS, true);
  want(FUSE_CAP_CACHE_SYMLINKS, true);
  want(FUSE_CAP_ASYNC_READ, true);
  want(FUSE_CAP_ASYNC_DIO, true);
  want(FUSE_CAP_EXPORT_SUPPORT, true);
  // Replies come from memory and requests are parsed there: pipes only cost.
  want(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE, false);
  want(FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS, false);
  connection->max_background = kBackgroundMax;
  connection->congestion_threshold = kBackgroundMax * 3 / 4;
  connection->time_gran = 1;
  zero_message_open_ = options_.zero_message_open && (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0;
}

Credentials Dispatcher::CredentialsOf(fuse_req_t request) const {
  const fuse_ctx* context = fuse_req_ctx(request);
  return {.uid = context->uid, .gid = context->gid, .umask = context->umask, .groups = {}};
}

double Dispatcher::EntryTimeout(const Attributes& attributes) const {
  if (attributes.expiry_time == Timestamp{}) return kTimeoutSeconds;
  // What has a time to live leaves the kernel's cache when it ends.
  const double left = static_cast<double>(attributes.expiry_time.ToNs() - base::Clock::Real().NowNs()) / 1e9;
  return std::clamp(left, 0.0, kTimeoutSeconds);
}

double Dispatcher::AttributeTimeout(const Attributes& attributes) const {
  // A write clears these bits without telling the kernel, which therefore must ask.
  return attributes.is_regular() && (attributes.mode & (S_ISUID | S_ISGID)) ? 0 : kTimeoutSeconds;
}

fuse_entry_param Dispatcher::EntryOf(const Attributes& attributes) const {
  fuse_entry_param entry{};
  entry.ino = attributes.inode;
  entry.attr = StatOf(attributes);
  entry.attr_timeout = AttributeTimeout(attributes);
  entry.entry_timeout = EntryTimeout(attributes);
  return entry;
}

void Dispatcher::ReplyEntry(fuse_req_t request, const absl::StatusOr<Attributes>& attributes) {
  if (!attributes.ok()) {
    ReplyStatus(request, attributes.status());
    return;
  }
  const fuse_entry_param entry = EntryOf(*attributes);
  // The caller was killed and the kernel never learns of the reference.
  if (fuse_reply_entry(request, &entry) == -ENOENT) GiveBack(attributes->inode, 1);
}

void Dispatcher::ReplyAttributes(fuse_req_t request, const absl::StatusOr<Attributes>& attributes) {
  if (!attributes.ok()) {
    ReplyStatus(request, attributes.status());
    return;
  }
  const struct stat st = StatOf(*attributes);
  fuse_reply_attr(request, &st, AttributeTimeout(*attributes));
}

void Dispatcher::ReplyStatus(fuse_req_t request, const absl::Status& status) {
  const int error = ErrnoForStatus(status);
  if (error == EIO) {
    LOG_EVERY_N(ERROR, 100) << "request failed: " << status;
    options_.monitor->events.Add({.kind = MountEvent::Kind::kError,
                                  .path = "",
                                  .inode = 0,
                                  .size_bytes = 0,
                                  .message = std::string(status.message())});
  }
  fuse_reply_err(request, error);
}

void Dispatcher::Run(bool defer, std::function<void()> work) {
  if (defer) {
    workers_.Add(std::move(work));
  } else {
    work();
  }
}

void Dispatcher::RunChange(fuse_ino_t inode, std::function<void()> work) {
  Run(inode == 0 ? volume_.ChangeWouldWait() : volume_.ChangeWouldWait(inode), std::move(work));
}

std::function<void(absl::Status)> Dispatcher::Tracked(std::function<void(absl::Status)> done) {
  {
    base::MutexLock lock(&mutex_);
    ++commits_pending_;
  }
  return [this, done = std::move(done)](absl::Status status) {
    done(std::move(status));
    base::MutexLock lock(&mutex_);
    if (--commits_pending_ == 0) idle_.SignalAll();
  };
}

void Dispatcher::WaitUntilIdle() {
  control_.WaitUntilIdle();
  workers_.Wait();
  base::MutexLock lock(&mutex_);
  while (commits_pending_ > 0) idle_.Wait(&mutex_);
}

void Dispatcher::GiveBack(InodeNumber inode, uint64_t count) {
  if (ControlTree::Owns(inode)) {
    control_.Forget(inode, count);
    return;
  }
  if (volume_.Forget(inode, count)) RemoveOrphansSoon();
}

void Dispatcher::EntryChanged(InodeNumber directory, absl::string_view name, InodeNumber before) {
  // The kernel has cached nothing of an inode that it does not know; the root it never asks for.
  if (directory == kRootInode || volume_.IsReferenced(directory)) {
    open_directories_.Changed(directory);
    notifier_->InvalidateEntry(directory, name);
    notifier_->InvalidateInode(directory, /*data=*/true);  // the data are the kept listing
  }
  if (before != 0 && volume_.IsReferenced(before)) notifier_->InvalidateInode(before, /*data=*/false);
}

void Dispatcher::RemoveOrphansSoon() {
  if (orphans_scheduled_.exchange(true)) return;
  workers_.Add([this] {
    absl::SleepFor(kOrphanDelay);
    orphans_scheduled_ = false;  // first: what comes from now on needs another round
    const absl::Status status = volume_.RemoveOrphans();
    if (!status.ok()) {
      LOG_EVERY_N(ERROR, 100) << "unlinked files keep their space: " << status;
    }
  });
}

void Dispatcher::Destroy() {
  WaitUntilIdle();
  const absl::Status status = volume_.Sync();
  if (!status.ok()) LOG(ERROR) << "what was written last is not durable: " << status;
}

void Dispatcher::SyncFs(const RawRequest& request) {
  volume_.SyncAsync(Priority::kSync, Tracked([this, request](const absl::Status& status) {
                      transport_->ReplyRawError(request, ErrnoForStatus(status));
                    }));
}

}  // namespace fs
