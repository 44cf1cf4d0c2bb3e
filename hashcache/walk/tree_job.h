// A TreeJob walks one tree as units of a Pipeline: directories are listed, their files hashed in
// groups, and everything is shown to a TreeSink in order.
//
// Beneath: every directory is opened by one name below its parent's descriptor, links not followed,
//          so no rename or link swap during the walk leads outside.
// Bounds:  open descriptors: one per level, and per directory being worked on.
// Threads: made and run on one thread; its units on many.
#ifndef HASHCACHE_WALK_TREE_JOB_H_
#define HASHCACHE_WALK_TREE_JOB_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "hashcache/digest_provider.h"
#include "hashcache/engine/context.h"
#include "hashcache/engine/pipeline.h"
#include "hashcache/tree.h"
#include "hashcache/walk/ignore.h"

namespace hashcache {

class TreeJob {
 public:
  TreeJob(const TreeOptions& options, TreeSink& sink,
          std::vector<std::unique_ptr<DigestProvider>> providers)
      : options_(options), sink_(sink), providers_(std::move(providers)) {}

  // The unit to begin with. Errors: the root's
  absl::StatusOr<std::unique_ptr<Unit>> Root(absl::string_view root, Pipeline& pipeline);

 private:
  struct Directory;
  class ListUnit;
  class FilesUnit;

  const TreeOptions options_;
  TreeSink& sink_;
  const std::vector<std::unique_ptr<DigestProvider>> providers_;
  absl::flat_hash_set<std::string> hidden_;
  uint64_t root_device_ = 0;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_TREE_JOB_H_
