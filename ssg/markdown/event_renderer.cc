// tidy: long-file: one method for each event of the parser; they share the state of one rendering.
#include "ssg/markdown/event_renderer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "ssg/markdown/html.h"
#include "ssg/markdown/slug.h"

namespace ssg::internal {
namespace {

// GFM "Disallowed Raw HTML".
bool IsFilteredTag(absl::string_view text) {
  static constexpr absl::string_view kTags[] = {"title",   "textarea", "style",  "xmp",      "iframe",
                                                "noembed", "noframes", "script", "plaintext"};
  absl::ConsumePrefix(&text, "/");
  for (const absl::string_view tag : kTags) {
    if (absl::StartsWithIgnoreCase(text, tag) &&
        (text.size() == tag.size() || !absl::ascii_isalnum(text[tag.size()]))) {
      return true;
    }
  }
  return false;
}

constexpr std::pair<absl::string_view, absl::string_view> kAlerts[] = {
    {"NOTE", "note"}, {"TIP", "tip"}, {"IMPORTANT", "important"}, {"WARNING", "warning"}, {"CAUTION", "caution"}};

}  // namespace

std::string TakeId(Document& document, std::string base) {
  if (base.empty()) base = "section";
  if (document.ids.insert(base).second) {
    document.result.ids.push_back(base);
    return base;
  }
  for (uint32_t n = 1;; ++n) {
    std::string id = absl::StrCat(base, "-", n);
    if (document.ids.insert(id).second) {
      document.result.ids.push_back(id);
      return id;
    }
  }
}

EventRenderer::EventRenderer(Document& document, absl::string_view source, size_t prefix_size, uint32_t first_line,
                             std::string& out)
    : document_(document),
      source_(source),
      prefix_size_(prefix_size),
      out_(out),
      line_at_(source.data() + prefix_size),
      line_(first_line),
      last_text_(line_at_) {}

absl::Status EventRenderer::Run() {
  MD_PARSER parser{};
  if (document_.options.github) {
    parser.flags |= MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS | MD_FLAG_PERMISSIVEAUTOLINKS;
  }
  if (document_.options.math) parser.flags |= MD_FLAG_LATEXMATHSPANS;
  parser.enter_block = &EventRenderer::OnEnterBlock;
  parser.leave_block = &EventRenderer::OnLeaveBlock;
  parser.enter_span = &EventRenderer::OnEnterSpan;
  parser.leave_span = &EventRenderer::OnLeaveSpan;
  parser.text = &EventRenderer::OnText;
  const int verdict = md_parse(source_.data(), static_cast<MD_SIZE>(source_.size()), &parser, this);
  RETURN_IF_ERROR(document_.failure);
  if (verdict != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat(LineOf(nullptr), ": Markdown grows to more than ", document_.html_bytes_max, " bytes of HTML"));
  }
  return absl::OkStatus();
}

int EventRenderer::OnEnterBlock(MD_BLOCKTYPE type, void* detail, void* self) {
  static_cast<EventRenderer*>(self)->EnterBlock(type, detail);
  return static_cast<EventRenderer*>(self)->Verdict();
}
int EventRenderer::OnLeaveBlock(MD_BLOCKTYPE type, void* detail, void* self) {
  static_cast<EventRenderer*>(self)->LeaveBlock(type, detail);
  return 0;
}
int EventRenderer::OnEnterSpan(MD_SPANTYPE type, void* detail, void* self) {
  static_cast<EventRenderer*>(self)->EnterSpan(type, detail);
  return static_cast<EventRenderer*>(self)->Verdict();
}
int EventRenderer::OnLeaveSpan(MD_SPANTYPE type, void*, void* self) {
  static_cast<EventRenderer*>(self)->LeaveSpan(type);
  return 0;
}
int EventRenderer::OnText(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
  static_cast<EventRenderer*>(self)->Text(type, absl::string_view(text, size));
  return static_cast<EventRenderer*>(self)->Verdict();
}

int EventRenderer::Verdict() const { return out_.size() > document_.html_bytes_max || !document_.failure.ok() ? 1 : 0; }

uint32_t EventRenderer::LineOf(const char* at) {
  const char* const begin = source_.data() + prefix_size_;
  const char* const end = source_.data() + source_.size();
  if (at == nullptr || at < begin || at > end) at = last_text_;
  // Positions come nearly in order; one further back is on the line counted last.
  if (at > line_at_) {
    line_ += static_cast<uint32_t>(std::count(line_at_, at, '\n'));
    line_at_ = at;
  }
  return document_.lines.SourceLine(line_);
}

std::string EventRenderer::Decode(const MD_ATTRIBUTE& attribute, bool destination, bool* had_token) {
  std::string text;
  for (int i = 0; attribute.substr_offsets != nullptr && attribute.substr_offsets[i] < attribute.size; ++i) {
    const MD_OFFSET begin = attribute.substr_offsets[i];
    const absl::string_view piece(attribute.text + begin, attribute.substr_offsets[i + 1] - begin);
    switch (attribute.substr_types[i]) {
      case MD_TEXT_NULLCHAR:
        AppendUtf8(0, &text);
        break;
      case MD_TEXT_ENTITY:
        if (!AppendDecodedEntity(piece, &text)) text.append(piece.data(), piece.size());
        break;
      default:
        text.append(piece.data(), piece.size());
        break;
    }
  }
  if (document_.shortcodes.empty()) return text;
  std::string whole;
  AppendWithTokens(text, /*code=*/false, destination, &whole);
  if (had_token != nullptr) *had_token = whole != text;
  return whole;
}

void EventRenderer::AppendWithTokens(absl::string_view text, bool code, bool destination, std::string* out) {
  size_t begin = 0;
  size_t end = 0;
  size_t number = 0;
  while (!document_.shortcodes.empty() && FindToken(text, &begin, &end, &number) &&
         number < document_.shortcodes.size()) {
    out->append(text.data(), begin);
    if (code) {
      absl::StrAppend(out, document_.shortcodes[number].text);
    } else {
      document_.tokens->RenderToken(number, destination, out);
    }
    text.remove_prefix(end);
  }
  out->append(text.data(), text.size());
}

void EventRenderer::NormalWithTokens(absl::string_view text) {
  size_t begin = 0;
  size_t end = 0;
  size_t number = 0;
  while (!document_.shortcodes.empty() && FindToken(text, &begin, &end, &number) &&
         number < document_.shortcodes.size()) {
    NormalText(text.substr(0, begin));
    if (absl::EndsWith(out_, "<p>") && image_depth_ == 0) tokens_begin_ = out_.size() - 3;
    in_word_ = false;
    const size_t keep = tokens_begin_;
    document_.tokens->RenderToken(number, /*in_destination=*/false, image_depth_ > 0 ? &alt_ : &out_);
    tokens_begin_ = keep;
    text.remove_prefix(end);
  }
  NormalText(text);
}

void EventRenderer::BlockBreak() {
  in_word_ = false;
  if (document_.options.collect_text && !document_.result.text.empty() && document_.result.text.back() != '\n') {
    document_.result.text.push_back('\n');
  }
}

void EventRenderer::EnterBlock(MD_BLOCKTYPE type, void* detail) {
  alert_at_ = std::string::npos;
  switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_HTML:
      break;
    case MD_BLOCK_QUOTE:
      ++block_depth_;
      alerts_.push_back(false);
      out_.append("<blockquote>\n");
      break;
    case MD_BLOCK_UL:
      ++block_depth_;
      out_.append("<ul>\n");
      break;
    case MD_BLOCK_OL: {
      ++block_depth_;
      const auto& list = *static_cast<MD_BLOCK_OL_DETAIL*>(detail);
      if (list.start == 1) {
        out_.append("<ol>\n");
      } else {
        absl::StrAppend(&out_, "<ol start=\"", list.start, "\">\n");
      }
      break;
    }
    case MD_BLOCK_LI:
      EnterListItem(*static_cast<MD_BLOCK_LI_DETAIL*>(detail));
      break;
    case MD_BLOCK_HR:
      out_.append("<hr>\n");
      break;
    case MD_BLOCK_H:
      heading_begin_ = out_.size();
      heading_text_.clear();
      in_heading_ = true;
      BlockBreak();
      heading_text_offset_ = document_.result.text.size();
      break;
    case MD_BLOCK_CODE:
      EnterCode(*static_cast<MD_BLOCK_CODE_DETAIL*>(detail));
      break;
    case MD_BLOCK_P:
      BlockBreak();
      tokens_begin_ = std::string::npos;
      out_.append("<p>");
      if (document_.options.alerts && absl::EndsWith(out_, "<blockquote>\n<p>")) alert_at_ = out_.size();
      break;
    case MD_BLOCK_TABLE:
      out_.append("<table>\n");
      break;
    case MD_BLOCK_THEAD:
      out_.append("<thead>\n");
      break;
    case MD_BLOCK_TBODY:
      out_.append("<tbody>\n");
      break;
    case MD_BLOCK_TR:
      BlockBreak();
      out_.append("<tr>\n");
      break;
    case MD_BLOCK_TH:
      EnterCell("<th", *static_cast<MD_BLOCK_TD_DETAIL*>(detail));
      break;
    case MD_BLOCK_TD:
      EnterCell("<td", *static_cast<MD_BLOCK_TD_DETAIL*>(detail));
      break;
  }
}

void EventRenderer::LeaveBlock(MD_BLOCKTYPE type, void* detail) {
  switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_HTML:
    case MD_BLOCK_HR:
      break;
    case MD_BLOCK_QUOTE:
      --block_depth_;
      out_.append(alerts_.back() ? "</div>\n" : "</blockquote>\n");
      alerts_.pop_back();
      break;
    case MD_BLOCK_UL:
      --block_depth_;
      out_.append("</ul>\n");
      break;
    case MD_BLOCK_OL:
      --block_depth_;
      out_.append("</ol>\n");
      break;
    case MD_BLOCK_LI:
      out_.append("</li>\n");
      break;
    case MD_BLOCK_H:
      LeaveHeading(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level);
      break;
    case MD_BLOCK_CODE:
      LeaveCode();
      break;
    case MD_BLOCK_P:
      LeaveParagraph();
      break;
    case MD_BLOCK_TABLE:
      out_.append("</table>\n");
      break;
    case MD_BLOCK_THEAD:
      out_.append("</thead>\n");
      break;
    case MD_BLOCK_TBODY:
      out_.append("</tbody>\n");
      break;
    case MD_BLOCK_TR:
      out_.append("</tr>\n");
      break;
    case MD_BLOCK_TH:
      in_cell_ = false;
      out_.append("</th>\n");
      break;
    case MD_BLOCK_TD:
      in_cell_ = false;
      out_.append("</td>\n");
      break;
  }
}

void EventRenderer::EnterListItem(const MD_BLOCK_LI_DETAIL& detail) {
  BlockBreak();
  if (!detail.is_task) {
    out_.append("<li>");
    return;
  }
  out_.append("<li class=\"task-list-item\"><input ");
  if (detail.task_mark == 'x' || detail.task_mark == 'X') out_.append("checked=\"\" ");
  out_.append("disabled=\"\" type=\"checkbox\"> ");
}

void EventRenderer::EnterCell(const char* tag, const MD_BLOCK_TD_DETAIL& detail) {
  in_word_ = false;
  in_cell_ = true;
  CollectText(" ");
  out_.append(tag);
  switch (detail.align) {
    case MD_ALIGN_LEFT:
      out_.append(" align=\"left\"");
      break;
    case MD_ALIGN_CENTER:
      out_.append(" align=\"center\"");
      break;
    case MD_ALIGN_RIGHT:
      out_.append(" align=\"right\"");
      break;
    default:
      break;
  }
  out_.push_back('>');
}

void EventRenderer::EnterCode(const MD_BLOCK_CODE_DETAIL& detail) {
  code_line_ = LineOf(detail.info.text);
  code_.clear();
  code_language_ = Decode(detail.lang);
  code_info_ = Decode(detail.info);
  code_info_.erase(0, std::min(code_info_.size(), code_language_.size()));
  in_code_block_ = true;
}

void EventRenderer::LeaveCode() {
  in_code_block_ = false;
  BlockBreak();
  CollectText(code_);
  const CodeBlockElement element = {code_language_, absl::StripAsciiWhitespace(code_info_), code_, code_line_};
  if (document_.hooks.RenderCodeBlock(element, &out_)) return;
  out_.append("<pre><code");
  if (!code_language_.empty()) {
    out_.append(" class=\"language-");
    AppendHtmlEscaped(code_language_, &out_);
    out_.push_back('"');
  }
  out_.push_back('>');
  AppendHtmlEscaped(code_, &out_);
  out_.append("</code></pre>\n");
}

void EventRenderer::LeaveHeading(uint32_t level) {
  in_heading_ = false;
  Attributes attributes;
  std::string id;
  if (document_.options.heading_ids && !out_.empty() && out_.back() == '}') {
    const size_t open = out_.rfind('{');
    if (open != std::string::npos && open >= heading_begin_ && open + 2 < out_.size() &&
        absl::StrContains("#.abcdefghijklmnopqrstuvwxyz", out_[open + 1])) {
      const std::string text = HtmlToText(absl::string_view(out_).substr(open + 1, out_.size() - open - 2));
      attributes = ParseAttributes(text);
      out_.erase(open);
      while (out_.size() > heading_begin_ && out_.back() == ' ') out_.pop_back();
      const size_t text_open = heading_text_.rfind('{');
      if (text_open != std::string::npos) heading_text_.resize(text_open);
    }
  }
  const std::string html = out_.substr(heading_begin_);
  out_.erase(heading_begin_);
  if (document_.options.heading_ids) {
    for (auto it = attributes.begin(); it != attributes.end(); ++it) {
      if (it->first != "id") continue;
      id = TakeId(document_, it->second);
      attributes.erase(it);
      break;
    }
    if (id.empty()) {
      id = TakeId(document_, Slugify(absl::StripAsciiWhitespace(heading_text_), document_.options.slug_style));
    }
    document_.result.headings.push_back({level, id, html, static_cast<uint32_t>(heading_text_offset_)});
  }
  BlockBreak();
  const HeadingElement element = {level, id, html, attributes, LineOf(nullptr)};
  if (document_.hooks.RenderHeading(element, &out_)) return;
  absl::StrAppend(&out_, "<h", level);
  if (!id.empty()) {
    out_.append(" id=\"");
    AppendHtmlEscaped(id, &out_);
    out_.push_back('"');
  }
  for (const auto& [name, value] : attributes) {
    absl::StrAppend(&out_, " ", name, "=\"");
    AppendHtmlEscaped(value, &out_);
    out_.push_back('"');
  }
  absl::StrAppend(&out_, ">", html);
  if (document_.options.heading_anchors && !id.empty()) {
    out_.append(" <a class=\"anchor\" href=\"#");
    AppendUrlEscaped(id, &out_);
    out_.append("\" aria-label=\"Link to this section\">#</a>");
  }
  absl::StrAppend(&out_, "</h", level, ">\n");
}

void EventRenderer::LeaveParagraph() {
  if (tokens_begin_ != std::string::npos) {
    // A paragraph of nothing but shortcodes is what they give.
    out_.erase(tokens_begin_, 3);
    if (!absl::EndsWith(out_, "\n")) out_.push_back('\n');
    tokens_begin_ = std::string::npos;
  } else if (absl::EndsWith(out_, "<p>") && alert_title_done_) {
    out_.resize(out_.size() - 3);  // "[!NOTE]" was all of its paragraph
  } else {
    out_.append("</p>\n");
  }
  alert_title_done_ = false;
  if (block_depth_ == 0 && document_.container_depth == 0 && document_.result.summary_size == 0) {
    document_.result.summary_size = static_cast<uint32_t>(out_.size());
  }
}

void EventRenderer::EnterSpan(MD_SPANTYPE type, void* detail) {
  alert_at_ = std::string::npos;
  tokens_begin_ = std::string::npos;
  if (type == MD_SPAN_IMG) {
    const auto& image = *static_cast<MD_SPAN_IMG_DETAIL*>(detail);
    if (image_depth_++ == 0) {
      Element element;
      element.destination = Decode(image.src, /*destination=*/true);
      element.title = Decode(image.title);
      element.line = LineOf(image.src.text);
      element.url = document_.hooks.ResolveLink(element.destination, /*image=*/true, element.line);
      document_.result.links.push_back({element.destination, element.line, true});
      elements_.push_back(std::move(element));
      alt_.clear();
    }
    return;
  }
  if (image_depth_ > 0) return;
  switch (type) {
    case MD_SPAN_EM:
      out_.append("<em>");
      break;
    case MD_SPAN_STRONG:
      out_.append("<strong>");
      break;
    case MD_SPAN_CODE:
      out_.append("<code>");
      break;
    case MD_SPAN_DEL:
      out_.append("<del>");
      break;
    case MD_SPAN_U:
      out_.append("<u>");
      break;
    case MD_SPAN_LATEXMATH:
      out_.append("<span class=\"math inline\">\\(");
      break;
    case MD_SPAN_LATEXMATH_DISPLAY:
      out_.append("<span class=\"math display\">\\[");
      break;
    case MD_SPAN_A:
      EnterLink(*static_cast<MD_SPAN_A_DETAIL*>(detail));
      break;
    default:
      break;
  }
}

void EventRenderer::LeaveSpan(MD_SPANTYPE type) {
  if (type == MD_SPAN_IMG) {
    if (--image_depth_ == 0) LeaveImage();
    return;
  }
  if (image_depth_ > 0) return;
  switch (type) {
    case MD_SPAN_EM:
      out_.append("</em>");
      break;
    case MD_SPAN_STRONG:
      out_.append("</strong>");
      break;
    case MD_SPAN_CODE:
      out_.append("</code>");
      break;
    case MD_SPAN_DEL:
      out_.append("</del>");
      break;
    case MD_SPAN_U:
      out_.append("</u>");
      break;
    case MD_SPAN_LATEXMATH:
      out_.append("\\)</span>");
      break;
    case MD_SPAN_LATEXMATH_DISPLAY:
      out_.append("\\]</span>");
      break;
    case MD_SPAN_A:
      LeaveLink();
      break;
    default:
      break;
  }
}

void EventRenderer::EnterLink(const MD_SPAN_A_DETAIL& detail) {
  Element element;
  element.destination = Decode(detail.href, /*destination=*/true);
  element.title = Decode(detail.title);
  element.line = LineOf(detail.href.text);
  element.url = document_.hooks.ResolveLink(element.destination, /*image=*/false, element.line);
  element.html_begin = out_.size();
  document_.result.links.push_back({element.destination, element.line, false});
  elements_.push_back(std::move(element));
}

void EventRenderer::LeaveLink() {
  const Element element = std::move(elements_.back());
  elements_.pop_back();
  const std::string html = out_.substr(element.html_begin);
  out_.erase(element.html_begin);
  if (document_.hooks.RenderLink({element.url, html, element.title, element.line}, &out_)) return;
  out_.append("<a href=\"");
  AppendUrlEscaped(element.url, &out_);
  if (!element.title.empty()) {
    out_.append("\" title=\"");
    AppendHtmlEscaped(element.title, &out_);
  }
  absl::StrAppend(&out_, "\">", html, "</a>");
}

void EventRenderer::LeaveImage() {
  const Element element = std::move(elements_.back());
  elements_.pop_back();
  const ImageElement image = {element.url, element.destination, alt_, element.title, element.line};
  if (document_.hooks.RenderImage(image, &out_)) return;
  out_.append("<img src=\"");
  AppendUrlEscaped(element.url, &out_);
  out_.append("\" alt=\"");
  AppendHtmlEscaped(alt_, &out_);
  if (!element.title.empty()) {
    out_.append("\" title=\"");
    AppendHtmlEscaped(element.title, &out_);
  }
  out_.append("\">");
}

void EventRenderer::Text(MD_TEXTTYPE type, absl::string_view text) {
  if (text.data() >= source_.data() && text.data() < source_.data() + source_.size()) last_text_ = text.data();
  if (in_code_block_) {
    if (type == MD_TEXT_NULLCHAR) {
      AppendUtf8(0, &code_);
    } else {
      AppendWithTokens(text, /*code=*/true, /*destination=*/false, &code_);
    }
    return;
  }
  std::string decoded;
  switch (type) {
    case MD_TEXT_NULLCHAR:
      AppendUtf8(0, &decoded);
      NormalText(decoded);
      break;
    case MD_TEXT_BR:
      in_word_ = false;
      CollectText(" ");
      if (image_depth_ > 0) {
        alt_.push_back(' ');
      } else {
        out_.append("<br>\n");
      }
      break;
    case MD_TEXT_SOFTBR:
      in_word_ = false;
      CollectText(" ");
      if (alert_title_done_ && absl::EndsWith(out_, "<p>")) break;
      (image_depth_ > 0 ? alt_ : out_).push_back(image_depth_ > 0 ? ' ' : '\n');
      break;
    case MD_TEXT_HTML:
      RawHtml(text);
      break;
    case MD_TEXT_ENTITY:
      if (!AppendDecodedEntity(text, &decoded)) decoded.assign(text.data(), text.size());
      NormalText(decoded);
      break;
    case MD_TEXT_CODE:
      if (in_cell_) {
        // In a table even code spans write "\\|" for a bar.
        for (size_t bar; (bar = text.find("\\|")) != absl::string_view::npos; text.remove_prefix(bar + 1)) {
          NormalText(text.substr(0, bar));
        }
      }
      if (document_.shortcodes.empty()) {
        NormalText(text);
      } else {
        AppendWithTokens(text, /*code=*/true, /*destination=*/false, &decoded);
        NormalText(decoded);
      }
      break;
    default:
      if (type == MD_TEXT_NORMAL && alert_at_ == out_.size() && TryAlert(text)) break;
      alert_at_ = std::string::npos;
      if (type == MD_TEXT_NORMAL && !document_.footnotes.empty() && image_depth_ == 0) {
        TextWithFootnotes(text);
      } else {
        NormalWithTokens(text);
      }
      break;
  }
}

void EventRenderer::TextWithFootnotes(absl::string_view text) {
  size_t open;
  while ((open = text.find("[^")) != absl::string_view::npos) {
    const size_t close = text.find(']', open);
    if (close == absl::string_view::npos) break;
    const auto found = document_.footnotes.find(text.substr(open + 2, close - open - 2));
    if (found == document_.footnotes.end()) {
      NormalWithTokens(text.substr(0, open + 2));
      text.remove_prefix(open + 2);
      continue;
    }
    NormalWithTokens(text.substr(0, open));
    FootnoteReference(found->first, found->second);
    text.remove_prefix(close + 1);
  }
  NormalWithTokens(text);
}

void EventRenderer::NormalText(absl::string_view text) {
  if (text.find_first_not_of(" \t\n") != absl::string_view::npos) tokens_begin_ = std::string::npos;
  if (image_depth_ > 0) {
    alt_.append(text.data(), text.size());
    return;
  }
  CountWords(text);
  CollectText(text);
  if (in_heading_) heading_text_.append(text.data(), text.size());
  AppendHtmlEscaped(text, &out_);
}

void EventRenderer::RawHtml(absl::string_view text) {
  tokens_begin_ = std::string::npos;
  if (image_depth_ > 0) return;
  if (!document_.result.summary_is_explicit && document_.container_depth == 0 && block_depth_ == 0 &&
      absl::StartsWith(text, "<!--")) {
    const absl::string_view inner = absl::StripAsciiWhitespace(absl::StripPrefix(text, "<!--"));
    if (absl::StartsWith(inner, "more") && absl::StrContains(inner, "-->")) {
      document_.result.summary_is_explicit = true;
      document_.result.summary_size = static_cast<uint32_t>(out_.size());
      return;
    }
  }
  if (!document_.options.raw_html) {
    AppendHtmlEscaped(text, &out_);
    return;
  }
  if (!document_.options.tag_filter) {
    AppendWithTokens(text, /*code=*/absl::StartsWith(text, "<!--"), /*destination=*/false, &out_);
    return;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' && IsFilteredTag(text.substr(i + 1))) {
      out_.append("&lt;");
    } else {
      out_.push_back(text[i]);
    }
  }
}

bool EventRenderer::TryAlert(absl::string_view text) {
  if (!absl::StartsWith(text, "[!")) return false;
  const absl::string_view line = absl::StripTrailingAsciiWhitespace(text);
  for (const auto& [word, name] : kAlerts) {
    if (line.size() != word.size() + 3 || !absl::EndsWith(line, "]") ||
        !absl::EqualsIgnoreCase(line.substr(2, word.size()), word)) {
      continue;
    }
    static constexpr absl::string_view kOpening = "<blockquote>\n<p>";
    out_.resize(out_.size() - kOpening.size());
    absl::StrAppend(&out_, "<div class=\"admonition ", name, "\" role=\"note\">\n<p class=\"admonition-title\">",
                    word.substr(0, 1), absl::AsciiStrToLower(word.substr(1)), "</p>\n<p>");
    alerts_.back() = true;
    alert_title_done_ = true;
    alert_at_ = std::string::npos;
    return true;
  }
  return false;
}

void EventRenderer::FootnoteReference(const std::string& label, Footnote& footnote) {
  tokens_begin_ = std::string::npos;
  if (footnote.number == 0) {
    document_.footnote_order.push_back(label);
    footnote.number = static_cast<uint32_t>(document_.footnote_order.size());
  }
  ++footnote.references;
  const std::string suffix = footnote.references > 1 ? absl::StrCat("-", footnote.references) : "";
  absl::StrAppend(&out_, "<sup class=\"footnote-ref\" id=\"fnref-", footnote.number, suffix, "\"><a href=\"#fn-",
                  footnote.number, "\" role=\"doc-noteref\">", footnote.number, "</a></sup>");
  document_.result.ids.push_back(absl::StrCat("fnref-", footnote.number, suffix));
}

void EventRenderer::CountWords(absl::string_view text) {
  uint32_t words = 0;
  bool in_word = in_word_;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[i]);
    if (byte <= ' ') {
      in_word = false;
    } else if (byte >= 0xE3 && byte <= 0xED) {
      // Kana, Han and Hangul: each character counts as a word.
      ++words;
      in_word = false;
      i += 2;
    } else if (!in_word) {
      ++words;
      in_word = true;
    }
  }
  in_word_ = in_word;
  document_.result.word_count += words;
}

void EventRenderer::CollectText(absl::string_view text) {
  if (document_.options.collect_text) document_.result.text.append(text.data(), text.size());
}

}  // namespace ssg::internal
