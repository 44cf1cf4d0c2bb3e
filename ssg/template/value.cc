#include "ssg/template/value.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/hash/hash.h"

namespace ssg::tmpl {
namespace {

constexpr size_t kIndexedFrom = 8;  // Smaller dicts are searched in order.

bool IsWhole(double number) {
  return number == std::floor(number) && number >= -9.2233720368547758e18 && number < 9.2233720368547758e18;
}

// Calls `found(slot)` semantics: returns the index slot of `hash` for which
// `same(entry)` holds, or the first empty one.
template <typename Same>
uint32_t Probe(const Dict& dict, uint32_t hash, Same same) {
  uint32_t slot = hash & dict.index_mask;
  while (dict.index[slot] != 0) {
    const Dict::Entry& entry = dict.entries[dict.index[slot] - 1];
    if (entry.hash == hash && !entry.key.IsMissing() && same(entry)) return slot;
    slot = (slot + 1) & dict.index_mask;
  }
  return slot;
}

template <typename Same>
Dict::Entry* FindEntry(const Dict& dict, uint32_t hash, Same same) {
  if (dict.index == nullptr) {
    for (uint32_t i = 0; i < dict.used; ++i) {
      Dict::Entry& entry = dict.entries[i];
      if (entry.hash == hash && !entry.key.IsMissing() && same(entry)) return &entry;
    }
    return nullptr;
  }
  const uint32_t slot = Probe(dict, hash, same);
  return dict.index[slot] == 0 ? nullptr : &dict.entries[dict.index[slot] - 1];
}

void Reindex(Arena& arena, Dict& dict) {
  if (dict.capacity <= kIndexedFrom) return;
  const uint32_t slots = dict.capacity * 2;
  dict.index = arena.NewArray<uint32_t>(slots);
  memset(dict.index, 0, slots * sizeof(uint32_t));
  dict.index_mask = slots - 1;
  for (uint32_t i = 0; i < dict.used; ++i) {
    const uint32_t slot = Probe(dict, dict.entries[i].hash, [](const Dict::Entry&) { return false; });
    dict.index[slot] = i + 1;
  }
}

// Makes room for one more entry, dropping erased ones.
void Grow(Arena& arena, Dict& dict) {
  uint32_t capacity = 4;
  while (capacity < dict.size + 1 + dict.size / 2) capacity *= 2;
  Dict::Entry* entries = arena.NewArray<Dict::Entry>(capacity);
  uint32_t used = 0;
  for (uint32_t i = 0; i < dict.used; ++i) {
    if (!dict.entries[i].key.IsMissing()) entries[used++] = dict.entries[i];
  }
  dict.entries = entries;
  dict.used = used;
  dict.capacity = capacity;
  dict.index = nullptr;
  Reindex(arena, dict);
}

void Insert(Arena& arena, Dict& dict, const Value& key, const Value& value, uint32_t hash) {
  if (dict.used == dict.capacity) Grow(arena, dict);
  dict.entries[dict.used] = Dict::Entry{key, value, hash};
  if (dict.index != nullptr) {
    dict.index[Probe(dict, hash, [](const Dict::Entry&) { return false; })] = dict.used + 1;
  }
  ++dict.used;
  ++dict.size;
}

}  // namespace

List* NewList(Arena& arena, size_t capacity) {
  List* list = arena.New<List>();
  list->capacity = static_cast<uint32_t>(capacity);
  if (capacity > 0) list->items = arena.NewArray<Value>(capacity);
  return list;
}

void Append(Arena& arena, List& list, const Value& value) {
  if (list.size == list.capacity) {
    list.capacity = std::max<uint32_t>(4, list.capacity * 2);
    Value* items = arena.NewArray<Value>(list.capacity);
    std::copy(list.begin(), list.end(), items);
    list.items = items;
  }
  list.items[list.size++] = value;
}

Dict* NewDict(Arena& arena, size_t capacity) {
  Dict* dict = arena.New<Dict>();
  if (capacity == 0) return dict;
  dict->capacity = 4;
  while (dict->capacity < capacity) dict->capacity *= 2;
  dict->entries = arena.NewArray<Dict::Entry>(dict->capacity);
  Reindex(arena, *dict);
  return dict;
}

Value* Dict::FindHashed(absl::string_view key, uint32_t hash) const {
  Entry* entry = FindEntry(*this, hash, [&](const Entry& e) {
    return e.key.IsString() && (e.key.text().data() == key.data() || e.key.text() == key) &&
           e.key.text().size() == key.size();
  });
  return entry == nullptr ? nullptr : &entry->value;
}

Value* Dict::Find(const Value& key) const {
  if (key.IsString()) return Find(key.text());
  Entry* entry = FindEntry(*this, HashOf(key), [&](const Entry& e) { return SameKey(e.key, key); });
  return entry == nullptr ? nullptr : &entry->value;
}

void Set(Arena& arena, Dict& dict, const Value& key, const Value& value) {
  if (Value* found = dict.Find(key)) {
    *found = value;
    return;
  }
  Insert(arena, dict, key, value, HashOf(key));
}

void Set(Arena& arena, Dict& dict, Symbol key, const Value& value) {
  if (Value* found = dict.Find(key)) {
    *found = value;
    return;
  }
  Insert(arena, dict, Value::String(key.text()), value, key.hash());
}

bool Erase(Dict& dict, const Value& key) {
  Value* found = dict.Find(key);
  if (found == nullptr) return false;
  // `value` lies at a fixed offset in its entry; the key marks it erased.
  for (uint32_t i = 0; i < dict.used; ++i) {
    if (&dict.entries[i].value == found) dict.entries[i].key = Value();
  }
  --dict.size;
  return true;
}

void Clear(Dict& dict) { dict = Dict(); }

bool Hashable(const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kDict:
    case Kind::kMissing:
      return false;
    case Kind::kUndefined:
      return value.undefined().policy != UndefinedPolicy::kStrict;
    case Kind::kTuple:
      return std::all_of(value.list().begin(), value.list().end(), Hashable);
    default:
      return true;
  }
}

uint32_t HashOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
    case Kind::kInt:
      return static_cast<uint32_t>(absl::Hash<int64_t>()(value.int_value()));
    case Kind::kFloat:
      if (IsWhole(value.float_value())) {
        return HashOf(Value::Int(static_cast<int64_t>(value.float_value())));
      }
      return static_cast<uint32_t>(absl::Hash<double>()(value.float_value()));
    case Kind::kString:
      return HashText(value.text());
    case Kind::kTuple: {
      uint32_t hash = 17;
      for (const Value& item : value.list()) hash = hash * 31 + HashOf(item);
      return hash;
    }
    case Kind::kUndefined:
    case Kind::kNone:
      return static_cast<uint32_t>(value.kind());
    case Kind::kRange:
      return HashOf(Value::Int(value.range().start + 7 * value.range().count));
    default:
      return static_cast<uint32_t>(absl::Hash<const void*>()(&value.object()));
  }
}

bool SameKey(const Value& a, const Value& b) {
  if (a.IsNumber() && b.IsNumber()) {
    if (a.IsIntegral() && b.IsIntegral()) return a.int_value() == b.int_value();
    if (a.IsFloat() && b.IsFloat()) return a.float_value() == b.float_value();
    const double number = a.IsFloat() ? a.float_value() : b.float_value();
    const int64_t integer = a.IsFloat() ? b.int_value() : a.int_value();
    return IsWhole(number) && static_cast<int64_t>(number) == integer;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kMissing:
    case Kind::kNone:
    case Kind::kUndefined:
      return true;
    case Kind::kString:
      return a.text() == b.text();
    case Kind::kTuple:
      return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(), SameKey);
    case Kind::kRange:
      return a.range().count == b.range().count &&
             (a.range().count == 0 ||
              (a.range().start == b.range().start && (a.range().count == 1 || a.range().step == b.range().step)));
    default:
      return &a.object() == &b.object();
  }
}

void Freeze(const Value& value) {
  if (value.IsListLike()) {
    value.list().frozen = true;
    for (const Value& item : value.list()) Freeze(item);
  } else if (value.IsDict()) {
    value.dict().frozen = true;
    for (uint32_t i = 0; i < value.dict().used; ++i) {
      if (!value.dict().entries[i].key.IsMissing()) Freeze(value.dict().entries[i].value);
    }
  }
}

}  // namespace ssg::tmpl
