// The methods of list, tuple, dict, int and float.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/method_tables.h"
#include "ssg/template/runtime.h"

namespace ssg::tmpl {
namespace {

absl::Status CheckChangeable(const Value& value) {
  const bool frozen = value.IsDict() ? value.dict().frozen : value.list().frozen;
  if (!frozen) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("this ", TypeName(value), " belongs to the site and cannot be changed"));
}

absl::StatusOr<Value> ListAppend(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  RETURN_IF_ERROR(runtime.Spend(1));
  Append(runtime.arena(), call[0].list(), call[1]);
  return Value::None();
}

absl::StatusOr<Value> ListExtend(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[1]));
  const uint32_t count = items.list().size;
  RETURN_IF_ERROR(runtime.Spend(count));
  for (uint32_t i = 0; i < count; ++i) Append(runtime.arena(), call[0].list(), items.list()[i]);
  return Value::None();
}

absl::StatusOr<Value> ListInsert(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  ASSIGN_OR_RETURN(int64_t index, IntArgument(runtime, call, 1, 0));
  List& list = call[0].list();
  const int64_t size = list.size;
  RETURN_IF_ERROR(runtime.Spend(1 + size / 64));
  if (index < 0) index = std::max<int64_t>(index + size, 0);
  index = std::min(index, size);
  Append(runtime.arena(), list, call[2]);
  std::rotate(list.items + index, list.items + size, list.items + size + 1);
  return Value::None();
}

absl::StatusOr<Value> ListPop(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  ASSIGN_OR_RETURN(int64_t index, IntArgument(runtime, call, 1, -1));
  List& list = call[0].list();
  if (list.size == 0) return absl::InvalidArgumentError("pop from empty list");
  if (index < 0) index += list.size;
  if (index < 0 || index >= static_cast<int64_t>(list.size)) {
    return absl::InvalidArgumentError("pop index out of range");
  }
  const Value item = list[static_cast<size_t>(index)];
  std::copy(list.items + index + 1, list.items + list.size, list.items + index);
  --list.size;
  return item;
}

// The index of the first item equal to argument 1; the size if there is none.
absl::StatusOr<uint32_t> IndexOf(Runtime& runtime, const BoundArguments& call, uint32_t begin) {
  const List& list = call[0].list();
  for (uint32_t i = begin; i < list.size; ++i) {
    ASSIGN_OR_RETURN(const bool equal, runtime.Equal(list[i], call[1]));
    if (equal) return i;
  }
  return list.size;
}

absl::StatusOr<Value> ListRemove(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  ASSIGN_OR_RETURN(const uint32_t index, IndexOf(runtime, call, 0));
  List& list = call[0].list();
  if (index == list.size) return absl::InvalidArgumentError("list.remove(x): x not in list");
  std::copy(list.items + index + 1, list.items + list.size, list.items + index);
  --list.size;
  return Value::None();
}

absl::StatusOr<Value> ListIndex(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const uint32_t index, IndexOf(runtime, call, 0));
  if (index < call[0].list().size) return Value::Int(index);
  return absl::InvalidArgumentError("the value is not in the list");
}

absl::StatusOr<Value> ListCount(Runtime& runtime, const BoundArguments& call) {
  int64_t count = 0;
  uint32_t begin = 0;
  while (true) {
    ASSIGN_OR_RETURN(const uint32_t index, IndexOf(runtime, call, begin));
    if (index >= call[0].list().size) return Value::Int(count);
    ++count;
    begin = index + 1;
  }
}

absl::StatusOr<Value> ListSort(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  ASSIGN_OR_RETURN(const bool reverse, BoolArgument(runtime, call, 1, false));
  List& list = call[0].list();
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : list) keyed.emplace_back(item, item);
  RETURN_IF_ERROR(SortByKeys(runtime, keyed, reverse));
  for (uint32_t i = 0; i < list.size; ++i) list[i] = keyed[i].second;
  return Value::None();
}

absl::StatusOr<Value> ListReverse(Runtime&, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  std::reverse(call[0].list().items, call[0].list().items + call[0].list().size);
  return Value::None();
}

absl::StatusOr<Value> ListCopy(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(runtime.Spend(call[0].list().size));
  return runtime.NewListOf({call[0].list().items, call[0].list().size});
}

absl::StatusOr<Value> ListClear(Runtime&, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  call[0].list().size = 0;
  return Value::None();
}

absl::Status CheckKey(const Value& key) {
  if (Hashable(key)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("unhashable type: '", TypeName(key), "'"));
}

absl::StatusOr<Value> DictGet(Runtime&, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckKey(call[1]));
  const Value* found = call[0].dict().Find(call[1]);
  if (found != nullptr) return *found;
  return call.Has(2) ? call[2] : Value::None();
}

// keys, values, items
NativeFunction DictView(Tag tag) {
  return [tag](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    const Dict& dict = call[0].dict();
    RETURN_IF_ERROR(runtime.Spend(dict.size));
    List* list = NewList(runtime.arena(), dict.size);
    for (uint32_t i = 0; i < dict.used; ++i) {
      const Dict::Entry& entry = dict.entries[i];
      if (entry.key.IsMissing()) continue;
      const Value pair[] = {entry.key, entry.value};
      list->items[list->size++] = tag == Tag::kKeys     ? entry.key
                                  : tag == Tag::kValues ? entry.value
                                                        : runtime.NewListOf(pair, Kind::kTuple);
    }
    return Value::Of(list, Kind::kView, tag);
  };
}

absl::StatusOr<Value> DictPop(Runtime&, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  RETURN_IF_ERROR(CheckKey(call[1]));
  const Value* found = call[0].dict().Find(call[1]);
  if (found == nullptr) {
    if (call.Has(2)) return call[2];
    return absl::InvalidArgumentError("pop(): no such key");
  }
  const Value value = *found;
  Erase(call[0].dict(), call[1]);
  return value;
}

absl::StatusOr<Value> DictPopItem(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  Dict& dict = call[0].dict();
  for (uint32_t i = dict.used; i > 0; --i) {
    const Dict::Entry entry = dict.entries[i - 1];
    if (entry.key.IsMissing()) continue;
    Erase(dict, entry.key);
    const Value pair[] = {entry.key, entry.value};
    return runtime.NewListOf(pair, Kind::kTuple);
  }
  return absl::InvalidArgumentError("popitem(): dictionary is empty");
}

absl::StatusOr<Value> DictSetDefault(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckKey(call[1]));
  if (const Value* found = call[0].dict().Find(call[1])) return *found;
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  const Value value = call.Has(2) ? call[2] : Value::None();
  Set(runtime.arena(), call[0].dict(), call[1], value);
  return value;
}

absl::StatusOr<Value> DictUpdate(Runtime& runtime, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  std::vector<std::pair<Value, Value>> pairs;
  if (call.Has(1) && call[1].IsDict()) {
    for (uint32_t i = 0; i < call[1].dict().used; ++i) {
      const Dict::Entry& entry = call[1].dict().entries[i];
      if (!entry.key.IsMissing()) pairs.emplace_back(entry.key, entry.value);
    }
  } else if (call.Has(1)) {
    ASSIGN_OR_RETURN(const Value items, runtime.Iterate(call[1]));
    for (const Value& item : items.list()) {
      ASSIGN_OR_RETURN(const Value pair, runtime.Iterate(item));
      if (pair.list().size != 2) {
        return absl::InvalidArgumentError("update() wants pairs of a key and a value");
      }
      RETURN_IF_ERROR(CheckKey(pair.list()[0]));
      pairs.emplace_back(pair.list()[0], pair.list()[1]);
    }
  }
  for (const NamedValue& named : call.named) {
    pairs.emplace_back(runtime.NewString(named.name.text()), named.value);
  }
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(pairs.size())));
  for (const auto& [key, value] : pairs) Set(runtime.arena(), call[0].dict(), key, value);
  return Value::None();
}

absl::StatusOr<Value> DictCopy(Runtime& runtime, const BoundArguments& call) {
  const Dict& dict = call[0].dict();
  RETURN_IF_ERROR(runtime.Spend(dict.size));
  Dict* copy = NewDict(runtime.arena(), dict.size);
  for (uint32_t i = 0; i < dict.used; ++i) {
    if (dict.entries[i].key.IsMissing()) continue;
    Set(runtime.arena(), *copy, dict.entries[i].key, dict.entries[i].value);
  }
  return Value::Of(copy);
}

absl::StatusOr<Value> DictClear(Runtime&, const BoundArguments& call) {
  RETURN_IF_ERROR(CheckChangeable(call[0]));
  Clear(call[0].dict());
  return Value::None();
}

absl::StatusOr<Value> BitLength(Runtime&, const BoundArguments& call) {
  const int64_t value = call[0].int_value();
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  return Value::Int(magnitude == 0 ? 0 : 64 - __builtin_clzll(magnitude));
}

absl::StatusOr<Value> IsInteger(Runtime&, const BoundArguments& call) {
  const double value = call[0].float_value();
  return Value::Bool(std::isfinite(value) && value == std::floor(value));
}

}  // namespace

const MethodTable& ListMethods() {
  static const auto* const table = new MethodTable(MakeMethodTable({
      {"append", "list object", ListAppend},
      {"extend", "list iterable", ListExtend},
      {"insert", "list index object", ListInsert},
      {"pop", "list index?", ListPop},
      {"remove", "list value", ListRemove},
      {"index", "list value", ListIndex},
      {"count", "list value", ListCount},
      {"sort", "list reverse?", ListSort},
      {"reverse", "list", ListReverse},
      {"copy", "list", ListCopy},
      {"clear", "list", ListClear},
  }));
  return *table;
}

const MethodTable& TupleMethods() {
  static const auto* const table = new MethodTable(MakeMethodTable({
      {"index", "tuple value", ListIndex},
      {"count", "tuple value", ListCount},
  }));
  return *table;
}

const MethodTable& DictMethods() {
  static const auto* const table = new MethodTable(MakeMethodTable({
      {"get", "dict key default?", DictGet},
      {"keys", "dict", DictView(Tag::kKeys)},
      {"values", "dict", DictView(Tag::kValues)},
      {"items", "dict", DictView(Tag::kItems)},
      {"pop", "dict key default?", DictPop},
      {"popitem", "dict", DictPopItem},
      {"setdefault", "dict key default?", DictSetDefault},
      {"update", "dict mapping? **kwargs", DictUpdate},
      {"copy", "dict", DictCopy},
      {"clear", "dict", DictClear},
  }));
  return *table;
}

const MethodTable& IntMethods() {
  static const auto* const table = new MethodTable(MakeMethodTable({{"bit_length", "int", BitLength}}));
  return *table;
}

const MethodTable& FloatMethods() {
  static const auto* const table = new MethodTable(MakeMethodTable({{"is_integer", "float", IsInteger}}));
  return *table;
}

}  // namespace ssg::tmpl
