// The SuperblockStore reads and writes the three copies of the superblock.
//
// Order:   a write goes to two copies: copies 0 and 1 take turns, copy 2 is always written. So one valid copy is left at every moment,
//          and after the flush two copies hold the new state.
// Errors:  FailedPrecondition  no superblock at all: not a volume
//          DataLoss            copies, but no valid one; or one that does not fit the device
//          Unimplemented       a newer format
// Threads: thread-compatible.
// Source:  fs/format/FORMAT.md, "Superblock"; rules R1, R2.
#ifndef FS_CACHE_SUPERBLOCK_STORE_H_
#define FS_CACHE_SUPERBLOCK_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/disk/device.h"
#include "fs/format/superblock.h"

namespace fs {

class SuperblockStore {
 public:
  // The state of one copy, for fsck and dump.
  struct Copy {
    uint64_t address = 0;
    absl::Status status;
    Superblock superblock;  // if status is OK
  };
  static std::vector<Copy> ReadCopies(Device& device);
  // What `device` is instead, if none of its copies is valid.
  static absl::Status NoVolume(Device& device, const std::vector<Copy>& copies);

  // The newest valid copy.
  static absl::StatusOr<SuperblockStore> Open(Device& device);
  // All three copies, for mkfs; one flush.
  static absl::Status WriteAll(Device& device, const Superblock& superblock);

  const Superblock& current() const { return current_; }
  // What was wrong with other copies, for people.
  const std::vector<std::string>& notes() const { return notes_; }

  // Writes `next` with the next generation to two copies; durable only after a flush.
  // On an error nothing is known about those two.
  absl::Status Write(Device& device, Superblock next);
  // After the flush: `next` is the current one.
  void Flushed() {
    current_ = next_;
    turn_ = 1 - turn_;
  }
  // Rewrites the copies that were invalid at Open(), and flushes. Before the first Write(). The copies' numbers.
  absl::StatusOr<std::vector<int>> Repair(Device& device);

 private:
  Superblock current_;
  Superblock next_;
  int turn_ = 0;  // copy 0 or 1, whichever is written next
  std::vector<int> broken_;
  std::vector<std::string> notes_;
};

}  // namespace fs

#endif  // FS_CACHE_SUPERBLOCK_STORE_H_
