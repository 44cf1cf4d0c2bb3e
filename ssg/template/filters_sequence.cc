// Jinja2's filters on sequences and mappings.
#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/methods.h"
#include "ssg/template/pretty.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

absl::StatusOr<Value> Length(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t length, runtime.Length(call[0]));
  return Value::Int(length);
}

absl::StatusOr<Value> ToList(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  RETURN_IF_ERROR(runtime.Spend(items.list().size));
  return runtime.NewListOf({items.list().items, items.list().size});
}

absl::StatusOr<Value> First(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  if (items.list().size > 0) return items.list()[0];
  return runtime.UndefinedBecause("No first item, sequence was empty.");
}

absl::StatusOr<Value> Last(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  if (items.list().size > 0) return items.list()[items.list().size - 1];
  return runtime.UndefinedBecause("No last item, sequence was empty.");
}

// Reproducible builds come before chance: the same sequence gives the same
// item (docs/templates.md).
absl::StatusOr<Value> Random(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  if (items.list().size == 0) {
    return runtime.UndefinedBecause("No random item, sequence was empty.");
  }
  uint64_t mix = items.list().size * 0x9E3779B97F4A7C15ull;
  mix ^= mix >> 29;
  return items.list()[static_cast<size_t>(mix % items.list().size)];
}

absl::StatusOr<Value> Join(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(Value separator, TextArgument(runtime, call, 1, ""));
  std::vector<Value> parts;
  parts.reserve(items.list().size);
  bool any_markup = separator.IsMarkup();
  for (const Value& item : items.list()) {
    ASSIGN_OR_RETURN(const Value chosen, call.Has(2) ? runtime.GetPath(item, call[2]) : absl::StatusOr<Value>(item));
    ASSIGN_OR_RETURN(const Value part, runtime.Str(chosen));
    any_markup |= part.IsMarkup();
    parts.push_back(part);
  }
  const bool is_markup = any_markup && runtime.autoescape();
  if (is_markup) {
    ASSIGN_OR_RETURN(separator, runtime.Escape(separator));
  }
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) absl::StrAppend(&out, separator.text());
    if (is_markup) {
      ASSIGN_OR_RETURN(parts[i], runtime.Escape(parts[i]));
    }
    absl::StrAppend(&out, parts[i].text());
  }
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(parts.size() + out.size() / 64)));
  return runtime.NewString(out, is_markup ? Tag::kMarkup : Tag::kPlain);
}

absl::StatusOr<Value> Reverse(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsString()) return runtime.GetSlice(call[0], Value::None(), Value::None(), Value::Int(-1));
  const absl::StatusOr<Value> items = runtime.Iterate(call[0]);
  if (!items.ok()) {
    if (call[0].IsUndefined()) return items.status();
    return absl::InvalidArgumentError("argument must be iterable");
  }
  Value result = runtime.NewListOf({items->list().items, items->list().size}, Kind::kIterator);
  std::reverse(result.list().items, result.list().items + result.list().size);
  return result;
}

// The keys that `items` are compared by: an attribute, or several separated by
// commas, without case unless asked.
absl::StatusOr<std::vector<std::pair<Value, Value>>> WithKeys(Runtime& runtime, const Value& items,
                                                              const Value& attribute, bool case_sensitive,
                                                              bool multiple) {
  std::vector<Value> paths;
  if (multiple && attribute.IsString()) {
    absl::string_view rest = attribute.text();
    while (true) {
      const size_t comma = std::min(rest.find(','), rest.size());
      paths.push_back(Value::String(rest.substr(0, comma)));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  } else {
    paths.push_back(attribute);
  }
  std::vector<std::pair<Value, Value>> keyed;
  keyed.reserve(items.list().size);
  for (const Value& item : items.list()) {
    List* parts = NewList(runtime.arena(), paths.size());
    for (const Value& path : paths) {
      ASSIGN_OR_RETURN(Value key, runtime.GetPath(item, path));
      if (!case_sensitive) key = IgnoreCase(runtime, key);
      Append(runtime.arena(), *parts, key);
    }
    // Lists compare by equality first, so that undefined keys are not an error.
    keyed.emplace_back(multiple ? Value::Of(parts) : (*parts)[0], item);
  }
  return keyed;
}

Value ItemsOf(Runtime& runtime, const std::vector<std::pair<Value, Value>>& keyed) {
  List* list = NewList(runtime.arena(), keyed.size());
  for (const auto& [key, item] : keyed) list->items[list->size++] = item;
  return Value::Of(list);
}

absl::StatusOr<Value> Sort(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(const bool reverse, BoolArgument(runtime, call, 1, false));
  ASSIGN_OR_RETURN(const bool case_sensitive, BoolArgument(runtime, call, 2, false));
  ASSIGN_OR_RETURN(auto keyed, WithKeys(runtime, items, call[3], case_sensitive, true));
  RETURN_IF_ERROR(SortByKeys(runtime, keyed, reverse));
  return ItemsOf(runtime, keyed);
}

absl::StatusOr<Value> Unique(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(const bool case_sensitive, BoolArgument(runtime, call, 1, false));
  ASSIGN_OR_RETURN(const auto keyed, WithKeys(runtime, items, call[2], case_sensitive, false));
  Dict* seen = NewDict(runtime.arena());
  List* list = NewList(runtime.arena());
  for (const auto& [key, item] : keyed) {
    if (!Hashable(key)) {
      return absl::InvalidArgumentError(absl::StrCat("unhashable type: '", TypeName(key), "'"));
    }
    if (seen->Find(key) != nullptr) continue;
    Set(runtime.arena(), *seen, key, Value::Bool(true));
    Append(runtime.arena(), *list, item);
    RETURN_IF_ERROR(runtime.Spend(1));
  }
  return Value::Of(list, Kind::kIterator);
}

NativeFunction Extreme(bool largest) {
  return [largest](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
    ASSIGN_OR_RETURN(const bool case_sensitive, BoolArgument(runtime, call, 1, false));
    if (items.list().size == 0) {
      return runtime.UndefinedBecause("No aggregated item, sequence was empty.");
    }
    ASSIGN_OR_RETURN(const auto keyed, WithKeys(runtime, items, call[2], case_sensitive, false));
    size_t best = 0;
    for (size_t i = 1; i < keyed.size(); ++i) {
      ASSIGN_OR_RETURN(const int order, runtime.Compare(keyed[i].first, keyed[best].first, largest ? ">" : "<"));
      if (largest ? order > 0 : order < 0) best = i;
    }
    return keyed[best].second;
  };
}

absl::StatusOr<Value> Sum(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  Value total = call.Has(2) ? call[2] : Value::Int(0);
  if (total.IsString()) {
    return absl::InvalidArgumentError("sum() can't sum strings [use ''.join(seq) instead]");
  }
  for (const Value& item : items.list()) {
    ASSIGN_OR_RETURN(const Value chosen, call.Has(1) ? runtime.GetPath(item, call[1]) : absl::StatusOr<Value>(item));
    ASSIGN_OR_RETURN(total, runtime.Arithmetic(Operator::kAdd, total, chosen));
  }
  return total;
}

absl::StatusOr<Value> Batch(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(const int64_t count, IntArgument(runtime, call, 1, 1));
  List* rows = NewList(runtime.arena());
  List* row = nullptr;
  for (const Value& item : items.list()) {
    if (row == nullptr || static_cast<int64_t>(row->size) == count) {
      row = NewList(runtime.arena());
      Append(runtime.arena(), *rows, Value::Of(row));
    }
    Append(runtime.arena(), *row, item);
  }
  if (row != nullptr && call.Has(2) && !call[2].IsNone()) {
    RETURN_IF_ERROR(runtime.Spend(std::max<int64_t>(count - row->size, 0)));
    while (static_cast<int64_t>(row->size) < count) Append(runtime.arena(), *row, call[2]);
  }
  return Value::Of(rows, Kind::kIterator);
}

absl::StatusOr<Value> Slice(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(const int64_t slices, IntArgument(runtime, call, 1, 1));
  if (slices == 0) return absl::InvalidArgumentError("integer division or modulo by zero");
  RETURN_IF_ERROR(runtime.Spend(std::max<int64_t>(slices, 0)));
  const int64_t size = items.list().size;
  List* columns = NewList(runtime.arena());
  int64_t at = 0;
  for (int64_t i = 0; i < slices; ++i) {
    const bool has_extra = i < size % slices;
    const int64_t count = size / slices + (has_extra ? 1 : 0);
    List* column = NewList(runtime.arena(), static_cast<size_t>(count) + 1);
    for (int64_t k = 0; k < count; ++k) {
      Append(runtime.arena(), *column, items.list()[static_cast<size_t>(at++)]);
    }
    if (!has_extra && call.Has(2) && !call[2].IsNone()) {
      Append(runtime.arena(), *column, call[2]);
    }
    Append(runtime.arena(), *columns, Value::Of(column));
  }
  return Value::Of(columns, Kind::kIterator);
}

absl::StatusOr<Value> PathOr(Runtime& runtime, const Value& item, const Value& path, const Value& otherwise) {
  ASSIGN_OR_RETURN(const Value value, runtime.GetPath(item, path));
  return value.IsUndefined() && !otherwise.IsMissing() && !otherwise.IsNone() ? otherwise : value;
}

absl::StatusOr<Value> GroupBy(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[0]));
  ASSIGN_OR_RETURN(const bool case_sensitive, BoolArgument(runtime, call, 3, false));
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items.list()) {
    ASSIGN_OR_RETURN(Value key, PathOr(runtime, item, call[1], call[2]));
    if (!case_sensitive) key = IgnoreCase(runtime, key);
    keyed.emplace_back(key, item);
  }
  RETURN_IF_ERROR(SortByKeys(runtime, keyed, false));
  List* groups = NewList(runtime.arena());
  List* members = nullptr;
  for (size_t i = 0; i < keyed.size(); ++i) {
    bool same = false;
    if (i > 0) {
      ASSIGN_OR_RETURN(same, runtime.Equal(keyed[i].first, keyed[i - 1].first));
    }
    if (!same) {
      members = NewList(runtime.arena());
      List* group = NewList(runtime.arena(), 2);
      // The grouper is the first member's own key, in its own case.
      ASSIGN_OR_RETURN(const Value grouper, PathOr(runtime, keyed[i].second, call[1], call[2]));
      Append(runtime.arena(), *group, grouper);
      Append(runtime.arena(), *group, Value::Of(members));
      Append(runtime.arena(), *groups, Value::Of(group, Kind::kTuple, Tag::kGroup));
    }
    Append(runtime.arena(), *members, keyed[i].second);
  }
  return Value::Of(groups);
}

absl::StatusOr<Value> DictSort(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const bool case_sensitive, BoolArgument(runtime, call, 1, false));
  ASSIGN_OR_RETURN(const Value by, TextArgument(runtime, call, 2, "key"));
  ASSIGN_OR_RETURN(const bool reverse, BoolArgument(runtime, call, 3, false));
  if (by.text() != "key" && by.text() != "value") {
    return absl::InvalidArgumentError("You can only sort by either \"key\" or \"value\"");
  }
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  if (!call[0].IsDict()) {
    return absl::InvalidArgumentError(absl::StrCat("dictsort wants a mapping, not ", TypeName(call[0])));
  }
  std::vector<std::pair<Value, Value>> keyed;
  for (uint32_t i = 0; i < call[0].dict().used; ++i) {
    const Dict::Entry& entry = call[0].dict().entries[i];
    if (entry.key.IsMissing()) continue;
    const Value& key = by.text() == "key" ? entry.key : entry.value;
    const Value pair[] = {entry.key, entry.value};
    keyed.emplace_back(case_sensitive ? key : IgnoreCase(runtime, key), runtime.NewListOf(pair, Kind::kTuple));
  }
  RETURN_IF_ERROR(SortByKeys(runtime, keyed, reverse));
  return ItemsOf(runtime, keyed);
}

absl::StatusOr<Value> Items(Runtime& runtime, const BoundArguments& call) {
  List* pairs = NewList(runtime.arena());
  if (call[0].IsUndefined()) return Value::Of(pairs, Kind::kIterator);
  if (!call[0].IsDict()) {
    return absl::InvalidArgumentError("Can only get item pairs from a mapping.");
  }
  for (uint32_t i = 0; i < call[0].dict().used; ++i) {
    const Dict::Entry& entry = call[0].dict().entries[i];
    if (entry.key.IsMissing()) continue;
    const Value pair[] = {entry.key, entry.value};
    Append(runtime.arena(), *pairs, runtime.NewListOf(pair, Kind::kTuple));
  }
  return Value::Of(pairs, Kind::kIterator);
}

absl::StatusOr<Value> Default(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const bool by_truth, BoolArgument(runtime, call, 2, false));
  bool use_default = call[0].IsUndefined();
  if (!use_default && by_truth) {
    ASSIGN_OR_RETURN(const bool truth, runtime.Truth(call[0]));
    use_default = !truth;
  }
  if (!use_default) return call[0];
  return call.Has(1) ? call[1] : Value::String("");
}

// Attributes only, never items.
absl::StatusOr<Value> Attr(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value name, runtime.Str(call[1]));
  if (call[0].IsDict() && FindMethod(call[0], Symbol::Find(name.text())) == nullptr) {
    return runtime.UndefinedAttribute(call[0], name);
  }
  return runtime.GetAttribute(call[0], Symbol::Find(name.text()));
}

absl::StatusOr<Value> PrettyPrint(Runtime& runtime, const BoundArguments& call) {
  std::string out;
  RETURN_IF_ERROR(AppendPretty(runtime, call[0], out));
  return runtime.NewString(out);
}

}  // namespace

void AddSequenceFilters(Environment& environment) {
  environment.AddFilter("length", "value", Length);
  environment.AddFilter("count", "value", Length);
  environment.AddFilter("list", "value", ToList);
  environment.AddFilter("first", "seq", First);
  environment.AddFilter("last", "seq", Last);
  environment.AddFilter("random", "seq", Random);
  environment.AddFilter("join", "value d? attribute?", Join);
  environment.AddFilter("reverse", "value", Reverse);
  environment.AddFilter("sort", "value reverse? case_sensitive? attribute?", Sort);
  environment.AddFilter("unique", "value case_sensitive? attribute?", Unique);
  environment.AddFilter("min", "value case_sensitive? attribute?", Extreme(false));
  environment.AddFilter("max", "value case_sensitive? attribute?", Extreme(true));
  environment.AddFilter("sum", "iterable attribute? start?", Sum);
  environment.AddFilter("batch", "value linecount fill_with?", Batch);
  environment.AddFilter("slice", "value slices fill_with?", Slice);
  environment.AddFilter("groupby", "value attribute default? case_sensitive?", GroupBy);
  environment.AddFilter("dictsort", "value case_sensitive? by? reverse?", DictSort);
  environment.AddFilter("items", "value", Items);
  environment.AddFilter("default", "value default_value? boolean?", Default);
  environment.AddFilter("d", "value default_value? boolean?", Default);
  environment.AddFilter("attr", "obj name", Attr);
  environment.AddFilter("pprint", "value", PrettyPrint);
}

}  // namespace ssg::tmpl
