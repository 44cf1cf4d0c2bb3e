// Jinja2's filters that apply filters, tests or attributes to every item.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"

namespace ssg::tmpl {
namespace {

// `value` as items; empty if it is false, whatever it is.
absl::StatusOr<Value> ItemsIfAny(Runtime& runtime, const Value& value) {
  ASSIGN_OR_RETURN(const bool truth, runtime.Truth(value));
  if (!truth) return Value::Of(NewList(runtime.arena()));
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(value));
  RETURN_IF_ERROR(runtime.Spend(items.list().size));
  return items;
}

absl::StatusOr<Value> MapAttribute(Runtime& runtime, const BoundArguments& call) {
  Value attribute;
  Value otherwise;
  for (const NamedValue& named : call.named) {
    if (named.name.text() == "attribute") {
      attribute = named.value;
    } else if (named.name.text() == "default") {
      otherwise = named.value;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("Unexpected keyword argument '", named.name.text(), "'"));
    }
  }
  ASSIGN_OR_RETURN(const Value items, ItemsIfAny(runtime, call[0]));
  List* list = NewList(runtime.arena(), items.list().size);
  for (const Value& item : items.list()) {
    ASSIGN_OR_RETURN(Value value, runtime.GetPath(item, attribute));
    if (value.IsUndefined() && !otherwise.IsMissing() && !otherwise.IsNone()) value = otherwise;
    Append(runtime.arena(), *list, value);
  }
  return Value::Of(list, Kind::kIterator);
}

absl::StatusOr<Value> Map(Runtime& runtime, const BoundArguments& call) {
  const bool by_attribute =
      call.rest.empty() && std::any_of(call.named.begin(), call.named.end(),
                                       [](const NamedValue& named) { return named.name.text() == "attribute"; });
  if (by_attribute) return MapAttribute(runtime, call);
  ASSIGN_OR_RETURN(const Value items, ItemsIfAny(runtime, call[0]));
  if (items.list().size > 0 && call.rest.empty()) {
    return absl::InvalidArgumentError("map requires a filter argument");
  }
  List* list = NewList(runtime.arena(), items.list().size);
  for (const Value& item : items.list()) {
    ASSIGN_OR_RETURN(const Value name, runtime.Str(call.rest[0]));
    ASSIGN_OR_RETURN(const Value value, runtime.ApplyFilter(name.text(), item, {call.rest.subspan(1), call.named}));
    Append(runtime.arena(), *list, value);
  }
  return Value::Of(list, Kind::kIterator);
}

// select, reject and, with an attribute first, selectattr and rejectattr.
NativeFunction Select(bool keep, bool by_attribute) {
  return [keep, by_attribute](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value items, ItemsIfAny(runtime, call[0]));
    const size_t offset = by_attribute ? 1 : 0;
    if (items.list().size > 0 && call.rest.size() < offset) {
      return absl::InvalidArgumentError("Missing parameter for attribute name");
    }
    List* list = NewList(runtime.arena());
    for (const Value& item : items.list()) {
      Value operand = item;
      if (by_attribute) {
        ASSIGN_OR_RETURN(operand, runtime.GetPath(item, call.rest[0]));
      }
      Value answer = operand;
      if (call.rest.size() > offset) {
        ASSIGN_OR_RETURN(const Value name, runtime.Str(call.rest[offset]));
        ASSIGN_OR_RETURN(answer, runtime.ApplyTest(name.text(), operand, {call.rest.subspan(offset + 1), call.named}));
      }
      ASSIGN_OR_RETURN(const bool truth, runtime.Truth(answer));
      if (truth == keep) Append(runtime.arena(), *list, item);
    }
    return Value::Of(list, Kind::kIterator);
  };
}

}  // namespace

void AddSelectFilters(Environment& environment) {
  environment.AddFilter("map", "value *args **kwargs", Map);
  environment.AddFilter("select", "value *args **kwargs", Select(true, false));
  environment.AddFilter("reject", "value *args **kwargs", Select(false, false));
  environment.AddFilter("selectattr", "value *args **kwargs", Select(true, true));
  environment.AddFilter("rejectattr", "value *args **kwargs", Select(false, true));
}

}  // namespace ssg::tmpl
