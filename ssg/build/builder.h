// Builds a site: reads, renders and stores it, doing only what changes since the
// last build make necessary.
//
// Promise: what is stored does not depend on the number of threads nor on what
//          was built before; see incremental_test.cc.
// Errors:  what is wrong with the site goes to Diagnostics, and nothing is stored
//          then (unless keep_going). The status is for what stops the build itself.
// Threads: thread-compatible.
#ifndef SSG_BUILD_BUILDER_H_
#define SSG_BUILD_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ssg/diagnostics/diagnostics.h"

namespace ssg {

struct BuildOptions {
  std::string site_dir = ".";
  std::string output_dir;  // overrides the configuration
  std::string base_url;    // likewise
  std::string environment = "production";
  bool drafts = false;
  bool future = false;
  bool expired = false;
  bool full = false;                 // ignore what is cached
  bool minify_html = false;          // whatever the configuration says
  bool keep_going = false;           // store what could be rendered in spite of errors
  bool check_only = false;           // render, report, store nothing
  size_t jobs = 0;                   // 0: one for each CPU
  int64_t now = 0;                   // seconds since 1970; 0 = the clock's
  std::string cache_name = "cache";  // the directory in .ssg for what is remembered
  std::string explain;               // an output or content path
};

struct BuildResult {
  size_t page_count = 0;      // HTML files of the site
  size_t rendered_count = 0;  // rendered in this build
  size_t body_count = 0;      // Markdown rendered in this build
  size_t written_count = 0;   // files whose bytes changed
  size_t removed_count = 0;
  size_t output_count = 0;
  bool up_to_date = false;
  bool stored = false;
  std::string output_dir;
  std::vector<std::pair<std::string, absl::Duration>> phases;
  std::vector<std::pair<std::string, absl::Duration>> slow_templates;
  std::vector<std::string> changed_outputs;  // paths stored or removed
  std::string explanation;
};

absl::StatusOr<BuildResult> BuildSite(const BuildOptions& options, Diagnostics& diagnostics);

}  // namespace ssg

#endif  // SSG_BUILD_BUILDER_H_
