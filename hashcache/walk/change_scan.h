// A ChangeScan compares a tree with a snapshot of it and takes the next one.
//
// Rules:   an entry is unchanged if inode, size, mtime, ctime and kind are; one that was younger
//          than a clock tick when the snapshot was taken counts as changed. A directory whose own
//          times are unchanged is not listed again.
// Reports: files, links and others, not directories; with a directory go all in it.
// Threads: made and run on one thread; its units on many.
#ifndef HASHCACHE_WALK_CHANGE_SCAN_H_
#define HASHCACHE_WALK_CHANGE_SCAN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hashcache/engine/context.h"
#include "hashcache/engine/pipeline.h"
#include "hashcache/tree.h"
#include "hashcache/walk/ignore.h"
#include "hashcache/walk/snapshot.h"

namespace hashcache {

class ChangeScan {
 public:
  // `before` may be empty: then everything is added.
  ChangeScan(Context& context, const TreeOptions& options, const Snapshot& before);
  ~ChangeScan();

  // Errors: the root's
  absl::StatusOr<std::unique_ptr<Unit>> Root(absl::string_view root, Pipeline& pipeline);

  // After the pipeline ran.
  // Changes sorted by path; no token.
  ChangeSet TakeChanges();
  bool changed() const { return changed_; }
  // Of the next snapshot; borrowed from this and from `before`.
  std::vector<absl::string_view> Blocks() const;

 private:
  struct Directory;
  class ScanUnit;

  // One directory as found, in the order of the walk.
  struct Scanned {
    absl::string_view old_block;  // unchanged: as before
    std::string new_block;
  };
  void RemovedBelow(absl::string_view path, std::vector<ChangeSet::Change>* changes) const;

  Context& context_;
  const TreeOptions options_;
  const Snapshot& before_;
  absl::flat_hash_set<std::string> hidden_;
  uint64_t root_device_ = 0;
  std::vector<Scanned> scanned_;
  ChangeSet changes_;
  bool changed_ = false;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_CHANGE_SCAN_H_
