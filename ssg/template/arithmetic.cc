// Arithmetic: the calculating half of Runtime.
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/percent_format.h"
#include "ssg/template/runtime.h"

namespace ssg::tmpl {
namespace {

constexpr absl::string_view kNames[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

absl::string_view NameOf(Operator op) { return kNames[static_cast<int>(op)]; }

absl::Status Unsupported(Operator op, const Value& a, const Value& b) {
  if (op == Operator::kAdd && a.IsString() && !a.IsMarkup()) {
    return absl::InvalidArgumentError(absl::StrCat("can only concatenate str (not \"", TypeName(b), "\") to str"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unsupported operand type(s) for ", NameOf(op), ": '", TypeName(a), "' and '", TypeName(b), "'"));
}

absl::Status Overflow() { return absl::InvalidArgumentError("integer overflow: the result needs more than 64 bits"); }

absl::Status DivisionByZero(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<Value> IntPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return DivisionByZero("0.0 cannot be raised to a negative power");
    return Value::Float(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return Overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return Overflow();
  }
  return Value::Int(result);
}

absl::StatusOr<Value> IntArithmetic(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return Overflow();
      return Value::Int(result);
    case Operator::kSub:
      if (__builtin_sub_overflow(a, b, &result)) return Overflow();
      return Value::Int(result);
    case Operator::kMul:
      if (__builtin_mul_overflow(a, b, &result)) return Overflow();
      return Value::Int(result);
    case Operator::kDiv:
      if (b == 0) return DivisionByZero("division by zero");
      return Value::Float(static_cast<double>(a) / static_cast<double>(b));
    case Operator::kFloorDiv:
      if (b == 0) return DivisionByZero("integer division or modulo by zero");
      if (a == std::numeric_limits<int64_t>::min() && b == -1) return Overflow();
      result = a / b;
      if (a % b != 0 && (a < 0) != (b < 0)) --result;
      return Value::Int(result);
    case Operator::kMod:
      if (b == 0) return DivisionByZero("integer division or modulo by zero");
      if (b == -1) return Value::Int(0);
      result = a % b;
      if (result != 0 && (result < 0) != (b < 0)) result += b;
      return Value::Int(result);
    default:
      return IntPower(a, b);
  }
}

double FloatModulo(double a, double b) {
  double result = std::fmod(a, b);
  if (result != 0) {
    if ((b < 0) != (result < 0)) result += b;
  } else {
    result = std::copysign(0.0, b);
  }
  return result;
}

double FloatFloorDivide(double a, double b) {
  const double modulo = FloatModulo(a, b);
  const double quotient = (a - modulo) / b;
  if (quotient == 0) return std::copysign(0.0, a / b);
  double floored = std::floor(quotient);
  if (quotient - floored > 0.5) floored += 1;
  return floored;
}

absl::StatusOr<Value> FloatArithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return Value::Float(a + b);
    case Operator::kSub:
      return Value::Float(a - b);
    case Operator::kMul:
      return Value::Float(a * b);
    case Operator::kDiv:
      if (b == 0) return DivisionByZero("float division by zero");
      return Value::Float(a / b);
    case Operator::kFloorDiv:
      if (b == 0) return DivisionByZero("float floor division by zero");
      return Value::Float(FloatFloorDivide(a, b));
    case Operator::kMod:
      if (b == 0) return DivisionByZero("float modulo");
      return Value::Float(FloatModulo(a, b));
    default:
      if (a == 0 && b < 0) return DivisionByZero("0.0 cannot be raised to a negative power");
      if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) {
        return absl::InvalidArgumentError("the power of a negative number is not a real number");
      }
      {
        const double power = std::pow(a, b);
        if (std::isinf(power) && std::isfinite(a) && std::isfinite(b)) {
          return absl::InvalidArgumentError("the power is too large for a float");
        }
        return Value::Float(power);
      }
  }
}

absl::StatusOr<Value> ConcatenateStrings(Runtime& runtime, const Value& a, const Value& b) {
  Value left = a;
  Value right = b;
  if (a.IsMarkup() != b.IsMarkup()) {
    ASSIGN_OR_RETURN(left, runtime.Escape(a));
    ASSIGN_OR_RETURN(right, runtime.Escape(b));
  }
  const size_t size = left.text().size() + right.text().size();
  RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(size >> 10)));
  char* bytes = runtime.arena().NewArray<char>(size);
  memcpy(bytes, left.text().data(), left.text().size());
  memcpy(bytes + left.text().size(), right.text().data(), right.text().size());
  return Value::String(absl::string_view(bytes, size), left.tag());
}

absl::StatusOr<Value> ConcatenateLists(Runtime& runtime, const Value& a, const Value& b) {
  const uint32_t size = a.list().size + b.list().size;
  RETURN_IF_ERROR(runtime.Spend(size));
  List* list = NewList(runtime.arena(), size);
  std::copy(a.list().begin(), a.list().end(), list->items);
  std::copy(b.list().begin(), b.list().end(), list->items + a.list().size);
  list->size = size;
  return Value::Of(list, a.kind());
}

absl::StatusOr<Value> Repeat(Runtime& runtime, const Value& sequence, int64_t count) {
  count = std::max<int64_t>(count, 0);
  const bool is_string = sequence.IsString();
  const int64_t unit =
      is_string ? static_cast<int64_t>(sequence.text().size()) : static_cast<int64_t>(sequence.list().size);
  int64_t size = 0;
  if (__builtin_mul_overflow(unit, count, &size) ||
      size > static_cast<int64_t>(runtime.environment().limits().memory_bytes_max)) {
    return absl::ResourceExhaustedError("this repetition is too long");
  }
  RETURN_IF_ERROR(runtime.Spend(is_string ? size >> 4 : size));
  if (is_string) {
    char* bytes = runtime.arena().NewArray<char>(static_cast<size_t>(size));
    for (int64_t at = 0; at < size; at += unit) {
      memcpy(bytes + at, sequence.text().data(), static_cast<size_t>(unit));
    }
    return Value::String(absl::string_view(bytes, static_cast<size_t>(size)), sequence.tag());
  }
  List* list = NewList(runtime.arena(), static_cast<size_t>(size));
  for (int64_t at = 0; at < size; at += unit) {
    std::copy(sequence.list().begin(), sequence.list().end(), list->items + at);
  }
  list->size = static_cast<uint32_t>(size);
  return Value::Of(list, sequence.kind());
}

bool IsSequence(const Value& value) {
  return value.IsString() || value.kind() == Kind::kList || value.kind() == Kind::kTuple;
}

}  // namespace

absl::StatusOr<Value> Runtime::Arithmetic(Operator op, const Value& a, const Value& b) {
  if (a.IsIntegral() && b.IsIntegral()) return IntArithmetic(op, a.int_value(), b.int_value());
  if (a.IsNumber() && b.IsNumber()) return FloatArithmetic(op, a.number(), b.number());
  if (op == Operator::kMod && a.IsString()) return PercentFormat(*this, a, b);
  if (a.IsUndefined()) return UndefinedError(a);
  if (b.IsUndefined()) return UndefinedError(b);
  if (op == Operator::kAdd) {
    if (a.IsString() && b.IsString()) return ConcatenateStrings(*this, a, b);
    if (a.kind() == b.kind() && (a.kind() == Kind::kList || a.kind() == Kind::kTuple)) {
      return ConcatenateLists(*this, a, b);
    }
  }
  if (op == Operator::kMul) {
    if (IsSequence(a) && b.IsIntegral()) return Repeat(*this, a, b.int_value());
    if (a.IsIntegral() && IsSequence(b)) return Repeat(*this, b, a.int_value());
  }
  return Unsupported(op, a, b);
}

absl::StatusOr<Value> Runtime::Negate(const Value& value, bool plus) {
  if (value.IsFloat()) return Value::Float(plus ? value.float_value() : -value.float_value());
  if (value.IsIntegral()) {
    if (plus) return Value::Int(value.int_value());
    if (value.int_value() == std::numeric_limits<int64_t>::min()) return Overflow();
    return Value::Int(-value.int_value());
  }
  if (value.IsUndefined()) return UndefinedError(value);
  return absl::InvalidArgumentError(
      absl::StrCat("bad operand type for unary ", plus ? "+" : "-", ": '", TypeName(value), "'"));
}

}  // namespace ssg::tmpl
