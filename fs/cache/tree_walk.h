// Walks a tree on the device page by page and goes on past damaged ones.
//
// Threads: no state.
#ifndef FS_CACHE_TREE_WALK_H_
#define FS_CACHE_TREE_WALK_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "fs/disk/device.h"
#include "fs/format/page.h"
#include "fs/format/superblock.h"

namespace fs {

struct WalkedPage {
  PageRef ref;
  int level = 0;               // where it hangs
  absl::Status status;         // what is wrong with it: then nothing below it is visited
  absl::Span<uint8_t> bytes;   // as read; only sound if status is OK
};

// Visits each page, parents before children, in the order of keys, at most `pages_max` of
// them. DataLoss if there are more.
absl::Status WalkTree(Device& device, const Superblock& superblock, uint64_t pages_max,
                      absl::FunctionRef<void(const WalkedPage&)> visit);

}  // namespace fs

#endif  // FS_CACHE_TREE_WALK_H_
