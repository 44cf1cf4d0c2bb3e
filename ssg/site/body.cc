#include "ssg/site/body.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ssg/data/encode.h"
#include "ssg/template/arena.h"

namespace ssg {
namespace {

constexpr uint32_t kTocLevelMin = 2;
constexpr uint32_t kTocLevelMax = 4;

absl::Status Damaged() { return absl::DataLossError("a cached body is damaged"); }

// AppendBinary() of [{level, id, html, offset}].
std::string EncodeHeadings(const std::vector<Heading>& headings) {
  using tmpl::Value;
  tmpl::Arena arena;
  tmpl::List* list = tmpl::NewList(arena, headings.size());
  for (const Heading& heading : headings) {
    tmpl::Dict* dict = tmpl::NewDict(arena, 4);
    tmpl::Set(arena, *dict, Value::String("level"), Value::Int(heading.level));
    tmpl::Set(arena, *dict, Value::String("id"), Value::String(heading.id));
    tmpl::Set(arena, *dict, Value::String("html"), Value::String(heading.html));
    tmpl::Set(arena, *dict, Value::String("offset"), Value::Int(heading.text_offset));
    tmpl::Append(arena, *list, Value::Of(dict));
  }
  std::string bytes;
  AppendBinary(Value::Of(list), &bytes);
  return bytes;
}

// The summary as HTML of its own: without the footnote references of the page.
absl::string_view SummaryOf(const RenderedMarkdown& rendered) {
  return absl::string_view(rendered.html).substr(0, rendered.summary_size);
}

}  // namespace

std::string EncodeBody(const RenderedMarkdown& rendered, const std::vector<ResolvedLink>& links) {
  std::string bytes;
  bytes.reserve(rendered.html.size() + rendered.text.size() + 1024);
  AppendVarint(rendered.word_count, &bytes);
  AppendCounted(rendered.html, &bytes);
  AppendCounted(SummaryOf(rendered), &bytes);
  AppendCounted(TableOfContents(rendered.headings, kTocLevelMin, kTocLevelMax), &bytes);
  AppendCounted(rendered.headings.empty() ? absl::string_view() : absl::string_view(EncodeHeadings(rendered.headings)),
                &bytes);
  AppendCounted(rendered.text, &bytes);
  AppendVarint(rendered.ids.size(), &bytes);
  for (const std::string& id : rendered.ids) AppendCounted(id, &bytes);
  AppendVarint(links.size(), &bytes);
  for (const ResolvedLink& link : links) {
    AppendVarint(link.line * 2 + (link.image ? 1 : 0), &bytes);
    AppendCounted(link.target, &bytes);
    AppendCounted(link.anchor, &bytes);
  }
  return bytes;
}

BodyView ViewBody(absl::string_view bytes) {
  BodyView view;
  uint64_t words = 0;
  if (!TakeVarint(&bytes, &words) || !TakeCounted(&bytes, &view.html) || !TakeCounted(&bytes, &view.summary_html) ||
      !TakeCounted(&bytes, &view.toc_html) || !TakeCounted(&bytes, &view.headings) ||
      !TakeCounted(&bytes, &view.text)) {
    return BodyView();
  }
  view.word_count = static_cast<uint32_t>(words);
  return view;
}

absl::Status DecodeFacts(absl::string_view bytes, BodyFacts* facts) {
  absl::string_view skipped;
  uint64_t number = 0;
  if (!TakeVarint(&bytes, &number)) return Damaged();
  for (int i = 0; i < 5; ++i) {
    if (!TakeCounted(&bytes, &skipped)) return Damaged();
  }
  if (!TakeVarint(&bytes, &number) || number > bytes.size()) return Damaged();
  facts->ids.resize(number);
  for (absl::string_view& id : facts->ids) {
    if (!TakeCounted(&bytes, &id)) return Damaged();
  }
  if (!TakeVarint(&bytes, &number) || number > bytes.size()) return Damaged();
  facts->links.resize(number);
  for (CheckedLink& link : facts->links) {
    if (!TakeVarint(&bytes, &number) || !TakeCounted(&bytes, &link.target) || !TakeCounted(&bytes, &link.anchor)) {
      return Damaged();
    }
    link.line = static_cast<uint32_t>(number / 2);
    link.image = (number & 1) != 0;
  }
  return absl::OkStatus();
}

}  // namespace ssg
