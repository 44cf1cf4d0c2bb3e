// DecodeToml: toml++'s tables to values.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ssg/data/decode.h"

namespace ssg {
namespace {

using tmpl::Value;

Value ConvertNode(const toml::node& node, tmpl::Arena& arena);

// toml++ sorts tables by key; the source's order is that of the positions.
Value ConvertTable(const toml::table& table, tmpl::Arena& arena) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (auto it = table.begin(); it != table.end(); ++it) entries.emplace_back(&it->first, &it->second);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const toml::source_position& x = a.first->source().begin;
    const toml::source_position& y = b.first->source().begin;
    return std::make_pair(x.line, x.column) < std::make_pair(y.line, y.column);
  });
  tmpl::Dict* dict = tmpl::NewDict(arena, entries.size());
  for (const auto& [key, node] : entries) {
    const std::string_view name = key->str();  // tidy: string-view: the library's own type
    tmpl::Set(arena, *dict, Value::String(arena.Copy(absl::string_view(name.data(), name.size()))),
              ConvertNode(*node, arena));
  }
  return Value::Of(dict);
}

template <typename T>
Value ConvertPrinted(const T& value, tmpl::Arena& arena) {
  std::ostringstream text;
  text << value;
  return Value::String(arena.Copy(text.str()));
}

Value ConvertNode(const toml::node& node, tmpl::Arena& arena) {
  switch (node.type()) {
    case toml::node_type::table:
      return ConvertTable(*node.as_table(), arena);
    case toml::node_type::array: {
      tmpl::List* list = tmpl::NewList(arena, node.as_array()->size());
      for (const toml::node& item : *node.as_array()) tmpl::Append(arena, *list, ConvertNode(item, arena));
      return Value::Of(list);
    }
    case toml::node_type::string:
      return Value::String(arena.Copy(node.as_string()->get()));
    case toml::node_type::integer:
      return Value::Int(node.as_integer()->get());
    case toml::node_type::floating_point:
      return Value::Float(node.as_floating_point()->get());
    case toml::node_type::boolean:
      return Value::Bool(node.as_boolean()->get());
    case toml::node_type::date:
      return ConvertPrinted(node.as_date()->get(), arena);
    case toml::node_type::time:
      return ConvertPrinted(node.as_time()->get(), arena);
    case toml::node_type::date_time:
      return ConvertPrinted(node.as_date_time()->get(), arena);
    default:
      return Value::None();
  }
}

}  // namespace

absl::StatusOr<Value> DecodeToml(absl::string_view text, tmpl::Arena& arena) {
  // toml++ bounds nesting itself (TOML_MAX_NESTED_VALUES = 256).
  const toml::parse_result result = toml::parse(std::string_view(text.data(), text.size()));  // tidy: string-view: the library's own type
  if (!result) {
    const toml::parse_error& error = result.error();
    const std::string_view what = error.description();  // tidy: string-view: the library's own type
    return absl::InvalidArgumentError(absl::StrCat(error.source().begin.line, ":", error.source().begin.column, ": ",
                                                   absl::string_view(what.data(), what.size())));
  }
  return ConvertTable(result.table(), arena);
}

}  // namespace ssg
