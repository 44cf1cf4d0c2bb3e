// Attributes, items, slices and iteration: the reading half of Runtime.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "ssg/template/bound_method.h"
#include "ssg/template/methods.h"
#include "ssg/template/runtime.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

// `value[key]` as Python does it; missing where Python would raise an error
// that Jinja turns into undefined.
absl::StatusOr<Value> Subscript(Runtime& runtime, const Value& value, const Value& key) {
  switch (value.kind()) {
    case Kind::kDict: {
      if (!Hashable(key)) return Value();
      const Value* found = value.dict().Find(key);
      return found == nullptr ? Value() : *found;
    }
    case Kind::kList:
    case Kind::kTuple: {
      if (!key.IsIntegral()) return Value();
      const int64_t size = value.list().size;
      const int64_t index = key.int_value() < 0 ? key.int_value() + size : key.int_value();
      return index < 0 || index >= size ? Value() : value.list()[static_cast<size_t>(index)];
    }
    case Kind::kRange: {
      if (!key.IsIntegral()) return Value();
      const int64_t size = value.range().count;
      const int64_t index = key.int_value() < 0 ? key.int_value() + size : key.int_value();
      return index < 0 || index >= size ? Value() : Value::Int(value.range().At(index));
    }
    case Kind::kString: {
      if (!key.IsIntegral()) return Value();
      const absl::string_view text = value.text();
      int64_t index = key.int_value();
      if (index < 0) index += static_cast<int64_t>(CodePointCount(text));
      if (index < 0) return Value();
      const size_t offset = ByteOffset(text, static_cast<size_t>(index));
      if (offset >= text.size()) return Value();
      return Value::String(text.substr(offset, Decode(text.substr(offset)).size), value.tag());
    }
    case Kind::kObject:
      if (key.IsString() && runtime.observer() != nullptr) {
        runtime.observer()->OnAttribute(value.object(), Symbol::Find(key.text()));
      }
      return value.object().Item(key, runtime);
    default:
      return Value();
  }
}

// `value.name` as Python does it, without looking for an item; else missing.
absl::StatusOr<Value> PlainAttribute(Runtime& runtime, const Value& value, Symbol name) {
  if (value.IsObject()) {
    if (runtime.observer() != nullptr) runtime.observer()->OnAttribute(value.object(), name);
    return value.object().Attribute(name, runtime);
  }
  if (value.kind() == Kind::kTuple && value.tag() == Tag::kGroup) {
    if (name.text() == "grouper") return value.list()[0];
    if (name.text() == "list") return value.list()[1];
  }
  if (const Function* method = FindMethod(value, name)) {
    return Value::Of(runtime.arena().New<BoundMethod>(*method, value));
  }
  return Value();
}

// Where a slice begins, in which direction it goes and how long it is.
struct SliceShape {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

absl::StatusOr<SliceShape> ResolveSlice(Runtime& runtime, const Value& start, const Value& stop, const Value& step,
                                        int64_t size) {
  for (const Value* part : {&start, &stop, &step}) {
    if (part->IsUndefined()) return runtime.UndefinedError(*part);
    if (!part->IsNone() && !part->IsIntegral()) {
      return absl::InvalidArgumentError("slice indices must be integers or None");
    }
  }
  SliceShape shape;
  if (!step.IsNone()) shape.step = step.int_value();
  if (shape.step == 0) return absl::InvalidArgumentError("slice step cannot be zero");
  const bool forward = shape.step > 0;
  const int64_t low = forward ? 0 : -1;
  const int64_t high = forward ? size : size - 1;
  const auto clamp = [&](const Value& part, int64_t otherwise) {
    if (part.IsNone()) return otherwise;
    int64_t at = part.int_value();
    if (at < 0) at = at < -size ? low : std::max(at + size, low);
    return std::min(at, high);
  };
  shape.start = clamp(start, forward ? low : high);
  const int64_t end = clamp(stop, forward ? high : low);
  const int64_t span = forward ? end - shape.start : shape.start - end;
  // A step beyond the size takes one item; this also keeps the sums in range.
  shape.step = std::clamp(shape.step, -size - 1, size + 1);
  const int64_t stride = forward ? shape.step : -shape.step;
  shape.count = span <= 0 ? 0 : (span + stride - 1) / stride;
  return shape;
}

Value SliceText(Runtime& runtime, const Value& value, const SliceShape& shape) {
  const absl::string_view text = value.text();
  if (shape.step == 1) {
    return Value::String(
        SubText(text, static_cast<size_t>(shape.start), static_cast<size_t>(shape.start + shape.count)), value.tag());
  }
  const std::vector<absl::string_view> points = SplitCodePoints(text);
  std::string out;
  for (int64_t i = 0; i < shape.count; ++i) {
    const absl::string_view point = points[static_cast<size_t>(shape.start + i * shape.step)];
    out.append(point.data(), point.size());
  }
  return runtime.NewString(out, value.tag());
}

}  // namespace

absl::StatusOr<Value> Runtime::GetAttribute(const Value& value, Symbol name) {
  if (value.IsUndefined()) {
    if (value.undefined().policy == UndefinedPolicy::kChainable) return value;
    return UndefinedError(value);
  }
  ASSIGN_OR_RETURN(Value found, PlainAttribute(*this, value, name));
  if (!found.IsMissing()) return found;
  if (value.IsDict()) {
    if (const Value* item = value.dict().Find(name)) return *item;
  } else if (value.IsObject()) {
    ASSIGN_OR_RETURN(found, value.object().Item(Value::String(name.text()), *this));
    if (!found.IsMissing()) return found;
  }
  const absl::string_view text = name.id() != 0 ? name.text() : arena_.Copy(name.text());
  return UndefinedAttribute(value, Value::String(text));
}

absl::StatusOr<Value> Runtime::GetItem(const Value& value, const Value& key) {
  if (value.IsUndefined()) {
    if (value.undefined().policy == UndefinedPolicy::kChainable) return value;
    return UndefinedError(value);
  }
  ASSIGN_OR_RETURN(Value found, Subscript(*this, value, key));
  if (!found.IsMissing()) return found;
  if (key.IsString()) {
    ASSIGN_OR_RETURN(found, PlainAttribute(*this, value, Symbol::Find(key.text())));
    if (!found.IsMissing()) return found;
  }
  return UndefinedAttribute(value, key);
}

absl::StatusOr<Value> Runtime::GetPath(const Value& value, const Value& path) {
  if (path.IsMissing() || path.IsNone()) return value;
  if (!path.IsString()) return GetItem(value, path);
  Value item = value;
  for (absl::string_view part : absl::StrSplit(path.text(), '.')) {
    int64_t index = 0;
    const bool is_index = !part.empty() && part.find_first_not_of("0123456789") == absl::string_view::npos &&
                          absl::SimpleAtoi(part, &index);
    ASSIGN_OR_RETURN(item, GetItem(item, is_index ? Value::Int(index) : Value::String(part)));
  }
  return item;
}

absl::StatusOr<Value> Runtime::GetSlice(const Value& value, const Value& start, const Value& stop, const Value& step) {
  if (value.IsUndefined()) {
    if (value.undefined().policy == UndefinedPolicy::kChainable) return value;
    return UndefinedError(value);
  }
  Value source = value;
  if (value.IsObject()) {
    ASSIGN_OR_RETURN(source, Iterate(value));
  }
  const bool sliceable = source.IsString() || source.kind() == Kind::kList || source.kind() == Kind::kTuple ||
                         source.kind() == Kind::kIterator || source.kind() == Kind::kRange;
  if (!sliceable) {
    return absl::InvalidArgumentError(absl::StrCat("'", TypeName(value), "' object is not subscriptable"));
  }
  ASSIGN_OR_RETURN(const int64_t size, Length(source));
  ASSIGN_OR_RETURN(const SliceShape shape, ResolveSlice(*this, start, stop, step, size));
  if (source.IsString()) return SliceText(*this, source, shape);
  if (source.kind() == Kind::kRange) {
    Range* range = arena_.New<Range>(source.range());
    range->start = source.range().At(shape.start);
    range->step = source.range().step * shape.step;
    range->count = shape.count;
    range->stop = range->At(shape.count);
    return Value::Of(range);
  }
  RETURN_IF_ERROR(Spend(shape.count));
  List* list = NewList(arena_, static_cast<size_t>(shape.count));
  for (int64_t i = 0; i < shape.count; ++i) {
    list->items[i] = source.list()[static_cast<size_t>(shape.start + i * shape.step)];
  }
  list->size = static_cast<uint32_t>(shape.count);
  return Value::Of(list, source.kind() == Kind::kTuple ? Kind::kTuple : Kind::kList);
}

absl::StatusOr<Value> Runtime::Iterate(const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kIterator:
    case Kind::kView:
      return value;
    case Kind::kUndefined:
      if (value.undefined().policy == UndefinedPolicy::kStrict) return UndefinedError(value);
      return Value::Of(NewList(arena_));
    case Kind::kString: {
      const std::vector<absl::string_view> points = SplitCodePoints(value.text());
      RETURN_IF_ERROR(Spend(static_cast<int64_t>(points.size())));
      List* list = NewList(arena_, points.size());
      for (absl::string_view point : points) {
        list->items[list->size++] = Value::String(point);  // Plain also when of markup, as in Python.
      }
      return Value::Of(list);
    }
    case Kind::kRange: {
      RETURN_IF_ERROR(Spend(value.range().count));
      List* list = NewList(arena_, static_cast<size_t>(value.range().count));
      for (int64_t i = 0; i < value.range().count; ++i) {
        list->items[list->size++] = Value::Int(value.range().At(i));
      }
      return Value::Of(list);
    }
    case Kind::kDict: {
      List* list = NewList(arena_, value.dict().size);
      for (uint32_t i = 0; i < value.dict().used; ++i) {
        const Value& key = value.dict().entries[i].key;
        if (!key.IsMissing()) list->items[list->size++] = key;
      }
      return Value::Of(list);
    }
    case Kind::kObject:
      return value.object().Iterate(*this);
    default:
      return absl::InvalidArgumentError(absl::StrCat("'", TypeName(value), "' object is not iterable"));
  }
}

}  // namespace ssg::tmpl
