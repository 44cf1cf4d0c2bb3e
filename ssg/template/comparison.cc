// Equality, order and membership: the comparing half of Runtime.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/runtime.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

// Orders numbers exactly, also an int of 64 bits beside a float. NaN is `unordered`.
int CompareNumbers(const Value& a, const Value& b, bool& unordered) {
  if (a.IsIntegral() && b.IsIntegral()) {
    return a.int_value() < b.int_value() ? -1 : a.int_value() > b.int_value();
  }
  if (a.IsFloat() && b.IsFloat()) {
    unordered = std::isnan(a.float_value()) || std::isnan(b.float_value());
    return a.float_value() < b.float_value() ? -1 : a.float_value() > b.float_value();
  }
  if (a.IsFloat()) return -CompareNumbers(b, a, unordered);
  const double right = b.float_value();
  unordered = std::isnan(right);
  if (right >= 9223372036854775808.0) return -1;
  if (right < -9223372036854775808.0) return 1;
  const int64_t whole = static_cast<int64_t>(std::floor(right));
  if (a.int_value() != whole) return a.int_value() < whole ? -1 : 1;
  return right > std::floor(right) ? -1 : 0;
}

absl::StatusOr<bool> EqualDicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.size != b.size) return false;
  for (uint32_t i = 0; i < a.used; ++i) {
    if (a.entries[i].key.IsMissing()) continue;
    const Value* other = b.Find(a.entries[i].key);
    if (other == nullptr) return false;
    ASSIGN_OR_RETURN(const bool equal, runtime.Equal(a.entries[i].value, *other));
    if (!equal) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<bool> Runtime::Equal(const Value& a, const Value& b) {
  if (a.IsString() && b.IsString()) return a.text() == b.text();
  if (a.IsNumber() && b.IsNumber()) {
    bool unordered = false;
    return CompareNumbers(a, b, unordered) == 0 && !unordered;
  }
  for (const Value* value : {&a, &b}) {
    if (value->IsUndefined() && value->undefined().policy == UndefinedPolicy::kStrict) {
      return UndefinedError(*value);
    }
  }
  if (a.kind() != b.kind()) return false;
  const Depth depth(*this);
  RETURN_IF_ERROR(depth.Check());
  switch (a.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
      if (a.list().size != b.list().size) return false;
      for (uint32_t i = 0; i < a.list().size; ++i) {
        ASSIGN_OR_RETURN(const bool equal, Equal(a.list()[i], b.list()[i]));
        if (!equal) return false;
      }
      return true;
    case Kind::kDict:
      return EqualDicts(*this, a.dict(), b.dict());
    case Kind::kIterator:
      return &a.list() == &b.list();
    default:
      return SameKey(a, b);
  }
}

absl::StatusOr<int> Runtime::Compare(const Value& a, const Value& b, absl::string_view op) {
  if (a.IsString() && b.IsString()) return a.text().compare(b.text());
  if (a.IsNumber() && b.IsNumber()) {
    bool unordered = false;
    return CompareNumbers(a, b, unordered);
  }
  if (a.IsUndefined()) return UndefinedError(a);
  if (b.IsUndefined()) return UndefinedError(b);
  if (a.kind() == b.kind() && (a.kind() == Kind::kList || a.kind() == Kind::kTuple)) {
    const Depth depth(*this);
    RETURN_IF_ERROR(depth.Check());
    const uint32_t shared = std::min(a.list().size, b.list().size);
    for (uint32_t i = 0; i < shared; ++i) {
      ASSIGN_OR_RETURN(const bool equal, Equal(a.list()[i], b.list()[i]));
      if (!equal) return Compare(a.list()[i], b.list()[i], op);
    }
    return a.list().size < b.list().size ? -1 : a.list().size > b.list().size;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", op, "' not supported between instances of '", TypeName(a), "' and '", TypeName(b), "'"));
}

absl::StatusOr<bool> Runtime::Contains(const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::kString:
      if (item.IsUndefined()) return UndefinedError(item);
      if (!item.IsString()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'in <string>' requires string as left operand, not ", TypeName(item)));
      }
      return container.text().find(item.text()) != absl::string_view::npos;
    case Kind::kDict:
      if (!Hashable(item)) {
        return absl::InvalidArgumentError(absl::StrCat("unhashable type: '", TypeName(item), "'"));
      }
      return container.dict().Find(item) != nullptr;
    case Kind::kRange: {
      if (!item.IsNumber()) return false;
      const Range& range = container.range();
      const double offset = item.number() - static_cast<double>(range.start);
      const double index = offset / static_cast<double>(range.step);
      return index >= 0 && index < static_cast<double>(range.count) && index == std::floor(index);
    }
    case Kind::kUndefined:
      if (container.undefined().policy == UndefinedPolicy::kStrict) {
        return UndefinedError(container);
      }
      return false;
    default:
      break;
  }
  if (container.IsObject() && container.object().IsMapping() && item.IsString()) {
    ASSIGN_OR_RETURN(const Value found, container.object().Item(item, *this));
    return !found.IsMissing();
  }
  const absl::StatusOr<Value> items = Iterate(container);
  if (!items.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("argument of type '", TypeName(container), "' is not iterable"));
  }
  for (const Value& candidate : items->list()) {
    ASSIGN_OR_RETURN(const bool equal, Equal(candidate, item));
    if (equal) return true;
  }
  return false;
}

absl::StatusOr<bool> Runtime::Relation(Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::kEqual:
      return Equal(a, b);
    case Operator::kNotEqual: {
      ASSIGN_OR_RETURN(const bool equal, Equal(a, b));
      return !equal;
    }
    case Operator::kIn:
      return Contains(b, a);
    case Operator::kNotIn: {
      ASSIGN_OR_RETURN(const bool contains, Contains(b, a));
      return !contains;
    }
    default:
      break;
  }
  const bool is_nan = (a.IsFloat() && std::isnan(a.float_value()) && b.IsNumber()) ||
                      (b.IsFloat() && std::isnan(b.float_value()) && a.IsNumber());
  if (is_nan) return false;
  static constexpr absl::string_view kNames[] = {"<", "<=", ">", ">="};
  const int index = static_cast<int>(op) - static_cast<int>(Operator::kLess);
  ASSIGN_OR_RETURN(const int order, Compare(a, b, kNames[index]));
  switch (op) {
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

}  // namespace ssg::tmpl
