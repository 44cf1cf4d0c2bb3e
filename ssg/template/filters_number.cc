// Jinja2's filters on numbers.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/number_text.h"

namespace ssg::tmpl {
namespace {

absl::StatusOr<Value> Abs(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  if (call[0].IsFloat()) return Value::Float(std::fabs(call[0].float_value()));
  if (!call[0].IsIntegral()) {
    return absl::InvalidArgumentError(absl::StrCat("bad operand type for abs(): '", TypeName(call[0]), "'"));
  }
  if (call[0].int_value() < 0) return runtime.Negate(call[0], false);
  return Value::Int(call[0].int_value());
}

// int(value), or missing where Python would raise TypeError or ValueError.
absl::StatusOr<Value> ToInt(Runtime& runtime, const Value& value, int base) {
  if (value.IsUndefined()) return runtime.UndefinedError(value);
  if (value.IsIntegral()) return Value::Int(value.int_value());
  double number = 0;
  if (value.IsString()) {
    bool overflow = false;
    const absl::optional<int64_t> parsed = ParseInt(value.text(), base, overflow);
    if (overflow) {
      return absl::InvalidArgumentError("integer overflow: the number needs more than 64 bits");
    }
    if (parsed.has_value()) return Value::Int(*parsed);
    const absl::optional<double> real = ParseFloat(value.text());
    if (!real.has_value()) return Value();
    number = *real;
  } else if (value.IsFloat()) {
    number = value.float_value();
  } else {
    return Value();
  }
  if (std::isnan(number)) return Value();
  if (std::isinf(number)) {
    return absl::InvalidArgumentError("cannot convert float infinity to integer");
  }
  if (std::fabs(number) >= 9223372036854775808.0) {
    return absl::InvalidArgumentError("integer overflow: the number needs more than 64 bits");
  }
  return Value::Int(static_cast<int64_t>(number));
}

absl::StatusOr<Value> IntFilter(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t base, IntArgument(runtime, call, 2, 10));
  const bool valid_base = base == 0 || (base >= 2 && base <= 36);
  ASSIGN_OR_RETURN(const Value number, ToInt(runtime, call[0], valid_base ? static_cast<int>(base) : 10));
  if (!number.IsMissing()) return number;
  return call.Has(1) ? call[1] : Value::Int(0);
}

absl::StatusOr<Value> FloatFilter(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  if (call[0].IsNumber()) return Value::Float(call[0].number());
  if (call[0].IsString()) {
    if (const absl::optional<double> number = ParseFloat(call[0].text())) {
      return Value::Float(*number);
    }
  }
  return call.Has(1) ? call[1] : Value::Float(0);
}

absl::StatusOr<Value> Round(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  ASSIGN_OR_RETURN(const int64_t precision, IntArgument(runtime, call, 1, 0));
  ASSIGN_OR_RETURN(const Value method, TextArgument(runtime, call, 2, "common"));
  if (method.text() != "common" && method.text() != "ceil" && method.text() != "floor") {
    return absl::InvalidArgumentError("method must be common, ceil or floor");
  }
  if (!call[0].IsNumber()) {
    return absl::InvalidArgumentError(absl::StrCat("type ", TypeName(call[0]), " doesn't define __round__ method"));
  }
  if (method.text() == "common") {
    if (call[0].IsFloat()) {
      return Value::Float(RoundDecimal(call[0].float_value(), static_cast<int>(precision)));
    }
    if (precision >= 0) return Value::Int(call[0].int_value());
    const double rounded = RoundDecimal(static_cast<double>(call[0].int_value()), static_cast<int>(precision));
    return Value::Int(static_cast<int64_t>(rounded));
  }
  // As Python: whole numbers stay whole until the division.
  ASSIGN_OR_RETURN(const Value scale, runtime.Arithmetic(Operator::kPow, Value::Int(10), Value::Int(precision)));
  ASSIGN_OR_RETURN(const Value scaled, runtime.Arithmetic(Operator::kMul, call[0], scale));
  const double number = scaled.number();
  if (!std::isfinite(number) || std::fabs(number) >= 9.2e18) {
    return absl::InvalidArgumentError("this number is too large to round");
  }
  const double whole = method.text() == "ceil" ? std::ceil(number) : std::floor(number);
  return runtime.Arithmetic(Operator::kDiv, Value::Int(static_cast<int64_t>(whole)), scale);
}

absl::StatusOr<Value> FileSizeFormat(Runtime& runtime, const BoundArguments& call) {
  if (call[0].IsUndefined()) return runtime.UndefinedError(call[0]);
  ASSIGN_OR_RETURN(const bool binary, BoolArgument(runtime, call, 1, false));
  double bytes = 0;
  if (call[0].IsNumber()) {
    bytes = call[0].number();
  } else {
    const absl::optional<double> number = call[0].IsString() ? ParseFloat(call[0].text()) : absl::nullopt;
    if (!number.has_value()) return absl::InvalidArgumentError("could not convert to float");
    bytes = *number;
  }
  if (!std::isfinite(bytes)) return absl::InvalidArgumentError("cannot convert float to integer");
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return Value::String("1 Byte");
  if (bytes < base) {
    if (std::fabs(bytes) >= 9.2e18) return absl::InvalidArgumentError("this size is too large");
    return runtime.NewString(absl::StrCat(static_cast<int64_t>(bytes), " Bytes"));
  }
  static constexpr const char* kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  static constexpr const char* kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  double unit = base;
  size_t index = 0;
  do {
    unit *= base;
  } while (bytes >= unit && ++index < 7);
  return runtime.NewString(absl::StrFormat("%.1f %s", base * bytes / unit, binary ? kBinary[index] : kDecimal[index]));
}

}  // namespace

void AddNumberFilters(Environment& environment) {
  environment.AddFilter("abs", "x", Abs);
  environment.AddFilter("int", "value default? base?", IntFilter);
  environment.AddFilter("float", "value default?", FloatFilter);
  environment.AddFilter("round", "value precision? method?", Round);
  environment.AddFilter("filesizeformat", "value binary?", FileSizeFormat);
}

}  // namespace ssg::tmpl
