#include "ssg/build/page_stage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ssg/site/paths.h"

namespace ssg {

using tmpl::Value;

namespace {

// "/blog/" and 2 -> "/blog/page/2/"
std::string PagedPath(absl::string_view path, uint32_t number) {
  return number == 1 ? std::string(path) : absl::StrCat(path, "page/", number, "/");
}

}  // namespace

std::vector<RenderUnit> PageStage::Units() const {
  std::vector<RenderUnit> units;
  units.reserve(site_.pages().size());
  for (const Page* page : site_.pages()) {
    if (!page->render) continue;
    RenderUnit unit;
    unit.page = page;
    unit.output = std::string(page->output);
    if (page->kind != PageKind::kPage && page->kind != PageKind::kTaxonomy) {
      int64_t per_page = page->paginate_by;
      if (per_page < 0) {
        per_page = site_.config().paginate;
        if (page->kind == PageKind::kTerm) {
          for (const Taxonomy& taxonomy : site_.taxonomies()) {
            if (taxonomy.config->name == page->section && taxonomy.config->paginate > 0)
              per_page = taxonomy.config->paginate;
          }
        }
      }
      unit.per_page = static_cast<uint32_t>(per_page);
      if (per_page > 0) {
        unit.count = std::max<uint32_t>(1, static_cast<uint32_t>((page->pages.size() + per_page - 1) / per_page));
      }
    }
    for (uint32_t number = 1; number <= unit.count; ++number) {
      unit.number = number;
      if (number > 1) unit.output = absl::StrCat(PagedPath(page->path, number).substr(1), "index.html");
      units.push_back(unit);
    }
    for (const absl::string_view format : page->outputs) {
      if (format == "html") continue;
      RenderUnit extra;
      extra.page = page;
      extra.format = std::string(format);
      extra.output =
          absl::StrCat(DirectoryOf(page->output), DirectoryOf(page->output).empty() ? "" : "/", "index.", format);
      units.push_back(extra);
    }
  }
  return units;
}

std::string PageStage::TemplateFor(const RenderUnit& unit, ReadSet& reads) const {
  const Page& page = *unit.page;
  std::vector<std::string> names;
  if (!unit.format.empty()) {
    names = {absl::StrCat(page.kind == PageKind::kPage ? "page." : "section.", unit.format)};
  } else {
    if (!page.template_name.empty()) return std::string(page.template_name);
    const absl::string_view folder = page.type.empty() ? page.section : page.type;
    const auto add = [&](absl::string_view name) {
      if (!folder.empty()) names.push_back(absl::StrCat(folder, "/", name));
      names.emplace_back(name);
    };
    switch (page.kind) {
      case PageKind::kHome:
        names = {"index.html", "home.html", "section.html"};
        break;
      case PageKind::kSection:
        add("section.html");
        break;
      case PageKind::kPage:
        add("page.html");
        break;
      case PageKind::kTaxonomy:
        names = {absl::StrCat(page.section, "/list.html"), "taxonomy_list.html", "taxonomy.html"};
        break;
      case PageKind::kTerm:
        names = {absl::StrCat(page.section, "/single.html"), "taxonomy_single.html", "term.html"};
        break;
    }
  }
  for (const std::string& name : names) {
    if (templates_.Has(name)) return name;
    reads.OnTemplate(name, false);
  }
  return names.back();
}

Value PageStage::Paginator(const RenderUnit& unit, tmpl::Arena& arena) const {
  const Page& page = *unit.page;
  tmpl::Dict* dict = tmpl::NewDict(arena, 12);
  const auto set = [&](absl::string_view key, const Value& value) {
    tmpl::Set(arena, *dict, Value::String(key), value);
  };
  const auto url = [&](uint32_t number) { return Value::String(arena.Copy(site_.Href(PagedPath(page.path, number)))); };
  const size_t begin = static_cast<size_t>(unit.number - 1) * unit.per_page;
  const size_t end = std::min(page.pages.size(), begin + unit.per_page);
  tmpl::List* pages = tmpl::NewList(arena, end - begin);
  for (size_t i = begin; i < end; ++i) tmpl::Append(arena, *pages, Value::Of(page.pages[i]));
  tmpl::List* pagers = tmpl::NewList(arena, unit.count);
  for (uint32_t number = 1; number <= unit.count; ++number) tmpl::Append(arena, *pagers, url(number));
  set("pages", Value::Of(pages));
  set("number", Value::Int(unit.number));
  set("current_index", Value::Int(unit.number));
  set("number_pagers", Value::Int(unit.count));
  set("total", Value::Int(static_cast<int64_t>(page.pages.size())));
  set("per_page", Value::Int(unit.per_page));
  set("pagers", Value::Of(pagers));
  set("first", url(1));
  set("last", url(unit.count));
  set("previous", unit.number > 1 ? url(unit.number - 1) : Value::None());
  set("next", unit.number < unit.count ? url(unit.number + 1) : Value::None());
  return Value::Of(dict);
}

void PageStage::SetCommon(const Page& page, tmpl::Variables& variables) const {
  variables.Set("page", Value::Of(&page));
  variables.Set("site", Value::Of(&site_));
  variables.Set("config", site_.config().all);
  variables.Set("lang", Value::String(site_.config().language));
}

bool PageStage::RenderTemplate(absl::string_view name, const Page& page, const tmpl::Variables& variables,
                               ReadSet& reads, std::string* html) const {
  RenderContext context{&site_, &page, &reads, /*bodies_ready=*/true};
  auto found = engine_.Get(name);
  absl::Status status = found.status();
  if (status.ok()) {
    tmpl::RenderOptions options;
    options.observer = &reads;
    options.host = &context;
    status = engine_.Render(**found, variables, options, *html);
  }
  if (status.ok()) return true;
  // The message leads with the template's own file, line and excerpt.
  diagnostics_.Error("template", page.file.empty() ? page.key : page.file, 0, status.message());
  return false;
}

bool PageStage::Render(const RenderUnit& unit, ReadSet& reads, std::string* html) const {
  const Page& page = *unit.page;
  tmpl::Variables variables;
  SetCommon(page, variables);
  if (page.kind != PageKind::kPage) {
    variables.Set("section", Value::Of(&page));
    variables.Set("term", Value::Of(&page));
    variables.Set("terms", page.subsections_value);
    reads.Add(page.id, Facet::kPages);
  } else if (page.parent != nullptr) {
    variables.Set("section", Value::Of(page.parent));
  }
  if (unit.per_page > 0) variables.Set("paginator", Paginator(unit, variables.arena()));
  reads.Add(page.id, Facet::kMeta);
  return RenderTemplate(TemplateFor(unit, reads), page, variables, reads, html);
}

bool PageStage::RenderNotFound(ReadSet& reads, std::string* html) const {
  tmpl::Variables variables;
  SetCommon(*site_.home(), variables);
  variables.Set("not_found", Value::Bool(true));
  return RenderTemplate("404.html", *site_.home(), variables, reads, html);
}

}  // namespace ssg
