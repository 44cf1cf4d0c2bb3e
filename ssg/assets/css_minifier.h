// Minifies CSS: comments, blanks and last semicolons go; nothing is rewritten.
//
// Threads: no state.
#ifndef SSG_ASSETS_CSS_MINIFIER_H_
#define SSG_ASSETS_CSS_MINIFIER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ssg {

// Any input is accepted; what is not CSS stays as it is as far as possible.
// Comments that start with "/*!" are kept.
std::string MinifyCss(absl::string_view css);

}  // namespace ssg

#endif  // SSG_ASSETS_CSS_MINIFIER_H_
