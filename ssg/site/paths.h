// Parts of '/'-separated relative paths.
//
// Threads: no state.
#ifndef SSG_SITE_PATHS_H_
#define SSG_SITE_PATHS_H_

#include "absl/strings/string_view.h"

namespace ssg {

// "blog/2024/a.md" -> "blog/2024"; "" if there is none.
inline absl::string_view DirectoryOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

inline absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace ssg

#endif  // SSG_SITE_PATHS_H_
