// What is walked of a tree, and what a walk gives.
//
// Threads: values; a TreeSink is called on the thread that called HashTree.
#ifndef HASHCACHE_TREE_H_
#define HASHCACHE_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/result.h"

namespace hashcache {

struct TreeOptions {
  AlgorithmSet algorithms = Algorithm::kBlake3;  // empty: only look, read nothing
  bool follow_links = false;                     // -L: as what they point to; loops are cut
  bool one_file_system = false;                  // do not enter other mounts
  bool use_gitignore = false;                    // .gitignore and .git/info/exclude, and skip .git
  bool use_hashcacheignore = true;               // .hashcacheignore, same syntax
  bool skip_tagged_caches = false;               // of directories with a CACHEDIR.TAG only the tag
  std::vector<std::string> ignore;               // more patterns, as at the root
  std::vector<std::string> hide;                 // full paths below the root that do not exist for us
};

enum class EntryKind : uint8_t { kFile, kDirectory, kSymlink, kOther };

struct TreeEntry {
  absl::string_view path;  // bytes below the root, "" = the root itself
  EntryKind kind = EntryKind::kFile;
  absl::string_view link_target;  // of a symlink
};

class TreeSink {
 public:
  virtual ~TreeSink() = default;
  // Directories come before what is in them; entry.path dies with the call. A
  // directory that could not be listed has a status; a symlink or other file
  // has no digests. Returning false ends the walk.
  virtual bool Visit(const TreeEntry& entry, FileResult&& result) = 0;
};

struct ChangeSet {
  struct Change {
    enum class Kind { kAdded, kChanged, kRemoved };
    std::string path;
    Kind kind;
  };
  std::vector<Change> changes;  // sorted by path
  bool rescan = false;          // the token tells nothing: everything may have changed
  std::string token;            // for the next call
  uint64_t files_looked_at = 0;
  std::vector<absl::Status> errors;  // directories that could not be listed
};

}  // namespace hashcache

#endif  // HASHCACHE_TREE_H_
