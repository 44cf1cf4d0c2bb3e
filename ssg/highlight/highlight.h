// Highlight() turns source code into HTML with Pygments' short class names, so that stylesheets made for Pygments,
// Chroma or Rouge fit.
//
// Shape:   <div class="highlight"><pre><code class="language-go" data-lang="go">…</code></pre></div>, each token a
//          <span class="kd">; with line numbers or marked lines, each line a <span class="line"> too.
// Bounds:  time and memory are linear in the code; what a lexer does not understand passes as plain text.
// Threads: thread-safe.
//
// Example:
//   std::string html = ssg::highlight::Highlight("go", "x := 1\n", {});
#ifndef SSG_HIGHLIGHT_HIGHLIGHT_H_
#define SSG_HIGHLIGHT_HIGHLIGHT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::highlight {

struct Options {
  bool line_numbers = false;
  int first_line = 1;
  // First and last, as numbered from first_line.
  std::vector<std::pair<int, int>> marked_lines;
};

// A run of code with its class: "k", "s2", "" for plain text.
struct Token {
  absl::string_view text;
  absl::string_view css_class;
};

// Whether `language` (a name or alias, in any case) has a lexer.
bool IsKnown(absl::string_view language);
// Canonical names, in order.
std::vector<absl::string_view> Languages();

// Neighbouring tokens differ in class; together they are `code`.
std::vector<Token> Tokenize(absl::string_view language, absl::string_view code);
// Unknown languages come out escaped and unmarked.
std::string Highlight(absl::string_view language, absl::string_view code, const Options& options);

// "1,3-5" as pairs; parts that are not numbers are left out.
std::vector<std::pair<int, int>> ParseLineRanges(absl::string_view text);

// Names of the styles, light ones first.
std::vector<absl::string_view> Styles();
// Rules for `.highlight`, or each selector within `scope` if that is not empty. Unknown styles give "".
std::string StyleCss(absl::string_view style, absl::string_view scope = "");

}  // namespace ssg::highlight

#endif  // SSG_HIGHLIGHT_HIGHLIGHT_H_
