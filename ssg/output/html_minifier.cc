#include "ssg/output/html_minifier.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace ssg {
namespace {

constexpr size_t kNone = absl::string_view::npos;

// Elements that start and end lines: blanks beside their tags are never shown.
bool IsBlock(absl::string_view name) {
  static const auto& blocks = *new absl::flat_hash_set<absl::string_view>{
      "!doctype", "address", "article", "aside",    "base",   "blockquote", "body",    "caption",  "col",
      "colgroup", "dd",      "details", "dialog",   "div",    "dl",         "dt",      "fieldset", "figcaption",
      "figure",   "footer",  "form",    "h1",       "h2",     "h3",         "h4",      "h5",       "h6",
      "head",     "header",  "hgroup",  "hr",       "html",   "legend",     "li",      "link",     "main",
      "meta",     "nav",     "ol",      "optgroup", "option", "p",          "section", "summary",  "table",
      "tbody",    "td",      "tfoot",   "th",       "thead",  "title",      "tr",      "ul"};
  return blocks.contains(name);
}

// Elements whose content stays as it is.
bool IsVerbatim(absl::string_view name) {
  static const auto& names = *new absl::flat_hash_set<absl::string_view>{
      "code", "iframe", "kbd",   "listing", "math",     "noscript", "plaintext", "pre",
      "samp", "script", "style", "svg",     "template", "textarea", "xmp"};
  return names.contains(name);
}

// Elements whose content is text: tags in it mean nothing.
bool IsRawText(absl::string_view name) {
  return name == "script" || name == "style" || name == "textarea" || name == "iframe" || name == "xmp" ||
         name == "noscript" || name == "title";
}

bool IsVoid(absl::string_view name) {
  static const auto& names = *new absl::flat_hash_set<absl::string_view>{
      "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"};
  return names.contains(name);
}

// HTML's blanks; a no-break space is none.
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

class Minifier {
 public:
  explicit Minifier(absl::string_view html) : html_(html) { out_.reserve(html.size()); }

  std::string Run() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (IsBlank(c)) {
        blank_ = true;
        ++at_;
      } else if (c == '<' && IsMarkup()) {
        if (!TakeMarkup()) break;
      } else {
        PutBlank();
        out_.push_back(c);
        after_block_ = false;
        ++at_;
      }
    }
    out_.append(html_.data() + at_, html_.size() - at_);  // what has no end
    return std::move(out_);
  }

 private:
  bool IsMarkup() const {
    if (at_ + 1 >= html_.size()) return false;
    const char c = html_[at_ + 1];
    return absl::ascii_isalpha(c) || c == '!' || c == '/' || c == '?';
  }

  void PutBlank() {
    if (blank_ && !after_block_ && !out_.empty()) out_.push_back(' ');
    blank_ = false;
  }

  // The end of the tag at `begin`, quoted values skipped; kNone if it has none.
  size_t TagEnd(size_t begin) const {
    char quote = 0;
    for (size_t i = begin + 1; i < html_.size(); ++i) {
      const char c = html_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '>') {
        return i + 1;
      } else if ((c == '"' || c == '\'') && LeadsValue(i)) {
        quote = c;
      }
    }
    return kNone;
  }

  // A quote opens a value only after "=".
  bool LeadsValue(size_t i) const {
    while (i > 0 && IsBlank(html_[i - 1])) --i;
    return i > 0 && html_[i - 1] == '=';
  }

  std::string NameAt(size_t begin) const {
    size_t i = begin;
    while (i < html_.size() && (absl::ascii_isalnum(html_[i]) || html_[i] == '-' || html_[i] == ':')) ++i;
    return absl::AsciiStrToLower(html_.substr(begin, i - begin));
  }

  bool TakeMarkup() {
    const absl::string_view rest = html_.substr(at_);
    if (absl::StartsWith(rest, "<!--")) return TakeComment();
    const bool closing = rest[1] == '/';
    const std::string name = rest[1] == '!' ? "!doctype" : NameAt(at_ + (closing ? 2 : 1));
    const size_t end = TagEnd(at_);
    if (end == kNone) {
      PutBlank();
      return false;
    }
    const absl::string_view tag = html_.substr(at_, end - at_);
    const bool block = IsBlock(name);
    if (block) {
      blank_ = false;
    } else {
      PutBlank();
    }
    after_block_ = block || name == "br";
    const bool styled = absl::StrContains(absl::AsciiStrToLower(tag), "white-space");
    const bool keep = (IsVerbatim(name) || IsRawText(name) || styled) && !IsVoid(name) && !absl::EndsWith(tag, "/>");
    if (closing || !keep) {
      AppendTag(tag);
      at_ = end;
      return true;
    }
    const size_t close = ElementEnd(name, end);
    if (close == kNone) return false;
    AppendTag(tag);
    out_.append(html_.data() + end, close - end);
    // Scripts and styles show nothing, yet words on both sides of them stay apart.
    after_block_ = block;
    at_ = close;
    return true;
  }

  bool TakeComment() {
    const size_t end = html_.find("-->", at_ + 4);
    if (end == kNone) {
      PutBlank();
      return false;
    }
    const absl::string_view inner = html_.substr(at_ + 4, end - at_ - 4);
    if (absl::StartsWith(inner, "[if") || absl::StartsWith(inner, "<![endif") || absl::StartsWith(inner, "!") ||
        absl::StartsWith(inner, "#")) {
      PutBlank();
      out_.append(html_.data() + at_, end + 3 - at_);
    }
    at_ = end + 3;
    return true;
  }

  // Past the end tag of the element `name` whose content begins at `begin`.
  size_t ElementEnd(absl::string_view name, size_t begin) const {
    const bool raw = IsRawText(name);
    int depth = 1;
    for (size_t at = html_.find('<', begin); at != kNone; at = html_.find('<', at + 1)) {
      if (!raw && absl::StartsWith(html_.substr(at), "<!--")) {
        at = html_.find("-->", at);
        if (at == kNone) return kNone;
        continue;
      }
      const bool closing = at + 1 < html_.size() && html_[at + 1] == '/';
      if ((raw && !closing) || NameAt(at + (closing ? 2 : 1)) != name) continue;
      const size_t end = TagEnd(at);
      if (end == kNone) return kNone;
      depth += closing ? -1 : absl::EndsWith(html_.substr(at, end - at), "/>") ? 0 : 1;
      if (depth == 0) return end;
    }
    return kNone;
  }

  // Blanks between attributes become one.
  void AppendTag(absl::string_view tag) {
    char quote = 0;
    bool blank = false;
    for (size_t i = 0; i < tag.size(); ++i) {
      const char c = tag[i];
      if (quote == 0 && IsBlank(c)) {
        blank = true;
        continue;
      }
      if (blank && c != '>') out_.push_back(' ');
      blank = false;
      out_.push_back(c);
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if ((c == '"' || c == '\'') && LeadsValue(static_cast<size_t>(tag.data() - html_.data()) + i)) {
        quote = c;
      }
    }
  }

  const absl::string_view html_;
  std::string out_;
  size_t at_ = 0;
  bool blank_ = false;       // blanks were read and not yet written
  bool after_block_ = true;  // where blanks are not shown
};

}  // namespace

std::string MinifyHtml(absl::string_view html) { return Minifier(html).Run(); }

}  // namespace ssg
