// Assembler: the frozen lists and dicts that templates see.
#include "absl/strings/string_view.h"
#include "ssg/site/assembler.h"

namespace ssg {

using tmpl::Value;

Value Assembler::ListOf(const std::vector<Page*>& pages) {
  tmpl::List* list = tmpl::NewList(site_.arena_, pages.size());
  for (const Page* page : pages) tmpl::Append(site_.arena_, *list, Value::Of(page));
  list->frozen = true;
  return Value::Of(list);
}

Value Assembler::MenuValue(const MenuNode& node, int depth) {
  tmpl::Arena& arena = site_.arena_;
  tmpl::Dict* dict = tmpl::NewDict(arena, 6);
  const auto set = [&](const char* key, const Value& value) {
    tmpl::Set(arena, *dict, Value::String(absl::string_view(key)), value);
  };
  set("name", Value::String(node.name));
  set("url", Value::String(node.url));
  set("identifier", Value::String(node.identifier));
  set("weight", Value::Int(node.weight));
  set("page", node.page == nullptr ? Value::None() : Value::Of(node.page));
  tmpl::List* children = tmpl::NewList(arena);
  // A cycle of parents has no root and so is not shown; the depth bounds the rest.
  if (depth < 16) {
    for (const MenuNode* child : node.children) tmpl::Append(arena, *children, MenuValue(*child, depth + 1));
  }
  children->frozen = true;
  set("children", Value::Of(children));
  dict->frozen = true;
  return Value::Of(dict);
}

void Assembler::MakeValues() {
  tmpl::Arena& arena = site_.arena_;
  for (Page* page : site_.pages_) {
    if (page->kind == PageKind::kPage) continue;
    page->pages_value = ListOf(page->pages);
    page->subsections_value = ListOf(page->subsections);
  }
  site_.pages_value_ = ListOf(site_.pages_);
  site_.regular_pages_value_ = ListOf(site_.regular_pages_);
  tmpl::Dict* taxonomies = tmpl::NewDict(arena);
  for (const Taxonomy& taxonomy : site_.taxonomies_) {
    tmpl::Dict* entry = tmpl::NewDict(arena, 3);
    tmpl::Set(arena, *entry, Value::String("name"), Value::String(taxonomy.config->name));
    tmpl::Set(arena, *entry, Value::String("page"), Value::Of(taxonomy.page));
    tmpl::Set(arena, *entry, Value::String("terms"), ListOf(taxonomy.terms));
    entry->frozen = true;
    tmpl::Set(arena, *taxonomies, Value::String(taxonomy.config->name), Value::Of(entry));
  }
  taxonomies->frozen = true;
  site_.taxonomies_value_ = Value::Of(taxonomies);
  tmpl::Dict* menus = tmpl::NewDict(arena);
  for (const auto& node : site_.menu_) {
    Value* list = menus->Find(node->menu);
    if (list == nullptr) {
      tmpl::Set(arena, *menus, Value::String(node->menu), Value::Of(tmpl::NewList(arena)));
      list = menus->Find(node->menu);
    }
    if (node->root) tmpl::Append(arena, list->list(), MenuValue(*node, 0));
  }
  for (uint32_t i = 0; i < menus->used; ++i) menus->entries[i].value.list().frozen = true;
  menus->frozen = true;
  site_.menus_value_ = Value::Of(menus);
}

}  // namespace ssg
