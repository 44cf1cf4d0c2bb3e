// The words after -o, as mount(8), fstab and people write them.
//
// Shape:   "ro,allow_other,size=64G": ours are taken out, the kernel's are passed on,
//          mount(8)'s own bookkeeping (defaults, auto, user, nofail, x-...) is dropped.
// Errors:  InvalidArgument  an unknown word, named with a near miss; a value that is
//                           missing, bad or too much
// Threads: plain value.
#ifndef FS_MOUNT_MOUNT_OPTIONS_H_
#define FS_MOUNT_MOUNT_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/command_line.h"

namespace fs {

struct MountOptions {
  enum class Sharing : uint8_t {
    kDefault,    // root's mounts are for all users, others' for their owner
    kAllUsers,   // allow_other
    kAndRoot,    // allow_root
    kOwnerOnly,  // private
  };

  bool read_only = false;
  Sharing sharing = Sharing::kDefault;
  bool nonempty = false;
  bool force = false;
  uint64_t size_bytes = 0;  // 0 = not said
  std::string log_dir;
  bool block_device = false;        // a fuseblk mount, which the kernel tells of sync(2)
  bool plain_open = false;          // send OPEN and RELEASE, for tests and measurements
  std::vector<std::string> kernel;  // passed on as they are

  // Adds the words of one -o.
  absl::Status Parse(absl::string_view list);

  // Whether all users may come in, with the kernel checking permissions.
  bool shared(uid_t uid) const;
  // Whether the kernel checks permissions: not for root's private mount, where root may do
  // everything anyway and each check would cost a request.
  bool default_permissions(uid_t uid) const;
  // What libfuse is given, for the store `source`.
  std::vector<std::string> ForFuse(absl::string_view source, uid_t uid) const;
};

}  // namespace fs

#endif  // FS_MOUNT_MOUNT_OPTIONS_H_
