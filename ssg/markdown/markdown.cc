#include "ssg/markdown/markdown.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "ssg/markdown/event_renderer.h"
#include "ssg/markdown/html.h"
#include "ssg/markdown/segments.h"

namespace ssg {
namespace {

using internal::Document;
using internal::EventRenderer;
using internal::Footnote;

constexpr uint32_t kContainerDepthMax = 32;
constexpr size_t kHtmlGrowthMax = 64;
constexpr size_t kHtmlBytesAlways = 1 << 20;
constexpr size_t kAutolinksMax = 5000;

uint32_t CountLines(absl::string_view text) {
  return static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

absl::Status CheckUtf8(absl::string_view source, uint32_t first_line) {
  if (simdjson::validate_utf8(source.data(), source.size())) return absl::OkStatus();
  // Find the line: the first one that is not valid by itself.
  uint32_t line = first_line;
  for (const absl::string_view text : absl::StrSplit(source, '\n')) {
    if (!simdjson::validate_utf8(text.data(), text.size())) break;
    ++line;
  }
  return absl::InvalidArgumentError(absl::StrCat(line, ": content is not UTF-8"));
}

// md4c looks from each "www." to the end of the paragraph's last link again.
absl::Status CheckAutolinks(absl::string_view source, uint32_t first_line) {
  for (const absl::string_view needle : {absl::string_view("www."), absl::string_view("://"), absl::string_view("@")}) {
    size_t paragraph_end = 0;
    size_t count = 0;
    for (size_t at = source.find(needle); at != absl::string_view::npos; at = source.find(needle, at + needle.size())) {
      if (at >= paragraph_end) {
        paragraph_end = std::min(source.find("\n\n", at), source.size());
        count = 0;
      }
      if (++count > kAutolinksMax) {
        return absl::ResourceExhaustedError(absl::StrCat(first_line + CountLines(source.substr(0, at)), ": more than ",
                                                         kAutolinksMax, " possible links (\"", needle,
                                                         "\") in one paragraph"));
      }
    }
  }
  return absl::OkStatus();
}

absl::string_view AdmonitionTitle(absl::string_view name) {
  static constexpr std::pair<absl::string_view, absl::string_view> kTitles[] = {
      {"note", "Note"},           {"tip", "Tip"},           {"hint", "Hint"},         {"info", "Info"},
      {"important", "Important"}, {"warning", "Warning"},   {"caution", "Caution"},   {"danger", "Danger"},
      {"error", "Error"},         {"success", "Success"},   {"question", "Question"}, {"example", "Example"},
      {"quote", "Quote"},         {"abstract", "Abstract"}, {"bug", "Bug"},           {"seealso", "See also"},
      {"attention", "Attention"}, {"admonition", "Note"},   {"details", "Details"},   {"failure", "Failure"}};
  for (const auto& [key, title] : kTitles) {
    if (key == name) return title;
  }
  return "";
}

// Title in "Title", [Title] or as it stands.
std::string DirectiveTitle(absl::string_view argument) {
  argument = absl::StripAsciiWhitespace(argument);
  if (argument.size() >= 2 &&
      ((argument.front() == '"' && argument.back() == '"') || (argument.front() == '[' && argument.back() == ']'))) {
    argument = argument.substr(1, argument.size() - 2);
  }
  return std::string(argument);
}

class Renderer : public internal::TokenRenderer {
 public:
  explicit Renderer(Document& document) : document_(document) { document_.tokens = this; }

  void RenderToken(size_t number, bool in_destination, std::string* html) override;

  // Renders a piece of Markdown and all the segments in it.
  absl::Status RenderPiece(absl::string_view source, uint32_t first_line, std::string& out) {
    if (!WantsSegments() || !HasSegments(source)) return RenderMarkdownSegment(source, first_line, out);
    auto split = SplitSegments(source);
    if (!split.ok()) return ShiftLine(split.status(), first_line);
    if (document_.container_depth == 0) definitions_ = CollectReferenceDefinitions(source);
    std::vector<Segment>& segments = *split;
    for (Segment& segment : segments) {
      if (segment.kind != Segment::Kind::kFootnote) continue;
      Footnote& footnote = document_.footnotes[segment.name];
      if (footnote.line != 0) continue;  // the first definition wins
      footnote.body = std::move(segment.body.text);
      footnote.line = first_line + segment.body.line - 1;
    }
    for (Segment& segment : segments) {
      RETURN_IF_ERROR(RenderSegment(segment, first_line, out));
    }
    return absl::OkStatus();
  }

  absl::Status RenderFootnotes(std::string& out) {
    if (document_.footnote_order.empty()) return absl::OkStatus();
    ++document_.container_depth;
    out.append("<section class=\"footnotes\" role=\"doc-endnotes\">\n<hr>\n<ol>\n");
    // Footnotes may refer to further ones, which then join the end.
    for (size_t i = 0; i < document_.footnote_order.size(); ++i) {
      const std::string label = document_.footnote_order[i];
      const std::string body = std::move(document_.footnotes[label].body);
      absl::StrAppend(&out, "<li id=\"fn-", i + 1, "\">\n");
      document_.result.ids.push_back(absl::StrCat("fn-", i + 1));
      RETURN_IF_ERROR(RenderPiece(body, document_.footnotes[label].line, out));
      const bool paragraph = absl::EndsWith(out, "</p>\n");
      if (paragraph) out.resize(out.size() - 5);
      for (uint32_t n = 1; n <= document_.footnotes[label].references; ++n) {
        absl::StrAppend(&out, " <a href=\"#fnref-", i + 1, n > 1 ? absl::StrCat("-", n) : "",
                        "\" class=\"footnote-backref\" role=\"doc-backlink\" aria-label=\"Back to the text\">↩</a>");
      }
      absl::StrAppend(&out, paragraph ? "</p>\n" : "\n", "</li>\n");
    }
    out.append("</ol>\n</section>\n");
    --document_.container_depth;
    return absl::OkStatus();
  }

 private:
  bool WantsSegments() const {
    return document_.options.directives || document_.options.footnotes || document_.options.definition_lists;
  }

  static absl::Status ShiftLine(const absl::Status& status, uint32_t first_line) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(status.message(), absl::MaxSplits(':', 1));
    uint32_t line = 0;
    if (!absl::SimpleAtoi(parts.first, &line)) return status;
    return absl::Status(status.code(), absl::StrCat(line + first_line - 1, ":", parts.second));
  }

  absl::Status RenderSegment(Segment& segment, uint32_t first_line, std::string& out) {
    const uint32_t line = first_line + segment.line - 1;
    if (segment.kind == Segment::Kind::kFootnote) return absl::OkStatus();
    if (segment.kind == Segment::Kind::kMarkdown) return RenderMarkdownSegment(segment.markdown, line, out);
    if (document_.container_depth >= kContainerDepthMax) {
      return absl::ResourceExhaustedError(absl::StrCat(line, ": nested deeper than ", kContainerDepthMax, " levels"));
    }
    ++document_.container_depth;
    const absl::Status status = segment.kind == Segment::Kind::kDirective
                                    ? RenderDirective(segment, first_line, out)
                                    : RenderDefinitionList(segment, first_line, out);
    --document_.container_depth;
    return status;
  }

  absl::Status RenderMarkdownSegment(absl::string_view markdown, uint32_t line, std::string& out) {
    if (definitions_.empty()) return EventRenderer(document_, markdown, 0, line, out).Run();
    const std::string source = absl::StrCat(definitions_, markdown);
    return EventRenderer(document_, source, definitions_.size(), line, out).Run();
  }

  absl::Status RenderDirective(const Segment& segment, uint32_t first_line, std::string& out) {
    const uint32_t line = first_line + segment.line - 1;
    std::string html;
    RETURN_IF_ERROR(RenderPiece(segment.body.text, first_line + segment.body.line - 1, html));
    const DirectiveElement element = {segment.name, segment.argument,    segment.body.text,
                                      html,         segment.collapsible, document_.lines.SourceLine(line)};
    if (document_.hooks.RenderDirective(element, &out)) return absl::OkStatus();
    std::string title = DirectiveTitle(segment.argument);
    if (title.empty()) title = std::string(AdmonitionTitle(segment.name));
    if (title.empty()) title = segment.name;
    std::string name;
    for (const char c : segment.name) name.push_back(absl::ascii_isalnum(c) || c == '-' ? c : '-');
    if (segment.collapsible || segment.name == "details") {
      absl::StrAppend(&out, "<details class=\"admonition ", name, "\">\n<summary class=\"admonition-title\">");
      AppendHtmlEscaped(title, &out);
      absl::StrAppend(&out, "</summary>\n", html, "</details>\n");
    } else {
      absl::StrAppend(&out, "<div class=\"admonition ", name, "\" role=\"note\">\n<p class=\"admonition-title\">");
      AppendHtmlEscaped(title, &out);
      absl::StrAppend(&out, "</p>\n", html, "</div>\n");
    }
    return absl::OkStatus();
  }

  absl::Status RenderDefinitionList(const Segment& segment, uint32_t first_line, std::string& out) {
    out.append("<dl>\n");
    for (const DefinitionGroup& group : segment.groups) {
      for (const MarkdownPiece& term : group.terms) {
        RETURN_IF_ERROR(RenderTight("dt", term, first_line, out));
      }
      for (const MarkdownPiece& definition : group.definitions) {
        RETURN_IF_ERROR(RenderTight("dd", definition, first_line, out));
      }
    }
    out.append("</dl>\n");
    return absl::OkStatus();
  }

  // <tag>..</tag>; a single paragraph loses its <p>.
  absl::Status RenderTight(absl::string_view tag, const MarkdownPiece& piece, uint32_t first_line, std::string& out) {
    std::string html;
    if (tag == "dt") {
      RETURN_IF_ERROR(RenderMarkdownSegment(piece.text, first_line + piece.line - 1, html));
    } else {
      RETURN_IF_ERROR(RenderPiece(piece.text, first_line + piece.line - 1, html));
    }
    absl::string_view inner = html;
    if (absl::StartsWith(inner, "<p>") && inner.find("</p>\n") == inner.size() - 5) {
      inner = inner.substr(3, inner.size() - 8);
    }
    absl::StrAppend(&out, "<", tag, ">", inner, "</", tag, ">\n");
    return absl::OkStatus();
  }

  Document& document_;
  std::string definitions_;
};

// The body is a document of its own as far as lines and tokens go; ids, footnotes and links are the page's.
void Renderer::RenderToken(size_t number, bool in_destination, std::string* html) {
  if (!document_.failure.ok()) return;
  const internal::Shortcode call = document_.shortcodes[number];
  std::string body;
  if (call.has_body) {
    if (document_.container_depth >= kContainerDepthMax) {
      document_.failure =
          absl::ResourceExhaustedError(absl::StrCat(call.line, ": nested deeper than ", kContainerDepthMax, " levels"));
      return;
    }
    internal::LineMap lines;
    std::string tokenized;
    document_.failure = internal::TakeShortcodes(call.body, call.body_line, &document_.shortcodes, &lines, &tokenized);
    if (!document_.failure.ok()) return;
    std::swap(document_.lines, lines);
    std::string definitions;
    std::swap(definitions_, definitions);
    ++document_.container_depth;
    const absl::Status status = RenderPiece(tokenized, call.body_line, body);
    --document_.container_depth;
    std::swap(definitions_, definitions);
    std::swap(document_.lines, lines);
    if (document_.failure.ok()) document_.failure = status;
    if (!document_.failure.ok()) return;
    // A body within a line is no paragraph of its own.
    if (!absl::StrContains(call.body, '\n') && absl::StartsWith(body, "<p>") &&
        body.find("</p>\n") == body.size() - 5) {
      body = body.substr(3, body.size() - 8);
    }
  }
  const ShortcodeElement element = {call.name, call.arguments, call.text,          call.body,
                                    body,      call.has_body,  call.may_want_body, in_destination,
                                    call.line, call.column,    call.problem};
  if (!document_.hooks.RenderShortcode(element, html)) absl::StrAppend(html, call.text);
}

}  // namespace

std::string MarkdownHooks::ResolveLink(absl::string_view destination, bool, uint32_t) {
  return std::string(destination);
}
bool MarkdownHooks::RenderCodeBlock(const CodeBlockElement&, std::string*) { return false; }
bool MarkdownHooks::RenderImage(const ImageElement&, std::string*) { return false; }
bool MarkdownHooks::RenderLink(const LinkElement&, std::string*) { return false; }
bool MarkdownHooks::RenderHeading(const HeadingElement&, std::string*) { return false; }
bool MarkdownHooks::RenderDirective(const DirectiveElement&, std::string*) { return false; }
bool MarkdownHooks::RenderShortcode(const ShortcodeElement&, std::string*) { return false; }

absl::StatusOr<RenderedMarkdown> RenderMarkdown(absl::string_view source, const MarkdownOptions& options,
                                                MarkdownHooks& hooks, uint32_t first_line) {
  if (source.size() > options.source_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat(first_line, ": content has ", source.size(),
                                                     " bytes, more than the ", options.source_bytes_max, " allowed"));
  }
  RETURN_IF_ERROR(CheckUtf8(source, first_line));
  if (options.github) RETURN_IF_ERROR(CheckAutolinks(source, first_line));
  RenderedMarkdown result;
  const size_t html_bytes_max = kHtmlBytesAlways + source.size() * kHtmlGrowthMax;
  Document document{options, hooks, result, html_bytes_max, {}, {}, {}, {}, {}, nullptr, absl::OkStatus(), 0};
  std::string tokenized;
  if (options.shortcodes && internal::HasShortcodes(source)) {
    RETURN_IF_ERROR(internal::TakeShortcodes(source, first_line, &document.shortcodes, &document.lines, &tokenized));
    source = tokenized;
  }
  result.html.reserve(source.size() + source.size() / 4 + 64);
  Renderer renderer(document);
  RETURN_IF_ERROR(renderer.RenderPiece(source, first_line, result.html));
  RETURN_IF_ERROR(renderer.RenderFootnotes(result.html));
  return result;
}

Attributes ParseAttributes(absl::string_view text) {
  Attributes attributes;
  const auto add_class = [&](absl::string_view name) {
    for (auto& [key, value] : attributes) {
      if (key == "class") {
        absl::StrAppend(&value, " ", name);
        return;
      }
    }
    attributes.emplace_back("class", std::string(name));
  };
  size_t at = 0;
  while (at < text.size()) {
    if (absl::ascii_isspace(text[at]) || text[at] == ',') {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && !absl::ascii_isspace(text[at]) && text[at] != '=' && text[at] != ',') ++at;
    const absl::string_view key = text.substr(begin, at - begin);
    if (at < text.size() && text[at] == '=') {
      ++at;
      absl::string_view value;
      if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const size_t close = std::min(text.find(text[at], at + 1), text.size());
        value = text.substr(at + 1, close - at - 1);
        at = std::min(close + 1, text.size());
      } else {
        const size_t value_begin = at;
        const bool list = at < text.size() && text[at] == '[';
        while (at < text.size() && (list ? text[at] != ']' : !absl::ascii_isspace(text[at]))) ++at;
        if (list && at < text.size()) ++at;
        value = text.substr(value_begin, at - value_begin);
      }
      const bool name_ok = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == ':';
      });
      if (name_ok) attributes.emplace_back(std::string(key), std::string(value));
    } else if (absl::StartsWith(key, "#")) {
      attributes.emplace_back("id", std::string(key.substr(1)));
    } else if (absl::StartsWith(key, ".")) {
      add_class(key.substr(1));
    } else if (!key.empty() && absl::ascii_isalpha(key[0]) &&
               key.find_first_of("<>\"'&{}") == absl::string_view::npos) {
      attributes.emplace_back(std::string(key), "");
    } else if (key.empty()) {
      ++at;
    }
  }
  return attributes;
}

std::string TableOfContents(const std::vector<Heading>& headings, uint32_t level_min, uint32_t level_max) {
  std::string html;
  std::vector<uint32_t> open;  // levels of the open lists
  for (const Heading& heading : headings) {
    if (heading.level < level_min || heading.level > level_max) continue;
    while (open.size() > 1 && heading.level < open.back()) {
      html.append("</li></ul>");
      open.pop_back();
    }
    if (open.empty() || heading.level > open.back()) {
      html.append("<ul>");
      open.push_back(heading.level);
    } else {
      html.append("</li>");
    }
    html.append("<li><a href=\"#");
    AppendUrlEscaped(heading.id, &html);
    absl::StrAppend(&html, "\">", heading.html, "</a>");
  }
  for (size_t i = 0; i < open.size(); ++i) html.append("</li></ul>");
  return html;
}

}  // namespace ssg
