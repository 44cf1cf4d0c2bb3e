// Slugs: what a title becomes in a URL or in a heading's id.
//
// GitHub's rule: lower case, letters and digits of every script, '-' and '_'
// stay, blanks become '-', the rest goes. The ASCII rule also strips accents
// (NFKD) and drops what has no ASCII letter.
// Threads: no state.
#ifndef SSG_MARKDOWN_SLUG_H_
#define SSG_MARKDOWN_SLUG_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ssg {

enum class SlugStyle { kUnicode, kAscii };

std::string Slugify(absl::string_view text, SlugStyle style = SlugStyle::kUnicode);

// As Slugify, for a part of a path: runs of '-' become one, none at the ends.
std::string PathSlug(absl::string_view text, SlugStyle style = SlugStyle::kUnicode);

}  // namespace ssg

#endif  // SSG_MARKDOWN_SLUG_H_
