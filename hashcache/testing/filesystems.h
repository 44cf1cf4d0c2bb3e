// Directories on different filesystems for tests: the temporary directory, a cachefs mount of the
// daemon that the environment variable CACHEFS names, and, for root, tmpfs and with loop devices
// images of ext4 (also with 128-byte inodes), xfs and btrfs.
//
// Life:    images are made and mounted at the first use in a process and unmounted at its end.
// Threads: single thread (main).
#ifndef HASHCACHE_TESTING_FILESYSTEMS_H_
#define HASHCACHE_TESTING_FILESYSTEMS_H_

#include <string>
#include <vector>

namespace hashcache {

// "tmp", "tmpfs", "ext4", "ext4_128", "xfs", "btrfs", "cachefs".
std::vector<std::string> FilesystemNames();

struct TestFilesystem {
  std::string directory;   // empty: not to be had here
  std::string why_not;
};
// The same directory for the same name each time.
const TestFilesystem& FilesystemByName(const std::string& name);

}  // namespace hashcache

#endif  // HASHCACHE_TESTING_FILESYSTEMS_H_
