#include "ssg/assets/css_minifier.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace ssg {
namespace {

// Copies the string that starts at `at`; returns where it ends.
size_t CopyString(absl::string_view css, size_t at, std::string* out) {
  const char quote = css[at];
  size_t end = at + 1;
  while (end < css.size() && css[end] != quote && css[end] != '\n') end += css[end] == '\\' ? 2 : 1;
  end = std::min(end + 1, css.size());
  out->append(css.data() + at, end - at);
  return end;
}

// Copies an unquoted url(...) that starts at `at`, blanks inside included.
size_t CopyUrl(absl::string_view css, size_t at, std::string* out) {
  const size_t end = std::min(css.find(')', at), css.size() - 1) + 1;
  out->append(css.data() + at, end - at);
  return end;
}

// Whether the blank between `left` and `right` means something. "+" and "-" need
// theirs inside calc(), ":" before a selector's pseudo-class.
bool NeedsBlank(char left, char right, bool in_block) {
  static constexpr absl::string_view kNever = "{};,>~";
  if (absl::StrContains(kNever, left) || absl::StrContains(kNever, right)) return false;
  if (left == ':' || left == '(' || right == ')') return false;
  if (right == ':' && in_block) return false;
  if (right == '!') return false;
  return true;
}

}  // namespace

std::string MinifyCss(absl::string_view css) {
  std::string out;
  out.reserve(css.size());
  bool blank = false;
  size_t depth = 0;
  // Inside a block ":" separates name and value unless a nested rule follows.
  for (size_t at = 0; at < css.size();) {
    const char c = css[at];
    if (absl::StartsWith(css.substr(at), "/*")) {
      const size_t close = css.find("*/", at + 2);
      const size_t end = close == absl::string_view::npos ? css.size() : close + 2;
      if (at + 2 < css.size() && css[at + 2] == '!') out.append(css.data() + at, end - at);
      blank = blank || out.empty() || out.back() != '/';
      at = end;
      continue;
    }
    if (absl::ascii_isspace(c)) {
      blank = true;
      ++at;
      continue;
    }
    if (blank && !out.empty() &&
        NeedsBlank(out.back(), c, depth > 0 && c == ':' && css.find_first_of(";}", at) < css.find('{', at))) {
      out.push_back(' ');
    }
    blank = false;
    if (c == '"' || c == '\'') {
      at = CopyString(css, at, &out);
      continue;
    }
    if (absl::StartsWithIgnoreCase(css.substr(at), "url(") && at + 4 < css.size() && css[at + 4] != '"' &&
        css[at + 4] != '\'') {
      at = CopyUrl(css, at, &out);
      continue;
    }
    if (c == '{') ++depth;
    if (c == '}') {
      if (depth > 0) --depth;
      if (!out.empty() && out.back() == ';') out.pop_back();
    }
    if (c == '\\' && at + 1 < css.size()) {
      out.append(css.data() + at, 2);
      at += 2;
      continue;
    }
    out.push_back(c);
    ++at;
  }
  return out;
}

}  // namespace ssg
