// Assembler: taxonomies, terms, menus.
#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ssg/content/front_matter.h"
#include "ssg/site/assembler.h"

namespace ssg {

using tmpl::Value;

Page* Assembler::TermPage(uint32_t taxonomy, absl::string_view name) {
  Taxonomy& owner = site_.taxonomies_[taxonomy];
  // "lang/cpp" is the term "cpp" below "lang".
  std::string slug;
  Page* parent = owner.page;
  Page* term = nullptr;
  std::string full;
  for (const absl::string_view raw : absl::StrSplit(name, '/', absl::SkipEmpty())) {
    const absl::string_view part = absl::StripAsciiWhitespace(raw);
    if (part.empty()) continue;
    absl::StrAppend(&slug, "/", site_.UrlPart(part));
    absl::StrAppend(&full, full.empty() ? "" : "/", part);
    auto [it, inserted] = terms_.try_emplace(absl::StrCat(owner.config->name, slug));
    if (inserted) {
      const std::string content_path = absl::StrCat(it->first, "/_index.md");
      const auto section = sections_.find(absl::string_view(it->first));
      if (section != sections_.end()) {
        it->second = section->second;  // content/tags/x/_index.md describes the term
        it->second->kind = PageKind::kTerm;
      } else {
        it->second = NewPage(PageKind::kTerm, Copy(absl::StrCat("term:", it->first)));
        it->second->title = Copy(part);
        it->second->section = Copy(owner.config->name);
        it->second->path = Copy(absl::StrCat("/", it->first, "/"));
        it->second->output = Copy(absl::StrCat(it->first, "/index.html"));
        site_.pages_.push_back(it->second);
      }
      it->second->parent = parent;
      if (parent != owner.page) parent->subsections.push_back(it->second);
      owner.terms.push_back(it->second);
    }
    term = parent = it->second;
  }
  return term;
}

void Assembler::AddToTerm(uint32_t taxonomy, absl::string_view name, Page* page) {
  Page* term = TermPage(taxonomy, name);
  if (term == nullptr) return;
  const auto tagged = std::make_pair(taxonomy, term);
  if (std::find(page->terms.begin(), page->terms.end(), tagged) != page->terms.end()) return;
  page->terms.push_back(tagged);
  // A page belongs to the terms above its own as well.
  for (Page* up = term; up != site_.taxonomies_[taxonomy].page; up = up->parent) {
    if (up->pages.empty() || up->pages.back() != page) up->pages.push_back(page);
  }
}

void Assembler::MakeTaxonomies() {
  const std::vector<Page*> pages = site_.pages_;
  site_.taxonomies_.reserve(site_.config_.taxonomies.size());
  for (const TaxonomyConfig& config : site_.config_.taxonomies) {
    const uint32_t index = static_cast<uint32_t>(site_.taxonomies_.size());
    Taxonomy taxonomy;
    taxonomy.config = &config;
    const auto section = sections_.find(absl::string_view(config.name));
    if (section != sections_.end()) {
      taxonomy.page = section->second;
      taxonomy.page->kind = PageKind::kTaxonomy;
      auto& siblings = taxonomy.page->parent->subsections;
      siblings.erase(std::find(siblings.begin(), siblings.end(), taxonomy.page));
    } else {
      taxonomy.page = NewPage(PageKind::kTaxonomy, Copy(absl::StrCat("taxonomy:", config.name)));
      std::string title = config.name;
      title[0] = absl::ascii_toupper(title[0]);
      taxonomy.page->title = Copy(title);
      taxonomy.page->section = config.name;
      taxonomy.page->path = Copy(absl::StrCat("/", config.name, "/"));
      taxonomy.page->output = Copy(absl::StrCat(config.name, "/index.html"));
      taxonomy.page->parent = site_.home_;
    }
    site_.taxonomies_.push_back(taxonomy);
    for (Page* page : pages) {
      if (page->kind != PageKind::kPage) continue;
      const tmpl::Dict& params = page->params.dict();
      const Value* names = params.Find(absl::string_view(config.name));
      if (names == nullptr) {
        const Value* all = params.Find(absl::string_view("taxonomies"));
        if (all != nullptr && all->IsDict()) names = all->dict().Find(absl::string_view(config.name));
      }
      if (names == nullptr || names->IsNone()) continue;
      if (names->IsString()) {
        AddToTerm(index, names->text(), page);
        continue;
      }
      bool ok = names->kind() == tmpl::Kind::kList;
      for (uint32_t i = 0; ok && i < names->list().size; ++i) {
        const Value& name = names->list()[i];
        if (name.IsInt()) {
          AddToTerm(index, Copy(absl::StrCat(name.int_value())), page);
        } else if (name.IsString()) {
          AddToTerm(index, name.text(), page);
        } else {
          ok = false;
        }
      }
      if (!ok) {
        site_.diagnostics_.Error("front-matter", page->file, FrontMatterLine(page->source, config.name),
                                 absl::StrCat("\"", config.name, "\" must be a list of strings"));
      }
    }
    auto& owner = site_.taxonomies_.back();
    std::sort(owner.terms.begin(), owner.terms.end(),
              [](const Page* a, const Page* b) { return std::tie(a->title, a->path) < std::tie(b->title, b->path); });
    owner.page->subsections = owner.terms;
    // An unused taxonomy has no page, unless content describes it.
    if (section == sections_.end() && !owner.terms.empty()) site_.pages_.push_back(owner.page);
  }
}

void Assembler::AddPageMenus(Page* page) {
  const tmpl::Dict& params = page->params.dict();
  const Value* menus = params.Find(absl::string_view("menus"));
  if (menus == nullptr) menus = params.Find(absl::string_view("menu"));
  if (menus == nullptr) return;
  const auto add = [&](absl::string_view menu, const Value* settings) {
    auto node = std::make_unique<MenuNode>();
    node->menu = menu;
    node->page = page;
    node->name = page->title;
    node->identifier = page->title;
    node->weight = page->weight;
    if (settings != nullptr && settings->IsDict()) {
      const tmpl::Dict& dict = settings->dict();
      if (const Value* v = dict.Find(absl::string_view("name")); v != nullptr && v->IsString()) node->name = v->text();
      if (const Value* v = dict.Find(absl::string_view("weight")); v != nullptr && v->IsInt())
        node->weight = v->int_value();
      if (const Value* v = dict.Find(absl::string_view("parent")); v != nullptr && v->IsString())
        node->parent = v->text();
      if (const Value* v = dict.Find(absl::string_view("identifier")); v != nullptr && v->IsString()) {
        node->identifier = v->text();
      }
    }
    site_.menu_.push_back(std::move(node));
  };
  if (menus->IsString()) {
    add(menus->text(), nullptr);
  } else if (menus->kind() == tmpl::Kind::kList) {
    for (const Value& menu : menus->list()) {
      if (menu.IsString()) add(menu.text(), nullptr);
    }
  } else if (menus->IsDict()) {
    for (uint32_t i = 0; i < menus->dict().used; ++i) {
      add(menus->dict().entries[i].key.text(), &menus->dict().entries[i].value);
    }
  }
}

void Assembler::MakeMenus() {
  for (const MenuItem& item : site_.config_.menu) {
    auto node = std::make_unique<MenuNode>();
    node->menu = item.menu;
    node->identifier = item.identifier;
    node->parent = item.parent;
    node->name = item.name;
    node->weight = item.weight;
    node->url = absl::StartsWith(item.url, "/") ? Copy(site_.Href(item.url)) : absl::string_view(item.url);
    if (!item.page.empty()) {
      absl::string_view path = item.page;
      absl::ConsumePrefix(&path, "@/");
      node->page = site_.FindByContentPath(path);
      if (node->page == nullptr) {
        site_.diagnostics_.Error("link", "ssg.toml", 0,
                                 absl::StrCat("menu entry \"", item.name, "\": no page ", item.page));
        continue;
      }
    }
    site_.menu_.push_back(std::move(node));
  }
  for (Page* page : site_.pages_) AddPageMenus(page);
  std::stable_sort(site_.menu_.begin(), site_.menu_.end(), [](const auto& a, const auto& b) {
    return std::tie(a->menu, a->weight, a->name) < std::tie(b->menu, b->weight, b->name);
  });
  for (auto& node : site_.menu_) {
    if (node->page != nullptr) node->url = Copy(site_.Href(node->page->path));
    if (node->parent.empty()) continue;
    for (auto& other : site_.menu_) {
      if (other != node && other->menu == node->menu && other->identifier == node->parent) {
        other->children.push_back(node.get());
        node->root = false;
        break;
      }
    }
  }
}

}  // namespace ssg
