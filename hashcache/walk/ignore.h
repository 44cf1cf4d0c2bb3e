// What a tree walk leaves out: the rules of .gitignore files and their like.
//
// Shape:   an IgnoreScope holds the patterns of one directory and points to the scope around it.
//          The last pattern that matches in the innermost scope decides.
// Bounds:  an ignore file is read up to kFileSizeMax; the rest is left out.
// Threads: thread-safe once made.
// Source:  gitignore(5).
#ifndef HASHCACHE_WALK_IGNORE_H_
#define HASHCACHE_WALK_IGNORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hashcache/walk/wildcard.h"

namespace hashcache {

class IgnoreScope {
 public:
  static constexpr size_t kFileSizeMax = 1 << 20;

  // `directory` is the path that patterns are relative to, "" or "a/b/";
  // `around` may be null.
  IgnoreScope(std::string directory, std::shared_ptr<const IgnoreScope> around)
      : directory_(std::move(directory)), around_(std::move(around)) {}

  // Adds a file's lines; later ones win.
  void AddLines(absl::string_view text);
  // `path` lies below this scope's directory.
  bool Ignores(absl::string_view path, bool is_directory) const;
  bool empty() const { return patterns_.empty(); }

 private:
  struct Pattern {
    Wildcard wildcard;
    bool negated;
    bool directories_only;
    bool whole_path;  // else only the last component is looked at
  };
  void AddLine(absl::string_view line);

  const std::string directory_;
  const std::shared_ptr<const IgnoreScope> around_;
  std::vector<Pattern> patterns_;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_IGNORE_H_
