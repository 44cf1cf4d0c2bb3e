// A Dispatcher answers the kernel's requests on one mount from a Volume.
//
// Threads: its handlers run on the one thread of Transport::Serve(), which answers
//          names, attributes and cached data itself; a round trip costs 4 us there
//          and 75 us when it is handed to another thread. What may wait is handed to
//          a pool of workers: device reads, changes that would wait for space or for
//          dirty data to drain, large copies, truncates and punches, the removal
//          of orphans. FSYNC is answered from the engine's commit. A deferred WRITE
//          takes a copy of its bytes.
// Open:    with zero_message_open neither OPEN nor RELEASE ever comes, so no state
//          hangs on an open file: an unlinked file lives until its FORGET.
// Errors:  fs/mount/errno.h.
// Source:  linux/fuse.h; libfuse 3.14 fuse_lowlevel.h.
#ifndef FS_MOUNT_DISPATCHER_H_
#define FS_MOUNT_DISPATCHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "fs/mount/control_tree.h"
#include "fs/mount/monitor.h"
#include "fs/mount/notifier.h"
#include "fs/mount/open_directories.h"
#include "fs/mount/transport.h"
#include "fs/volume/batch_session.h"
#include "fs/volume/volume.h"

namespace fs {

class Dispatcher : public RawOperations, public BatchObserver {
 public:
  struct Options {
    bool default_permissions = true;  // else ACCESS is answered here
    bool posix_acl = true;
    bool zero_message_open = true;  // if the kernel has it
    size_t worker_count = 8;
    Monitor* monitor = nullptr;  // must outlive the dispatcher
    ControlTree::TextSource texts;
    uint64_t fs_id = 0;  // of the volume, for STAT in batches
  };

  Dispatcher(Volume& volume, const Options& options);
  // Waits for what is still under way. REQUIRES: Serve() has returned, the transport that was
  // attached still lives.
  ~Dispatcher() override;

  // The libfuse table, for Transport::Mount() with this dispatcher as its user.
  static const fuse_lowlevel_ops& operations();
  // Before Serve().
  void Attach(Transport* transport, Notifier* notifier) {
    transport_ = transport;
    notifier_ = notifier;
    control_.Attach(notifier);
  }
  // Tells the kernel of a change of `name` that it did not ask for; `before` is what had the name,
  // 0 = nothing. On any thread.
  void EntryChanged(InodeNumber directory, absl::string_view name, InodeNumber before) override;
  // No request is being answered by a worker or waits for a commit.
  void WaitUntilIdle() ABSL_LOCKS_EXCLUDED(mutex_);

  // RawOperations.
  void TmpFile(const RawRequest& request, mode_t mode, mode_t umask) override;
  void SyncFs(const RawRequest& request) override;
  void Destroy() override;

 private:
  template <auto kMethod, auto kControlMethod>
  friend struct Handler;
  template <auto kMethod>
  friend struct PlainHandler;
  friend class OperationTable;

  void Init(fuse_conn_info* connection);

  // --- names (dispatcher_names.cc)
  void Lookup(fuse_req_t request, fuse_ino_t directory, const char* name);
  void Forget(fuse_req_t request, fuse_ino_t inode, uint64_t count);
  void ForgetMulti(fuse_req_t request, size_t count, fuse_forget_data* forgets);
  void MakeNode(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, dev_t device);
  void MakeDirectory(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode);
  void MakeSymlink(fuse_req_t request, const char* target, fuse_ino_t directory, const char* name);
  void ReadLink(fuse_req_t request, fuse_ino_t inode);
  void Link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t directory, const char* name);
  void Unlink(fuse_req_t request, fuse_ino_t directory, const char* name);
  void RemoveDirectory(fuse_req_t request, fuse_ino_t directory, const char* name);
  void Rename(fuse_req_t request, fuse_ino_t from_directory, const char* from, fuse_ino_t to_directory, const char* to,
              unsigned flags);
  void OpenDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void ReleaseDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void ReadDirectory(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info* file);
  void ReadDirectoryPlus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info* file);

  // --- attributes (dispatcher_attributes.cc)
  void GetAttributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void SetAttributes(fuse_req_t request, fuse_ino_t inode, struct stat* values, int to_set, fuse_file_info* file);
  void Access(fuse_req_t request, fuse_ino_t inode, int mask);
  void SetXattr(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value, size_t size, int flags);
  void GetXattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t size);
  void ListXattrs(fuse_req_t request, fuse_ino_t inode, size_t size);
  void RemoveXattr(fuse_req_t request, fuse_ino_t inode, const char* name);
  void StatFs(fuse_req_t request, fuse_ino_t inode);

  // --- data (dispatcher_data.cc)
  void Create(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, fuse_file_info* file);
  void Open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void Release(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void Read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info* file);
  void Write(fuse_req_t request, fuse_ino_t inode, const char* bytes, size_t size, off_t offset, fuse_file_info* file);
  void Fsync(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* file);
  void FsyncDirectory(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* file);
  void Fallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length, fuse_file_info* file);
  void CopyFileRange(fuse_req_t request, fuse_ino_t from, off_t from_offset, fuse_file_info* from_file, fuse_ino_t to,
                     off_t to_offset, fuse_file_info* to_file, size_t length, int flags);
  void Seek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence, fuse_file_info* file);

  // --- helpers
  Credentials CredentialsOf(fuse_req_t request) const;
  fuse_entry_param EntryOf(const Attributes& attributes) const;
  // How long the kernel may trust a name, and the attributes.
  double EntryTimeout(const Attributes& attributes) const;
  double AttributeTimeout(const Attributes& attributes) const;
  void ReplyEntry(fuse_req_t request, const absl::StatusOr<Attributes>& attributes);
  void ReplyAttributes(fuse_req_t request, const absl::StatusOr<Attributes>& attributes);
  void ReplyStatus(fuse_req_t request, const absl::Status& status);
  void ReplyXattr(fuse_req_t request, const absl::StatusOr<std::string>& value, size_t size);
  // Runs `work` here, or on a worker if `defer`. `work` holds what it needs.
  void Run(bool defer, std::function<void()> work);
  // As Run(), for a change of `inode` or of names (`inode` 0).
  void RunChange(fuse_ino_t inode, std::function<void()> work);
  // `done` for FsyncAsync() and SyncAsync(); WaitUntilIdle() waits for it.
  std::function<void(absl::Status)> Tracked(std::function<void(absl::Status)> done) ABSL_LOCKS_EXCLUDED(mutex_);
  void RemoveOrphansSoon();
  void GiveBack(InodeNumber inode, uint64_t count);

  // Constant after Attach() and Init().
  Volume& volume_;
  const Options options_;
  Transport* transport_ = nullptr;
  Notifier* notifier_ = nullptr;
  bool zero_message_open_ = false;

  OpenDirectories open_directories_;
  ControlTree control_;

  // The serving thread's own.
  std::vector<uint8_t> read_buffer_;
  std::vector<char> directory_buffer_;

  std::atomic<bool> orphans_scheduled_{false};
  base::Mutex mutex_;
  base::CondVar idle_;
  size_t commits_pending_ ABSL_GUARDED_BY(mutex_) = 0;
  base::ThreadPool workers_;  // last: its threads use the rest
};

}  // namespace fs

#endif  // FS_MOUNT_DISPATCHER_H_
