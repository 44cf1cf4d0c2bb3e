#include "fs/mount/mounted_volume.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/mount/mount_point.h"
#include "glog/logging.h"

namespace fs {
namespace {

// FUSE starts with 128 KiB; one request carries at most 1 MiB.
constexpr uint32_t kReadAheadKilobytes = 1024;

Dispatcher::Options DispatcherOptions(const MountOptions& mount) {
  const bool checked = mount.default_permissions(geteuid());
  return {.default_permissions = checked, .posix_acl = checked, .zero_message_open = !mount.plain_open};
}

}  // namespace

MountedVolume::MountedVolume(Volume& volume, const Options& options)
    : options_(options), dispatcher_(std::make_unique<Dispatcher>(volume, DispatcherOptions(options.mount))) {}

absl::StatusOr<std::unique_ptr<MountedVolume>> MountedVolume::Mount(Volume& volume, const Options& options) {
  std::unique_ptr<MountedVolume> mounted(new MountedVolume(volume, options));
  Dispatcher* const dispatcher = mounted->dispatcher_.get();
  const Transport::Options transport_options = {.mount_point = options.mount_point,
                                                .mount_options = options.mount.ForFuse(options.source, geteuid())};
  ASSIGN_OR_RETURN(mounted->transport_,
                   Transport::Mount(transport_options, Dispatcher::operations(), dispatcher, dispatcher));
  dispatcher->Attach(mounted->transport_.get());
  mounted->notifier_ = std::make_unique<Notifier>(*mounted);
  return mounted;
}

MountedVolume::~MountedVolume() {
  if (transport_ != nullptr) transport_->Unmount();
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
