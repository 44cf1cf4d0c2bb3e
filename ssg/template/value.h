// A Value is what a template expression yields: Python's values, as Jinja2
// knows them, in 16 trivially copyable bytes.
//
// Shape:   none, bool, int, float, str, list, tuple, dict, range, and objects.
//          Ints have 64 bits; arithmetic that would need more is an error,
//          never a wrapped or rounded number. A str is UTF-8 and may be
//          markup (safe); it is a view, so templates, host data and slices
//          share bytes. An iterator is what Jinja's generator filters return:
//          always true, otherwise readable like a list.
// Life:    a value points into an Arena or to host data and never owns it.
// Threads: immutable values may be shared; see Freeze().
#ifndef SSG_TEMPLATE_VALUE_H_
#define SSG_TEMPLATE_VALUE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "ssg/template/arena.h"
#include "ssg/template/symbol.h"

namespace ssg::tmpl {

class Object;
class Value;
struct Dict;
struct List;
struct Range;
struct Undefined;

enum class Kind : uint8_t {
  kMissing,  // No value at all: an argument not given, a name not set.
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kIterator,
  kView,  // dict.keys(), .values(), .items()
  kRange,
  kDict,
  kObject,
};

// Says more about a value within its kind.
enum class Tag : uint8_t { kPlain, kMarkup, kGroup, kKeys, kValues, kItems };

class Value {
 public:
  Value() : kind_(Kind::kMissing), int_(0) {}
  static Value None() { return Value(Kind::kNone); }
  static Value Bool(bool value) {
    Value result(Kind::kBool);
    result.int_ = value ? 1 : 0;
    return result;
  }
  static Value Int(int64_t value) {
    Value result(Kind::kInt);
    result.int_ = value;
    return result;
  }
  static Value Float(double value) {
    Value result(Kind::kFloat);
    result.float_ = value;
    return result;
  }
  // `text` must outlive the value, and be shorter than 4 GiB.
  static Value String(absl::string_view text, Tag tag = Tag::kPlain) {
    Value result(Kind::kString, tag);
    result.size_ = static_cast<uint32_t>(text.size());
    result.text_ = text.data();
    return result;
  }
  static Value Markup(absl::string_view html) { return String(html, Tag::kMarkup); }
  static Value Of(List* list, Kind kind = Kind::kList, Tag tag = Tag::kPlain) {
    Value result(kind, tag);
    result.list_ = list;
    return result;
  }
  static Value Of(Dict* dict) {
    Value result(Kind::kDict);
    result.dict_ = dict;
    return result;
  }
  static Value Of(const Range* range) {
    Value result(Kind::kRange);
    result.range_ = range;
    return result;
  }
  static Value Of(const Object* object) {
    Value result(Kind::kObject);
    result.object_ = object;
    return result;
  }
  static Value Of(const Undefined* undefined) {
    Value result(Kind::kUndefined);
    result.undefined_ = undefined;
    return result;
  }

  Kind kind() const { return kind_; }
  Tag tag() const { return tag_; }
  bool IsMissing() const { return kind_ == Kind::kMissing; }
  bool IsUndefined() const { return kind_ == Kind::kUndefined; }
  bool IsNone() const { return kind_ == Kind::kNone; }
  bool IsBool() const { return kind_ == Kind::kBool; }
  bool IsInt() const { return kind_ == Kind::kInt; }
  // As in Python, a bool is an integer.
  bool IsIntegral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool IsFloat() const { return kind_ == Kind::kFloat; }
  bool IsNumber() const { return IsIntegral() || IsFloat(); }
  bool IsString() const { return kind_ == Kind::kString; }
  bool IsMarkup() const { return kind_ == Kind::kString && tag_ == Tag::kMarkup; }
  bool IsDict() const { return kind_ == Kind::kDict; }
  bool IsObject() const { return kind_ == Kind::kObject; }
  // list, tuple, iterator or view: whatever list() may be asked of.
  bool IsListLike() const { return kind_ >= Kind::kList && kind_ <= Kind::kView; }

  bool bool_value() const { return int_ != 0; }
  int64_t int_value() const { return int_; }
  double float_value() const { return float_; }
  double number() const { return IsFloat() ? float_ : static_cast<double>(int_); }
  absl::string_view text() const { return absl::string_view(text_, size_); }
  List& list() const { return *list_; }
  Dict& dict() const { return *dict_; }
  const Range& range() const { return *range_; }
  const Object& object() const { return *object_; }
  const Undefined& undefined() const { return *undefined_; }

 private:
  explicit Value(Kind kind, Tag tag = Tag::kPlain) : kind_(kind), tag_(tag), int_(0) {}

  Kind kind_;
  Tag tag_ = Tag::kPlain;
  uint32_t size_ = 0;
  union {
    int64_t int_;
    double float_;
    const char* text_;
    List* list_;
    Dict* dict_;
    const Range* range_;
    const Object* object_;
    const Undefined* undefined_;
  };
};
static_assert(sizeof(Value) == 16);

// What templates may do with a name or attribute that is not there.
enum class UndefinedPolicy : uint8_t {
  kLenient,    // Prints nothing, iterates over nothing; its attributes fail.
  kChainable,  // As lenient; its attributes are undefined too.
  kDebug,      // As lenient, but prints "{{ name }}".
  kStrict,     // Fails whatever is done with it, except `is defined`.
};

struct Undefined {
  UndefinedPolicy policy = UndefinedPolicy::kLenient;
  absl::string_view hint;  // The whole message, if any.
  Value owner;             // Whose attribute is missing; itself missing for a variable.
  Value name;
};

struct Range {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
  int64_t stop = 0;
  int64_t At(int64_t index) const { return start + index * step; }
};

struct List {
  Value* items = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;
  bool frozen = false;

  const Value* begin() const { return items; }
  const Value* end() const { return items + size; }
  Value& operator[](size_t index) const { return items[index]; }
};

List* NewList(Arena& arena, size_t capacity = 0);
// REQUIRES: !list.frozen.
void Append(Arena& arena, List& list, const Value& value);

// An insertion-ordered map. Keys are hashable: none, bool, number, str, tuple
// of these, object; 1, 1.0 and True are one key.
struct Dict {
  struct Entry {
    Value key;  // Missing once erased.
    Value value;
    uint32_t hash = 0;
  };
  Entry* entries = nullptr;
  uint32_t size = 0;  // Live entries.
  uint32_t used = 0;  // Entries including erased ones.
  uint32_t capacity = 0;
  uint32_t index_mask = 0;  // Slots of `index` less one; without an index, 0.
  uint32_t* index = nullptr;
  bool frozen = false;

  // nullptr when absent.
  Value* Find(absl::string_view key) const { return FindHashed(key, HashText(key)); }
  Value* Find(Symbol key) const { return FindHashed(key.text(), key.hash()); }
  // REQUIRES: Hashable(key).
  Value* Find(const Value& key) const;

 private:
  Value* FindHashed(absl::string_view key, uint32_t hash) const;
};

Dict* NewDict(Arena& arena, size_t capacity = 0);
// REQUIRES: !dict.frozen, Hashable(key). Replaces the value of an equal key.
void Set(Arena& arena, Dict& dict, const Value& key, const Value& value);
void Set(Arena& arena, Dict& dict, Symbol key, const Value& value);
bool Erase(Dict& dict, const Value& key);
void Clear(Dict& dict);

bool Hashable(const Value& value);
// REQUIRES: Hashable(value). Equal values have equal hashes.
uint32_t HashOf(const Value& value);
// Equality of hashable values; others are equal only if they are the same.
bool SameKey(const Value& a, const Value& b);

// Makes a list or dict and all that it holds unchangeable, so that renders on
// several threads may share it; templates that try to change it get an error.
// REQUIRES: it does not contain itself.
void Freeze(const Value& value);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_VALUE_H_
