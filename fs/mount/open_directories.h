// OpenDirectories: which directories the kernel has open, and which of its listings it may keep.
//
// Shape:   the kernel keeps a listing (FOPEN_CACHE_DIR) and throws it away when it changes the
//          directory itself. What changes otherwise (a batch, eviction, expiry) is announced to
//          it; but a listing that was being read at that moment may be kept in its old form. So a
//          directory that changed while it was open is old: nobody keeps its listing until
//          all have closed it, and the next to open it begins with none.
// Bounds:  one entry for each directory that is open, or was when it changed
// Threads: thread-safe.
#ifndef FS_MOUNT_OPEN_DIRECTORIES_H_
#define FS_MOUNT_OPEN_DIRECTORIES_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "fs/volume/types.h"

namespace fs {

class OpenDirectories {
 public:
  // The directory is opened: what to tell the kernel.
  Listing Open(InodeNumber directory) ABSL_LOCKS_EXCLUDED(mutex_);
  // REQUIRES: one Open() before.
  void Close(InodeNumber directory) ABSL_LOCKS_EXCLUDED(mutex_);
  // The directory has changed otherwise than by a request of the kernel's.
  void Changed(InodeNumber directory) ABSL_LOCKS_EXCLUDED(mutex_);

  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct State {
    uint32_t open_count = 0;
    bool is_old = false;
  };
  mutable base::Mutex mutex_;
  absl::flat_hash_map<InodeNumber, State> states_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_MOUNT_OPEN_DIRECTORIES_H_
