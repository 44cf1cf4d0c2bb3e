// Python's textwrap.wrap() for one paragraph, as the wordwrap filter uses it.
//
// Threads: no state.
// Source:  CPython 3.11, Lib/textwrap.py.
#ifndef SSG_TEMPLATE_TEXT_WRAP_H_
#define SSG_TEMPLATE_TEXT_WRAP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

struct WrapOptions {
  int64_t width = 79;  // In code points, positive.
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

std::vector<std::string> WrapText(absl::string_view text, const WrapOptions& options);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_TEXT_WRAP_H_
