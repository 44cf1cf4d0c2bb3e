// A Body is rendered Markdown in the form in which it is cached: one run of
// bytes that a page's fields point into.
//
// Threads: no state.
#ifndef SSG_SITE_BODY_H_
#define SSG_SITE_BODY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ssg/markdown/markdown.h"

namespace ssg {

// A link as the checker wants it.
struct CheckedLink {
  uint32_t line = 0;
  bool image = false;
  absl::string_view target;  // "page KEY", resolved URL path, or "#" alone for the page itself
  absl::string_view anchor;  // without "#"
};

struct BodyFacts {
  std::vector<absl::string_view> ids;
  std::vector<CheckedLink> links;
};

// `links` as the hooks resolved them: line, image, target, anchor.
struct ResolvedLink {
  uint32_t line;
  bool image;
  std::string target;
  std::string anchor;
};

std::string EncodeBody(const RenderedMarkdown& rendered, const std::vector<ResolvedLink>& links);

// The parts of an encoded body; all empty if `bytes` were not made by EncodeBody.
struct BodyView {
  uint32_t word_count = 0;
  absl::string_view html;
  absl::string_view summary_html;
  absl::string_view toc_html;
  absl::string_view headings;  // AppendBinary() of a list of {level, id, html, offset}
  absl::string_view text;
};
BodyView ViewBody(absl::string_view bytes);

// What the link check needs.
// Errors: DataLoss  not made by EncodeBody
absl::Status DecodeFacts(absl::string_view bytes, BodyFacts* facts);

}  // namespace ssg

#endif  // SSG_SITE_BODY_H_
