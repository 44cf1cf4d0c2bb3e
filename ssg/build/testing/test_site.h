// A TestSite is a small site in a directory of its own, to be edited and built.
//
// Threads: thread-compatible.
#ifndef SSG_BUILD_TESTING_TEST_SITE_H_
#define SSG_BUILD_TESTING_TEST_SITE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/testing/temp_dir.h"
#include "ssg/build/builder.h"
#include "ssg/diagnostics/diagnostics.h"

namespace ssg {

using FileTree = std::map<std::string, std::string>;  // path -> bytes

class TestSite {
 public:
  // With an ssg.toml and a home page.
  TestSite();

  const std::string& path() const { return directory_.path(); }
  void Write(absl::string_view path, absl::string_view text);
  bool Exists(absl::string_view path) const;
  std::string Read(absl::string_view path) const;
  void Remove(absl::string_view path);
  void Rename(absl::string_view from, absl::string_view to);
  // All files below `directory`, which is relative to the site.
  FileTree Tree(absl::string_view directory) const;

  // Defaults for BuildSite: this directory, a fixed time.
  BuildOptions Options() const;
  // Builds; findings go to `log()`, one a line.
  absl::StatusOr<BuildResult> Build(const BuildOptions& options);
  absl::StatusOr<BuildResult> Build() { return Build(Options()); }
  const std::string& log() const { return log_; }
  size_t error_count() const { return error_count_; }

  // What a build from nothing gives; {} if it fails.
  FileTree CleanTree();

 private:
  base::TempDir directory_;
  std::string log_;
  size_t error_count_ = 0;
};

}  // namespace ssg

#endif  // SSG_BUILD_TESTING_TEST_SITE_H_
