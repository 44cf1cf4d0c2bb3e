// A Transport carries requests between the kernel's FUSE connection of one mount
// and a table of libfuse low-level handlers. It is the only place that knows the
// kernel's raw protocol.
//
// Shape:   one session mounts and never reads; a second one serves a dup() of its
//          descriptor through fuse_session_custom_io, so that every request and
//          every reply passes our hooks.
// Raw:     libfuse 3.14 hides what the kernel offers. The hooks
//            - negotiate HANDLE_KILLPRIV_V2 and SETXATTR_EXT in the INIT reply,
//            - keep the raw flags of the request being dispatched (raw_flags()),
//            - answer TMPFILE (51) and SYNCFS (50) through RawOperations,
//            - tell a RequestMeter of each request and each reply.
// Life:    Mount() -> Serve() until the mount is gone -> destructor.
// Errors:  PermissionDenied    the user may not mount here
//          NotFound            no /dev/fuse
//          other               what the kernel or fusermount3 said
// Threads: Serve() runs on one thread, which calls every handler. Replies, notices,
//          Unmount() and Stop() may come from any thread.
// Source:  linux/fuse.h, protocol 7.38; libfuse 3.14 fuse_lowlevel.h.
#ifndef FS_MOUNT_TRANSPORT_H_
#define FS_MOUNT_TRANSPORT_H_

// fuse_lowlevel.h wants it before the first include.
#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 314
#endif
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "fs/mount/request_meter.h"

struct iovec;

namespace fs {

// Who asks, of a request that libfuse 3.14 cannot dispatch.
struct RawRequest {
  uint64_t unique = 0;
  fuse_ino_t inode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};

// What libfuse 3.14 has no handlers for. Each call ends with one ReplyRaw*().
class RawOperations {
 public:
  virtual ~RawOperations() = default;
  virtual void TmpFile(const RawRequest& request, mode_t mode, mode_t umask) = 0;
  virtual void SyncFs(const RawRequest& request) = 0;
  // The kernel waits for this with umount(2), of a mount on a block device. Returns when done.
  virtual void Destroy() = 0;
};

// Flags of the request being dispatched that libfuse 3.14 drops.
struct RawFlags {
  bool kill_suid_sgid = false;  // WRITE, SETATTR, OPEN: the caller may not keep them
  bool acl_kill_sgid = false;   // SETXATTR of an access ACL by one outside the group
};

class Transport {
 public:
  struct Options {
    std::string mount_point;
    std::vector<std::string> mount_options;  // each "name" or "name=value"
    RequestMeter* meter = nullptr;           // must outlive the transport
  };

  // Mounts. Requests wait in the kernel until Serve(). `user` is what fuse_req_userdata() gives to
  // handlers; `raw` and `user` must outlive the result.
  static absl::StatusOr<std::unique_ptr<Transport>> Mount(const Options& options, const fuse_lowlevel_ops& operations,
                                                          void* user, RawOperations* raw);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Dispatches until the mount is gone or Stop() was called.
  absl::Status Serve();
  // Takes the mount out of the namespace, lazily if it is busy. Idempotent.
  void Unmount();
  // Makes Serve() return after the request in hand, and waits until it has, but for at most a few
  // seconds. REQUIRES: not called from a handler.
  void Stop();

  // REQUIRES: called from a handler, before it returns.
  const RawFlags& raw_flags() const { return raw_flags_; }
  // Whether the kernel lets us clear suid, sgid and capabilities ourselves.
  bool handles_killpriv() const { return handles_killpriv_.load(std::memory_order_relaxed); }

  void ReplyRawError(const RawRequest& request, int error);
  // A created and opened file, as CREATE and TMPFILE want it.
  void ReplyRawCreated(const RawRequest& request, const fuse_entry_param& entry);

  fuse_session* session() const { return serving_; }
  void* user() const { return user_; }

 private:
  Transport(const Options& options, void* user, RawOperations* raw)
      : mount_point_(options.mount_point), user_(user), raw_(raw), meter_(*options.meter) {}
  absl::Status Start(const Options& options, const fuse_lowlevel_ops& operations);
  absl::Status ServeUntilEnd();

  static ssize_t ReadHook(int fd, void* buffer, size_t size, void* self);
  static ssize_t WritevHook(int fd, iovec* parts, int count, void* self);
  // False if the request was taken care of and must not reach libfuse. May change `*size` to that
  // of the form that libfuse 3.14 expects.
  bool InspectRequest(char* bytes, ssize_t* size);
  void InspectInitReply(iovec* parts, int count);
  void ReplyRaw(const RawRequest& request, int error, const void* bytes, size_t size);

  // Constant after Mount().
  const std::string mount_point_;
  void* const user_;
  RawOperations* const raw_;
  RequestMeter& meter_;
  fuse_session* mounting_ = nullptr;
  fuse_session* serving_ = nullptr;
  int fd_ = -1;

  std::atomic<bool> mounted_{false};
  base::Mutex serve_mutex_;
  bool serve_running_ ABSL_GUARDED_BY(serve_mutex_) = false;
  pthread_t serve_thread_ ABSL_GUARDED_BY(serve_mutex_){};
  std::atomic<bool> init_answered_{false};
  std::atomic<bool> handles_killpriv_{false};
  // The serving thread's own.
  RawFlags raw_flags_;
  uint32_t offered_flags_ = 0;
  bool setxattr_extended_ = false;
};

}  // namespace fs

#endif  // FS_MOUNT_TRANSPORT_H_
