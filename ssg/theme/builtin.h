// The built-in theme's files, compiled into the program.
//
// Threads: immutable.
#ifndef SSG_THEME_BUILTIN_H_
#define SSG_THEME_BUILTIN_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace ssg {

struct BuiltinFile {
  absl::string_view path;  // "templates/base.html", "assets/css/ssg.css"
  absl::string_view text;
};

// Sorted by path.
const std::vector<BuiltinFile>& BuiltinTheme();

}  // namespace ssg

#endif  // SSG_THEME_BUILTIN_H_
