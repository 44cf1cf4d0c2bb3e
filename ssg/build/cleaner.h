// Removing what was built, and listing what there is to build.
//
// Threads: no state.
#ifndef SSG_BUILD_CLEANER_H_
#define SSG_BUILD_CLEANER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ssg/diagnostics/diagnostics.h"

namespace ssg {

// Removes the outputs that the site's manifest records, nothing else, and the
// cache. With `cache_only`, only the cache. The number of files removed.
absl::StatusOr<size_t> CleanSite(const std::string& site_dir, bool cache_only);

struct ContentEntry {
  std::string file;
  std::string title;
  std::string url;
  std::string date;
  std::string state;  // "", "draft", "future", "expired"
};
absl::StatusOr<std::vector<ContentEntry>> ListContent(const std::string& site_dir, Diagnostics& diagnostics);

}  // namespace ssg

#endif  // SSG_BUILD_CLEANER_H_
