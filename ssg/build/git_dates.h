// When each file was last committed, from one `git log` that is run without a
// shell. The answer is remembered in a file and used until HEAD moves.
//
// Shape:   paths are relative to the site, whose directory may lie anywhere in
//          the repository. The date is that of the newest commit (in the order of
//          the log) that touched the file; a renamed file starts anew.
// Bounds:  256 MiB of log; two minutes.
// Errors:  NotFound            git is not installed
//          FailedPrecondition  not a repository, or one without commits
//          other               of running git
// Threads: thread-compatible; const once read.
#ifndef SSG_BUILD_GIT_DATES_H_
#define SSG_BUILD_GIT_DATES_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ssg {

// What HEAD is, and where in its repository the site lies: dates change only with it.
absl::StatusOr<std::string> GitState(const std::string& site_dir);

class GitDates {
 public:
  // Of the files below content/. `cache_path` is read, and rewritten if `state` is another.
  static absl::StatusOr<GitDates> Read(const std::string& site_dir, const std::string& state,
                                       const std::string& cache_path);

  // Seconds since 1970; kNoDate if git does not know the file.
  int64_t DateOf(absl::string_view path) const;

 private:
  // Takes the output of `git log`.
  void Parse(absl::string_view log);

  absl::flat_hash_map<std::string, int64_t> dates_;
};

}  // namespace ssg

#endif  // SSG_BUILD_GIT_DATES_H_
