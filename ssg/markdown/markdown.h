// Markdown to HTML: CommonMark 0.31 and GitHub's extensions (parsed by md4c),
// footnotes, heading ids and attributes, definition lists, alerts, admonitions,
// directives and math, rendered by our own renderer in one pass that also
// collects what a site wants to know: headings, links, words, summary, text.
//
// Bounds:  sources up to `source_bytes_max`; HTML up to 64 times the source and
//          1 MiB; directives nest up to 32 deep; autolinks up to 5,000 in one
//          paragraph (md4c is quadratic in them).
// Errors:  InvalidArgument    not UTF-8, a directive without end
//          ResourceExhausted  one of the bounds
//          A message starts with "LINE: ".
// Threads: RenderMarkdown is thread-safe; a MarkdownHooks is called by the
//          rendering thread only.
#ifndef SSG_MARKDOWN_MARKDOWN_H_
#define SSG_MARKDOWN_MARKDOWN_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/markdown/slug.h"

namespace ssg {

struct MarkdownOptions {
  bool raw_html = true;     // else escaped
  bool tag_filter = false;  // GFM: <script>, <style>, ... lose their effect
  bool github = true;       // tables, strikethrough, task lists, autolinks
  bool footnotes = true;
  bool definition_lists = true;
  bool directives = true;        // ":::" and "!!!"
  bool alerts = true;            // "> [!NOTE]"
  bool heading_ids = true;       // and {#id .class} after headings
  bool heading_anchors = false;  // a link to itself in each heading
  bool shortcodes = false;       // "{{ name() }}", "{{< name >}}"; they ask the hooks
  bool math = false;             // $..$ and $$..$$ become \(..\) and \[..\]
  bool collect_text = false;
  SlugStyle slug_style = SlugStyle::kUnicode;
  size_t source_bytes_max = 32 << 20;
};

struct Heading {
  uint32_t level = 1;
  std::string id;
  std::string html;          // inner HTML without anchor
  uint32_t text_offset = 0;  // where its section starts in `text`
};

struct MarkdownLink {
  std::string destination;  // as written, references decoded
  uint32_t line = 0;
  bool image = false;
};

struct RenderedMarkdown {
  std::string html;
  std::vector<Heading> headings;
  std::vector<std::string> ids;     // every id in html that a link may name, headings' too
  std::vector<MarkdownLink> links;  // in source order
  std::string text;                 // plain text, if collect_text
  uint32_t word_count = 0;
  uint32_t summary_size = 0;  // bytes of html before <!--more-->, else of the first paragraph
  bool summary_is_explicit = false;
};

using Attributes = std::vector<std::pair<std::string, std::string>>;

struct CodeBlockElement {
  absl::string_view language;
  absl::string_view info;  // what follows the language
  absl::string_view code;
  uint32_t line;
};

struct ImageElement {
  absl::string_view destination;  // resolved, not escaped
  absl::string_view source;       // as written
  absl::string_view alt;
  absl::string_view title;
  uint32_t line;
};

struct LinkElement {
  absl::string_view destination;
  absl::string_view html;  // the text
  absl::string_view title;
  uint32_t line;
};

struct HeadingElement {
  uint32_t level;
  absl::string_view id;
  absl::string_view html;
  const Attributes& attributes;
  uint32_t line;
};

struct DirectiveElement {
  absl::string_view name;
  absl::string_view argument;
  absl::string_view body;  // Markdown
  absl::string_view html;  // rendered body
  bool collapsible;
  uint32_t line;
};

struct ShortcodeArgument {
  std::string name;  // "" if positional
  std::string value;
  bool quoted = false;
};

struct ShortcodeElement {
  absl::string_view name;
  const std::vector<ShortcodeArgument>& arguments;
  absl::string_view text;    // the call as written
  absl::string_view source;  // the body, Markdown
  absl::string_view html;    // the body, rendered
  bool has_body;
  bool may_want_body;   // it could have had a body, but has no end
  bool in_destination;  // of a link or image: the result is resolved as if written there
  uint32_t line;
  uint32_t column;
  absl::string_view problem;  // not empty: what is wrong with the call
};

// What a site adds. Each element function may append its own HTML and return
// true; after false nothing may have been appended and the built-in HTML is used.
class MarkdownHooks {
 public:
  virtual ~MarkdownHooks() = default;

  // The URL for `destination` (as written).
  virtual std::string ResolveLink(absl::string_view destination, bool image, uint32_t line);
  virtual bool RenderCodeBlock(const CodeBlockElement& element, std::string* html);
  virtual bool RenderImage(const ImageElement& element, std::string* html);
  virtual bool RenderLink(const LinkElement& element, std::string* html);
  virtual bool RenderHeading(const HeadingElement& element, std::string* html);
  virtual bool RenderDirective(const DirectiveElement& element, std::string* html);
  virtual bool RenderShortcode(const ShortcodeElement& element, std::string* html);
};

// Renders `source`, whose first line is line `first_line` of its file.
absl::StatusOr<RenderedMarkdown> RenderMarkdown(absl::string_view source, const MarkdownOptions& options,
                                                MarkdownHooks& hooks, uint32_t first_line = 1);

// "title" -> {title: ..}: `key=value key2="two words" .class #id flag`. `.a .b` give one "class".
Attributes ParseAttributes(absl::string_view text);

// The headings in [level_min, level_max] as nested <ul> lists, "" if none.
std::string TableOfContents(const std::vector<Heading>& headings, uint32_t level_min, uint32_t level_max);

}  // namespace ssg

#endif  // SSG_MARKDOWN_MARKDOWN_H_
