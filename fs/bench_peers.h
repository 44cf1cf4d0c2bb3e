// The filesystems that tools/bench fs compares, each mounted in a directory of its own.
//
// Shape:   ext4 and btrfs on loop devices with direct I/O over image files, as cachefs has
//          one; bindfs over the ext4 one as the FUSE peer; tmpfs as the limit.
// Life:    Start() -> Remount() as often as a cold cache is wanted -> destructor, which
//          takes everything away.
// Errors:  what the programs that make and mount them said
// Threads: thread-compatible.
#ifndef FS_BENCH_PEERS_H_
#define FS_BENCH_PEERS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fs {

class Peer {
 public:
  Peer(std::string name, std::string directory) : name_(std::move(name)), directory_(std::move(directory)) {}
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  virtual absl::Status Start() = 0;
  // Forgets all that is cached, in daemons too.
  virtual absl::Status Remount() = 0;
  // Of the daemon, if there is one; else 0.
  virtual pid_t pid() const { return 0; }

  const std::string& name() const { return name_; }
  // Where the work is done.
  std::string root() const { return directory_ + "/mnt"; }

 protected:
  const std::string name_;
  const std::string directory_;
};

// `kind` is ext4, btrfs, bindfs, tmpfs, cachefs or private. Files go below `directory`.
std::unique_ptr<Peer> MakePeer(absl::string_view kind, const std::string& directory, uint64_t image_bytes);

// Everything that was written to the filesystem of `root` is durable: sync(1) does not
// reach the daemon of a FUSE mount, so the root's fsync is the barrier for all alike.
absl::Status MakeDurable(const std::string& root);

}  // namespace fs

#endif  // FS_BENCH_PEERS_H_
