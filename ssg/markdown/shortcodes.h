// Finds shortcodes in Markdown and puts a token in the place of each, which the
// renderer meets again where Markdown put it.
//
//   {{ name(a="b", 3) }}    {{< name a="b" 3 >}}    {{< name />}}
//   {% name(a="b") %}body{% end %}    {{< name >}}body{{< /name >}}
//
// Shape:   code (fenced, spans) and comments are skipped. "{{</* x */>}}" and
//          "{{/* x() */}}" stand for themselves without the asterisks. A token is
//          U+FDD0, a number, U+FDD1: text that Markdown leaves alone. "{{< x >}}"
//          has a body if "{{< /x >}}" follows.
// Bounds:  10,000 shortcodes in a page.
// Errors:  InvalidArgument    an end without a beginning, U+FDD0 in the source;
//          ResourceExhausted  too many
//          A message starts with "LINE:COLUMN: ". What is wrong with one call is
//          kept in it: it may turn out to be code.
// Threads: no state.
#ifndef SSG_MARKDOWN_SHORTCODES_H_
#define SSG_MARKDOWN_SHORTCODES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ssg/markdown/markdown.h"

namespace ssg::internal {

struct Shortcode {
  std::string name;
  std::vector<ShortcodeArgument> arguments;
  absl::string_view text;  // the whole call in the source
  absl::string_view body;  // in the source
  bool has_body = false;
  bool may_want_body = false;  // "{{< x >}}" without an end
  uint32_t line = 0;           // of the source
  uint32_t column = 0;
  uint32_t body_line = 0;
  std::string problem;  // what is wrong with it
};

// How lines of a text with tokens map to those of its source.
struct LineMap {
  std::vector<std::pair<uint32_t, uint32_t>> shifts;  // after line, lines left out so far
  uint32_t SourceLine(uint32_t line) const;
};

// One cheap scan.
bool HasShortcodes(absl::string_view source);

// Appends to `out` the source, whose first line is `first_line`, with tokens, and to `shortcodes` what they stand for.
absl::Status TakeShortcodes(absl::string_view source, uint32_t first_line, std::vector<Shortcode>* shortcodes,
                            LineMap* lines, std::string* out);

// The first token in `text`: where it begins and ends, and its number. False if there is none.
bool FindToken(absl::string_view text, size_t* begin, size_t* end, size_t* number);

}  // namespace ssg::internal

#endif  // SSG_MARKDOWN_SHORTCODES_H_
