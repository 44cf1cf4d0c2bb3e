#include "ssg/template/urlize.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

struct Entity {
  const char* name;
  int32_t code;
};

constexpr Entity kEntities[] = {
#include "ssg/template/entities.inc"
};

// Bytes beyond ASCII count as letters: exact classes of Unicode letters make
// automata of hundreds of thousands of states.
#define SSG_TEMPLATE_WORD "A-Za-z0-9_\\x80-\\xff"

const re2::RE2& UrlPattern() {
  static const auto* const pattern = new re2::RE2(
      "(?i)^(?:"
      "(?:https?://|www\\.)(?:[" SSG_TEMPLATE_WORD "%-]+\\.)*(?:[a-z]{2,63}|xn--[" SSG_TEMPLATE_WORD
      "%]{2,59})"
      "|(?:[" SSG_TEMPLATE_WORD
      "%-]{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)"
      "|https?://(?:(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3})"
      "|\\[(?:[0-9a-f]{0,4}:){2}(?:[0-9a-f]{0,4}:?){1,6}\\])"
      ")(?::[0-9]{1,5})?(?:[/?#]\\S*)?$",
      re2::RE2::Latin1);
  return *pattern;
}

const re2::RE2& MailPattern() {
  static const auto* const pattern = new re2::RE2(
      "^\\S+@[" SSG_TEMPLATE_WORD "][" SSG_TEMPLATE_WORD ".-]*\\.[" SSG_TEMPLATE_WORD "]+$", re2::RE2::Latin1);
  return *pattern;
}

bool Matches(absl::string_view text, const re2::RE2& pattern) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

size_t CountOf(absl::string_view text, absl::string_view piece) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(piece, at)) != absl::string_view::npos; at += piece.size()) {
    ++count;
  }
  return count;
}

// Takes leading brackets off `middle`.
absl::string_view TakeHead(absl::string_view& middle) {
  const absl::string_view whole = middle;
  while (true) {
    if (absl::StartsWith(middle, "(") || absl::StartsWith(middle, "<")) {
      middle.remove_prefix(1);
    } else if (absl::StartsWith(middle, "&lt;")) {
      middle.remove_prefix(4);
    } else {
      return whole.substr(0, whole.size() - middle.size());
    }
  }
}

// Takes trailing punctuation and closing brackets off `middle`.
absl::string_view TakeTail(absl::string_view& middle) {
  const absl::string_view whole = middle;
  while (!middle.empty()) {
    if (absl::string_view(")>.,\n").find(middle.back()) != absl::string_view::npos) {
      middle.remove_suffix(1);
    } else if (absl::EndsWith(middle, "&gt;")) {
      middle.remove_suffix(4);
    } else {
      break;
    }
  }
  return whole.substr(middle.size());
}

// Gives closing brackets back to a URL that opens them.
void Balance(std::string& middle, std::string& tail) {
  static constexpr std::pair<absl::string_view, absl::string_view> kBrackets[] = {
      {"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
  for (const auto& [open, close] : kBrackets) {
    const size_t opened = CountOf(middle, open);
    if (opened <= CountOf(middle, close)) continue;
    for (size_t left = std::min(opened, CountOf(tail, close)); left > 0; --left) {
      const size_t end = tail.find(std::string(close)) + close.size();
      middle += tail.substr(0, end);
      tail.erase(0, end);
    }
  }
}

std::string Link(absl::string_view prefix, absl::string_view url, absl::string_view shown,
                 absl::string_view attributes) {
  return absl::StrCat("<a href=\"", prefix, url, "\"", attributes, ">", shown, "</a>");
}

std::string LinkWord(absl::string_view word, const UrlizeOptions& options, absl::string_view attributes) {
  absl::string_view inner = word;
  const absl::string_view head = TakeHead(inner);
  std::string tail(TakeTail(inner));
  std::string middle(inner);
  Balance(middle, tail);
  std::string shown = middle;
  if (options.text_max >= 0 && static_cast<int64_t>(CodePointCount(middle)) > options.text_max) {
    shown = absl::StrCat(SubText(middle, 0, static_cast<size_t>(options.text_max)), "...");
  }
  if (Matches(middle, UrlPattern())) {
    const bool has_scheme = absl::StartsWith(middle, "https://") || absl::StartsWith(middle, "http://");
    middle = Link(has_scheme ? "" : "https://", middle, shown, attributes);
  } else if (absl::StartsWith(middle, "mailto:") && Matches(middle.substr(7), MailPattern())) {
    middle = Link("", middle, middle.substr(7), "");
  } else if (absl::StrContains(middle, "@") && !absl::StartsWith(middle, "www.") && !absl::StrContains(middle, ":") &&
             Matches(middle, MailPattern())) {
    middle = Link("mailto:", middle, middle, "");
  } else {
    for (const std::string& scheme : options.extra_schemes) {
      if (middle != scheme && absl::StartsWith(middle, scheme)) {
        middle = Link("", middle, middle, attributes);
      }
    }
  }
  return absl::StrCat(head, middle, tail);
}

}  // namespace

std::string Urlize(absl::string_view html, const UrlizeOptions& options) {
  std::string attributes;
  if (!options.rel.empty()) absl::StrAppend(&attributes, " rel=\"", options.rel, "\"");
  if (!options.target.empty()) absl::StrAppend(&attributes, " target=\"", options.target, "\"");
  std::string out;
  while (!html.empty()) {
    size_t end = 0;
    while (end < html.size()) {
      const CodePoint point = Decode(html.substr(end));
      if (IsSpace(point.value)) break;
      end += point.size;
    }
    if (end > 0) out += LinkWord(html.substr(0, end), options, attributes);
    html.remove_prefix(end);
    const size_t word = html.size() - StripSpace(html, Side::kLeft).size();
    out.append(html.data(), word);
    html.remove_prefix(word);
  }
  return out;
}

bool IsSchemePrefix(absl::string_view text) {
  static const auto* const pattern = new re2::RE2("^[" SSG_TEMPLATE_WORD ".+-]{2,}:/{0,2}$", re2::RE2::Latin1);
  return Matches(text, *pattern);
}

std::string Unescape(absl::string_view html) {
  std::string out;
  while (!html.empty()) {
    const size_t amp = std::min(html.find('&'), html.size());
    out.append(html.data(), amp);
    html.remove_prefix(amp);
    if (html.empty()) break;
    const size_t end = html.substr(0, 40).find(';');
    const absl::string_view name = end == absl::string_view::npos ? absl::string_view() : html.substr(1, end - 1);
    int32_t code = -1;
    re2::StringPiece digits;
    const re2::StringPiece piece(name.data(), name.size());
    if (re2::RE2::FullMatch(piece, "#[xX]([0-9a-fA-F]{1,6})", &digits)) {
      code = static_cast<int32_t>(std::stoul(std::string(digits), nullptr, 16));
    } else if (re2::RE2::FullMatch(piece, "#([0-9]{1,7})", &digits)) {
      code = static_cast<int32_t>(std::stoul(std::string(digits)));
    } else {
      const Entity* found =
          std::lower_bound(std::begin(kEntities), std::end(kEntities), name,
                           [](const Entity& row, absl::string_view wanted) { return row.name < wanted; });
      if (found != std::end(kEntities) && found->name == name) code = found->code;
    }
    if (code > 0x10FFFF || code == 0 || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
    if (code < 0) {
      out += '&';
      html.remove_prefix(1);
    } else {
      AppendCodePoint(code, out);
      html.remove_prefix(end + 1);
    }
  }
  return out;
}

}  // namespace ssg::tmpl
