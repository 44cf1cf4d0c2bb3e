// The control directory `.cachefs`, reachable by name in every directory and acting below it.
//
// Shape:   .cachefs/stats       Prometheus text
//          .cachefs/stats.json  the same as JSON
//          .cachefs/version     of the daemon and of the batch frames it speaks
//          .cachefs/events      what happened unasked (event_log.h)
//          .cachefs/trace       requests and batches of now (trace_ring.h); reading it keeps it on
//          .cachefs/map         what the device's chunks hold
//          events@N and trace@N leave out the first N. The last three name files of others:
//          they are for root and the daemon's user.
//          .cachefs/batch/NAME  a batch session: made by an exclusive creation, ended by its FORGET
//          Its inode numbers have the highest bit set; the volume knows nothing of them.
//          A text is made anew by each lookup, as a file of its own: without OPEN the kernel reads
//          no further than the size that the lookup told.
// Sessions: a frame is answered by a thread of a pool of its own, because the answer waits until the
//          kernel has dropped what it had cached of the changed names: a handler that waits for the
//          directory lock such a notice takes must not wait for these threads. READ gives the last
//          reply and never waits. The writer must be the opener, else EPERM.
// Bounds:  at most kSessionsMax sessions and kTextsMax texts at a time
// Threads: handlers on the serving thread.
// Source:  docs/batch.md
#ifndef FS_MOUNT_CONTROL_TREE_H_
#define FS_MOUNT_CONTROL_TREE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "fs/mount/monitor.h"
#include "fs/mount/notifier.h"
#include "fs/mount/transport.h"
#include "fs/volume/batch_session.h"
#include "fs/volume/volume.h"

namespace fs {

class ControlTree {
 public:
  static constexpr size_t kSessionsMax = 1024;
  static constexpr size_t kTextsMax = 1024;

  // The text of that name; NotFound if there is none. `after` is what follows its '@', else 0.
  // Called on a thread of the pool.
  using TextSource = std::function<absl::StatusOr<std::string>(absl::string_view name, uint64_t after)>;

  struct Options {
    TextSource texts;
    Monitor* monitor = nullptr;  // must outlive the control tree
    uint64_t fs_id = 0;
    size_t thread_count = 4;
  };

  // `observer` hears of what batches change, on threads of the pool.
  ControlTree(Volume& volume, const Options& options, BatchObserver& observer);
  ~ControlTree();  // waits for frames under way

  // Before the first request. `notifier` must outlive the control tree.
  void Attach(Notifier* notifier) { notifier_ = notifier; }
  void WaitUntilIdle() { sessions_pool_.Wait(); }

  static bool Owns(fuse_ino_t inode) { return (inode & kControlBit) != 0; }

  // Answers the lookup of `.cachefs` in a directory of the volume.
  void LookupControl(fuse_req_t request, InodeNumber directory);

  // The handlers of Dispatcher, for inodes that Owns() is true of.
  void Lookup(fuse_req_t request, fuse_ino_t directory, const char* name);
  void Forget(fuse_ino_t inode, uint64_t count);
  void GetAttributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void SetAttributes(fuse_req_t request, fuse_ino_t inode, struct stat* values, int to_set, fuse_file_info* file);
  void Access(fuse_req_t request, fuse_ino_t inode, int mask);
  void MakeNode(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, dev_t device);
  void Create(fuse_req_t request, fuse_ino_t directory, const char* name, mode_t mode, fuse_file_info* file);
  void Open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void Release(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void OpenDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file);
  void ReadDirectory(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info* file);
  void ReadDirectoryPlus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t after, fuse_file_info* file);
  void Read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info* file);
  void Write(fuse_req_t request, fuse_ino_t inode, const char* bytes, size_t size, off_t offset, fuse_file_info* file);
  void Fsync(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* file);
  void StatFs(fuse_req_t request, fuse_ino_t inode);
  void ListXattrs(fuse_req_t request, fuse_ino_t inode, size_t size);
  void GetXattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t size);

 private:
  static constexpr fuse_ino_t kControlBit = fuse_ino_t{1} << 63;

  enum class Kind : uint8_t { kControl, kBatch, kText, kPrivateText, kSession };
  struct Session {
    Session(Volume& volume, BatchSession::Options options, BatchObserver& observer)
        : uid(options.opener.uid), gid(options.opener.gid), batch(volume, std::move(options), observer) {}
    const uint32_t uid;
    const uint32_t gid;
    base::Mutex handle_mutex;  // the kernel sends one WRITE at a time; a hostile one might not
    BatchSession batch ABSL_GUARDED_BY(handle_mutex);
    base::Mutex reply_mutex;
    std::string reply ABSL_GUARDED_BY(reply_mutex);
  };
  struct Node {
    Kind kind;
    InodeNumber directory;  // of the volume, where `.cachefs` was looked up
    uint64_t references = 0;
    std::string name;  // kSession
    std::string text;  // kText, kPrivateText
    std::shared_ptr<Session> session;
  };

  // The node, or null after an error reply.
  std::shared_ptr<Node> Find(fuse_req_t request, fuse_ino_t inode) ABSL_LOCKS_EXCLUDED(mutex_);
  // The inode number of a directory node, which is made once.
  fuse_ino_t DirectoryNode(Kind kind, InodeNumber directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  fuse_ino_t Insert(Node node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  struct stat StatOf(fuse_ino_t inode, const Node& node) const;
  // Replies with the node and counts the kernel's reference to it.
  void ReplyNode(fuse_req_t request, fuse_ino_t inode) ABSL_LOCKS_EXCLUDED(mutex_);
  void LookupText(fuse_req_t request, InodeNumber directory, absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReplyText(fuse_req_t request, InodeNumber directory, Kind kind, std::string text) ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes a session and calls `reply` with its inode number on a thread of the pool.
  void MakeSession(fuse_req_t request, fuse_ino_t batch_directory, const char* name, mode_t mode,
                   std::function<void(fuse_ino_t)> reply) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answer(fuse_req_t request, const std::shared_ptr<Session>& session, const std::string& frame);

  Volume& volume_;
  const Options options_;
  BatchObserver& observer_;
  const int64_t started_seconds_;
  Notifier* notifier_ = nullptr;  // constant after Attach()

  base::Mutex mutex_;
  fuse_ino_t next_ ABSL_GUARDED_BY(mutex_) = kControlBit;
  absl::flat_hash_map<fuse_ino_t, std::shared_ptr<Node>> nodes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::pair<InodeNumber, int>, fuse_ino_t> directories_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::pair<InodeNumber, std::string>, fuse_ino_t> sessions_ ABSL_GUARDED_BY(mutex_);
  size_t text_count_ ABSL_GUARDED_BY(mutex_) = 0;
  base::ThreadPool sessions_pool_;  // last: its threads use the rest
};

}  // namespace fs

#endif  // FS_MOUNT_CONTROL_TREE_H_
