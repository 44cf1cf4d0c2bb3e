// What templates may ask of a page. Every attribute belongs to one facet, which
// is recorded before it is answered.
#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "ssg/data/encode.h"
#include "ssg/site/body.h"
#include "ssg/site/page.h"
#include "ssg/site/paths.h"
#include "ssg/site/read_set.h"
#include "ssg/site/site.h"
#include "ssg/template/runtime.h"
#include "ssg/template/symbol.h"

namespace ssg {
namespace {

using tmpl::Runtime;
using tmpl::Value;

struct Reader {
  const Page& page;
  const Site& site;
  const RenderContext& context;
  Runtime& runtime;
};

using Getter = Value (*)(const Reader&);

struct Row {
  Facet facet;
  Getter get;
};

Value Text(absl::string_view text) { return Value::String(text); }
Value OrNone(const Page* page) { return page == nullptr ? Value::None() : Value::Of(page); }
Value Date(const Reader& r, int64_t seconds) {
  return seconds == kNoDate ? Value::None() : r.runtime.NewString(FormatIsoDate(seconds));
}

absl::string_view KindName(PageKind kind) {
  static constexpr absl::string_view kNames[] = {"home", "section", "page", "taxonomy", "term"};
  return kNames[static_cast<size_t>(kind)];
}

Value Ancestors(const Reader& r) {
  std::vector<Value> ancestors;
  for (const Page* up = r.page.parent; up != nullptr; up = up->parent) {
    ancestors.push_back(Value::Of(up));
    if (r.context.reads != nullptr) r.context.reads->Add(up->id, Facet::kLinks);
  }
  std::reverse(ancestors.begin(), ancestors.end());
  return r.runtime.NewListOf(ancestors);
}

Value Terms(const Reader& r, uint32_t taxonomy) {
  std::vector<Value> terms;
  for (const auto& [index, term] : r.page.terms) {
    if (index == taxonomy) terms.push_back(Value::Of(term));
  }
  return r.runtime.NewListOf(terms);
}

Value AllTerms(const Reader& r) {
  tmpl::Arena& arena = r.runtime.arena();
  tmpl::Dict* dict = tmpl::NewDict(arena);
  for (uint32_t i = 0; i < r.site.taxonomies().size(); ++i) {
    tmpl::Set(arena, *dict, Value::String(r.site.taxonomies()[i].config->name), Terms(r, i));
  }
  return Value::Of(dict);
}

// Pages that share the most terms, the newest first among equals.
Value Related(const Reader& r) {
  absl::flat_hash_map<const Page*, int> scores;
  for (const auto& [taxonomy, term] : r.page.terms) {
    if (r.context.reads != nullptr) r.context.reads->Add(term->id, Facet::kRelated);
    for (const Page* page : term->pages) {
      if (page != &r.page) ++scores[page];
    }
  }
  std::vector<std::pair<int, const Page*>> ranked;
  for (const auto& [page, score] : scores) ranked.emplace_back(score, page);
  const size_t count = std::min<size_t>(ranked.size(), static_cast<size_t>(r.site.config().related));
  std::partial_sort(ranked.begin(), ranked.begin() + count, ranked.end(), [](const auto& a, const auto& b) {
    return std::forward_as_tuple(b.first, b.second->date, a.second->key) <
           std::forward_as_tuple(a.first, a.second->date, b.second->key);
  });
  std::vector<Value> related;
  for (size_t i = 0; i < count; ++i) related.push_back(Value::Of(ranked[i].second));
  return r.runtime.NewListOf(related);
}

Value Resources(const Reader& r) {
  tmpl::Arena& arena = r.runtime.arena();
  std::vector<Value> resources;
  for (const Resource& resource : r.page.resources) {
    tmpl::Dict* dict = tmpl::NewDict(arena, 2);
    tmpl::Set(arena, *dict, Value::String("name"), Text(resource.name));
    tmpl::Set(arena, *dict, Value::String("url"), r.runtime.NewString(r.site.Href(absl::StrCat("/", resource.output))));
    resources.push_back(Value::Of(dict));
  }
  return r.runtime.NewListOf(resources);
}

Value Headings(const Reader& r) {
  absl::string_view bytes = ViewBody(r.page.body).headings;
  auto list = TakeBinary(&bytes, r.runtime.arena());
  return list.ok() ? *list : r.runtime.NewListOf({});
}

Value File(const Reader& r) {
  tmpl::Arena& arena = r.runtime.arena();
  tmpl::Dict* dict = tmpl::NewDict(arena, 3);
  tmpl::Set(arena, *dict, Value::String("path"), Text(r.page.content_path));
  tmpl::Set(arena, *dict, Value::String("dir"), Text(DirectoryOf(r.page.content_path)));
  tmpl::Set(arena, *dict, Value::String("name"), Text(BaseName(r.page.content_path)));
  return Value::Of(dict);
}

Value Aliases(const Reader& r) {
  std::vector<Value> aliases;
  for (const absl::string_view alias : r.page.aliases) aliases.push_back(Text(alias));
  return r.runtime.NewListOf(aliases);
}

Value Summary(const Reader& r) {
  if (!r.page.summary_text.empty()) return Text(r.page.summary_text);
  return Value::Markup(ViewBody(r.page.body).summary_html);
}

int64_t ReadingMinutes(const Reader& r) {
  const int64_t speed = r.site.config().words_per_minute;
  return std::max<int64_t>(1, (ViewBody(r.page.body).word_count + speed - 1) / speed);
}

const tmpl::SymbolTable<Row>& Table() {
  static const auto& table = *new tmpl::SymbolTable<Row>({
      {"title", {Facet::kMeta, [](const Reader& r) { return Text(r.page.title); }}},
      {"description", {Facet::kMeta, [](const Reader& r) { return Text(r.page.description); }}},
      {"url", {Facet::kMeta, [](const Reader& r) { return r.runtime.NewString(r.site.Href(r.page.path)); }}},
      {"path", {Facet::kMeta, [](const Reader& r) { return Text(r.page.path); }}},
      {"permalink", {Facet::kMeta, [](const Reader& r) { return r.runtime.NewString(r.site.Permalink(r.page.path)); }}},
      {"slug", {Facet::kMeta, [](const Reader& r) { return Text(r.page.slug); }}},
      {"kind", {Facet::kMeta, [](const Reader& r) { return Text(KindName(r.page.kind)); }}},
      {"type", {Facet::kMeta, [](const Reader& r) { return Text(r.page.type); }}},
      {"is_home", {Facet::kMeta, [](const Reader& r) { return Value::Bool(r.page.kind == PageKind::kHome); }}},
      {"is_section", {Facet::kMeta, [](const Reader& r) { return Value::Bool(r.page.IsSection()); }}},
      {"draft", {Facet::kMeta, [](const Reader& r) { return Value::Bool(r.page.draft); }}},
      {"weight", {Facet::kMeta, [](const Reader& r) { return Value::Int(r.page.weight); }}},
      {"date", {Facet::kMeta, [](const Reader& r) { return Date(r, r.page.date); }}},
      {"updated", {Facet::kMeta, [](const Reader& r) { return Date(r, r.page.updated); }}},
      {"lastmod", {Facet::kMeta, [](const Reader& r) { return Date(r, r.page.updated); }}},
      {"params", {Facet::kMeta, [](const Reader& r) { return r.page.params; }}},
      {"aliases", {Facet::kMeta, Aliases}},
      {"file", {Facet::kMeta, File}},
      {"edit_url", {Facet::kMeta, [](const Reader& r) { return Text(r.page.edit_url); }}},
      {"section_name", {Facet::kMeta, [](const Reader& r) { return Text(r.page.section); }}},
      {"content", {Facet::kBody, [](const Reader& r) { return Value::Markup(ViewBody(r.page.body).html); }}},
      {"toc", {Facet::kOutline, [](const Reader& r) { return Value::Markup(ViewBody(r.page.body).toc_html); }}},
      {"headings", {Facet::kOutline, Headings}},
      {"plain", {Facet::kBody, [](const Reader& r) { return Text(ViewBody(r.page.body).text); }}},
      {"summary", {Facet::kText, Summary}},
      {"word_count", {Facet::kText, [](const Reader& r) { return Value::Int(ViewBody(r.page.body).word_count); }}},
      {"reading_time", {Facet::kText, [](const Reader& r) { return Value::Int(ReadingMinutes(r)); }}},
      {"prev", {Facet::kLinks, [](const Reader& r) { return OrNone(r.page.previous); }}},
      {"previous", {Facet::kLinks, [](const Reader& r) { return OrNone(r.page.previous); }}},
      {"next", {Facet::kLinks, [](const Reader& r) { return OrNone(r.page.next); }}},
      {"parent", {Facet::kLinks, [](const Reader& r) { return OrNone(r.page.parent); }}},
      {"section",
       {Facet::kLinks, [](const Reader& r) { return OrNone(r.page.IsSection() ? &r.page : r.page.parent); }}},
      {"ancestors", {Facet::kLinks, Ancestors}},
      {"taxonomies", {Facet::kLinks, AllTerms}},
      {"resources", {Facet::kLinks, Resources}},
      {"pages",
       {Facet::kPages,
        [](const Reader& r) { return r.page.pages_value.IsNone() ? r.runtime.NewListOf({}) : r.page.pages_value; }}},
      {"subsections",
       {Facet::kPages,
        [](const Reader&
               r) { return r.page.subsections_value.IsNone() ? r.runtime.NewListOf({}) : r.page.subsections_value; }}},
      {"terms",
       {Facet::kPages,
        [](const Reader&
               r) { return r.page.subsections_value.IsNone() ? r.runtime.NewListOf({}) : r.page.subsections_value; }}},
      {"related", {Facet::kLinks, Related}},
  });
  return table;
}

// `page.extra`, the name Zola gives to params.extra, and any front matter key.
absl::StatusOr<Value> OwnKey(const Reader& r, tmpl::Symbol name) {
  for (uint32_t i = 0; i < r.site.taxonomies().size(); ++i) {
    if (name.text() == r.site.taxonomies()[i].config->name) {
      if (r.context.reads != nullptr) r.context.reads->Add(r.page.id, Facet::kLinks);
      return Terms(r, i);
    }
  }
  const Value* value = r.page.params.IsDict() ? r.page.params.dict().Find(name) : nullptr;
  return value == nullptr ? Value() : *value;
}

}  // namespace

absl::StatusOr<Value> Page::Attribute(tmpl::Symbol name, Runtime& runtime) const {
  const RenderContext* context = runtime.host<RenderContext>();
  if (context == nullptr) return absl::FailedPreconditionError("pages can only be read while a site is built");
  const Reader reader{*this, *context->site, *context, runtime};
  const Row* row = Table().Find(name);
  if (row == nullptr) {
    if (context->reads != nullptr) context->reads->Add(id, Facet::kMeta);
    return OwnKey(reader, name);
  }
  if (!context->bodies_ready &&
      (row->facet == Facet::kBody || row->facet == Facet::kText || row->facet == Facet::kOutline)) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", name.text(), "' of a page is not known yet while Markdown is rendered"));
  }
  if (context->reads != nullptr) context->reads->Add(id, row->facet);
  return row->get(reader);
}

std::vector<absl::string_view> Page::AttributeNames() const { return Table().Names(); }

std::string Page::ToString() const { return absl::StrCat("<page ", path, ">"); }

}  // namespace ssg
