// Makes links of the URLs and mail addresses in text, and undoes entities.
//
// Threads: no state.
// Source:  jinja2.utils.urlize, markupsafe.Markup.unescape.
#ifndef SSG_TEMPLATE_URLIZE_H_
#define SSG_TEMPLATE_URLIZE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

struct UrlizeOptions {
  int64_t text_max = -1;  // Code points of a URL that are shown; negative: all.
  std::string rel;        // Escaped, as `target` is; empty for none.
  std::string target;
  std::vector<std::string> extra_schemes;
};

// `html` is escaped text.
std::string Urlize(absl::string_view html, const UrlizeOptions& options);

// "ftp:", "tel:" and the like.
bool IsSchemePrefix(absl::string_view text);

// Entities of HTML become the characters they mean; unknown ones stay.
std::string Unescape(absl::string_view html);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_URLIZE_H_
