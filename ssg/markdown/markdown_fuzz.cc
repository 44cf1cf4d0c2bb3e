// Markdown with every extension on must never crash nor grow without bound.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "ssg/markdown/markdown.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view source(reinterpret_cast<const char*>(data), size);
  ssg::MarkdownHooks hooks;
  ssg::MarkdownOptions options;
  options.math = true;
  options.shortcodes = true;
  options.heading_anchors = true;
  options.collect_text = true;
  const auto rendered = ssg::RenderMarkdown(source, options, hooks);
  if (rendered.ok()) {
    if (rendered->summary_size > rendered->html.size()) __builtin_trap();
    ssg::TableOfContents(rendered->headings, 1, 6);
  }
  ssg::ParseAttributes(source);
  return 0;
}
