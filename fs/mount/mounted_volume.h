// A MountedVolume is a Volume that the kernel shows at a mount point.
//
// Life:    Mount() -> Serve() on a thread of its own, WaitUntilUsable() on another ->
//          Serve() returns once the mount is gone, by umount, fusermount3 -u or End()
//          -> destructor, which waits for the requests under way. Making it durable
//          (Volume::Close) is the caller's.
// Errors:  Transport::Mount()'s.
// Threads: Serve() on one; End() and the rest on any.
#ifndef FS_MOUNT_MOUNTED_VOLUME_H_
#define FS_MOUNT_MOUNTED_VOLUME_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "fs/cache/raw_engine.h"
#include "fs/mount/dispatcher.h"
#include "fs/mount/monitor.h"
#include "fs/mount/mount_options.h"
#include "fs/mount/notifier.h"
#include "fs/mount/statistics.h"
#include "fs/mount/transport.h"
#include "fs/volume/volume.h"

namespace fs {

class MountedVolume : public NoticeSink {
 public:
  struct Options {
    std::string mount_point;  // a real path, see CheckMountPoint()
    std::string source;       // what mount(8) shows, the store's path
    MountOptions mount;
    Monitor* monitor = nullptr;   // must outlive the result
    RawEngine* engine = nullptr;  // the volume's, for its figures; may be null
  };

  // `volume` must outlive the result.
  static absl::StatusOr<std::unique_ptr<MountedVolume>> Mount(Volume& volume, const Options& options);
  ~MountedVolume() override;

  // Answers requests until the mount is gone.
  absl::Status Serve();
  // Returns when a program could use the mount; raises its read-ahead if allowed. REQUIRES: Serve()
  // runs on another thread.
  absl::Status WaitUntilUsable();
  // Writes back what the kernel still holds, takes the mount away, lazily if it is busy, and makes
  // Serve() return in any case. What still has files open gets ENOTCONN from then on. Idempotent.
  void End();

  Statistics CurrentStatistics() const;
  // A text of the control directory; NotFound if there is none of that name.
  absl::StatusOr<std::string> Text(absl::string_view name, uint64_t after) const;
  Notifier& notifier() { return *notifier_; }
  const Transport& transport() const { return *transport_; }

  // NoticeSink.
  void InvalidateEntry(InodeNumber directory, const std::string& name) override;
  void InvalidateInode(InodeNumber inode, bool data) override;
  void Delete(InodeNumber directory, InodeNumber child, const std::string& name) override;

 private:
  MountedVolume(Volume& volume, const Options& options);
  void NoteRemoval(const RemovedEntry& entry);

  Volume& volume_;
  const Options options_;
  const absl::Time started_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Notifier> notifier_;
  // About once a second removes expired files; in quiet moments gives free memory back.
  void Sweep() ABSL_LOCKS_EXCLUDED(sweep_mutex_);
  uint64_t RequestsSoFar() const;
  base::Mutex sweep_mutex_;
  base::CondVar sweep_stopped_;
  bool sweep_stopping_ ABSL_GUARDED_BY(sweep_mutex_) = false;
  std::thread sweeper_;
};

}  // namespace fs

#endif  // FS_MOUNT_MOUNTED_VOLUME_H_
