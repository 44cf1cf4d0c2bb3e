// tidy: long-file: Python's two formatting languages, which share their number formats.
#include "ssg/template/percent_format.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/escape.h"
#include "ssg/template/number_text.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

constexpr int kWidthMax = 10'000;

// What stands between '%' or ':' and the type letter.
struct Layout {
  std::string fill = " ";
  char align = 0;  // '<', '>', '=', '^'
  char sign = '-';
  bool alternate = false;
  int width = 0;
  char grouping = 0;
  int precision = -1;
  char type = 0;
};

absl::Status Invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

bool ReadNumber(absl::string_view& text, int& number) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
    ++digits;
  }
  if (digits == 0) return false;
  if (!absl::SimpleAtoi(text.substr(0, digits), &number)) number = kWidthMax + 1;
  text.remove_prefix(digits);
  return true;
}

std::string Grouped(absl::string_view digits, char separator, size_t size) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % size == 0) out += separator;
    out += digits[i];
  }
  return out;
}

std::string Digits(uint64_t value, int base, bool upper) {
  std::string out;
  do {
    out.insert(out.begin(), (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base]);
    value /= base;
  } while (value > 0);
  return out;
}

std::string Pad(const std::string& text, const Layout& layout, char align) {
  const int size = static_cast<int>(CodePointCount(text));
  if (layout.width <= size) return text;
  const int missing = layout.width - size;
  const int left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string out;
  for (int i = 0; i < left; ++i) out += layout.fill;
  out += text;
  for (int i = left; i < missing; ++i) out += layout.fill;
  return out;
}

// Sign or base, then zeros or fill, then the digits.
std::string PadNumber(const std::string& prefix, std::string body, const Layout& layout) {
  const char align = layout.align == 0 ? '>' : layout.align;
  if (align != '=') return Pad(prefix + body, layout, align);
  if (layout.fill == "0" && layout.grouping != 0) {
    // The zeros are grouped too.
    size_t whole = body.find_first_not_of("0123456789,_");
    whole = std::min(whole, body.size());
    std::string digits = body.substr(0, whole);
    digits.erase(std::remove(digits.begin(), digits.end(), layout.grouping), digits.end());
    const std::string tail = body.substr(whole);
    while (static_cast<int>(prefix.size() + Grouped(digits, layout.grouping, 3).size() + tail.size()) < layout.width) {
      digits.insert(0, 1, '0');
    }
    return absl::StrCat(prefix, Grouped(digits, layout.grouping, 3), tail);
  }
  std::string padding;
  for (int size = static_cast<int>(CodePointCount(prefix + body)); size < layout.width; ++size) {
    padding += layout.fill;
  }
  return absl::StrCat(prefix, padding, body);
}

std::string SignOf(bool negative, const Layout& layout) {
  return negative ? "-" : layout.sign == '+' ? "+" : layout.sign == ' ' ? " " : "";
}

std::string FormatInteger(int64_t value, const Layout& layout) {
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  const char type = layout.type;
  const int base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
  std::string body = Digits(magnitude, base, type == 'X');
  if (layout.precision > static_cast<int>(body.size())) {
    body.insert(0, static_cast<size_t>(layout.precision) - body.size(), '0');
  }
  if (layout.grouping != 0) body = Grouped(body, layout.grouping, base == 10 ? 3 : 4);
  std::string prefix = SignOf(value < 0, layout);
  if (layout.alternate && base != 10) {
    prefix += '0';
    prefix += type;
  }
  return PadNumber(prefix, body, layout);
}

std::string FormatReal(double value, const Layout& layout) {
  std::string body;
  if (layout.type == 0 && layout.precision < 0) {
    AppendFloat(std::fabs(value), body);
  } else if (layout.type == 0) {
    // As 'g', but at least one digit after the point unless exponential.
    body = FormatMagnitude(value, 'g', std::max(layout.precision, 1), layout.alternate);
    if (body.find_first_of(".en") == std::string::npos) {
      body = static_cast<int>(body.size()) >= layout.precision
                 ? FormatMagnitude(value, 'e', std::max(layout.precision - 1, 0), false)
                 : body + ".0";
    }
  } else {
    const int precision = layout.precision < 0 ? 6 : layout.precision;
    body = FormatMagnitude(value, layout.type == 'n' ? 'g' : layout.type,
                           precision == 0 && (layout.type | 0x20) == 'g' ? 1 : precision, layout.alternate);
  }
  if (layout.grouping != 0) {
    const size_t whole = std::min(body.find_first_not_of("0123456789"), body.size());
    body = Grouped(body.substr(0, whole), layout.grouping, 3) + body.substr(whole);
  }
  return PadNumber(SignOf(std::signbit(value) && !std::isnan(value), layout), body, layout);
}

absl::StatusOr<Layout> ParseSpec(absl::string_view spec) {
  Layout layout;
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '=' || c == '^'; };
  if (!spec.empty()) {
    const uint32_t first = Decode(spec).size;
    if (spec.size() > first && is_align(spec[first])) {
      layout.fill = std::string(spec.substr(0, first));
      layout.align = spec[first];
      spec.remove_prefix(first + 1);
    } else if (is_align(spec[0])) {
      layout.align = spec[0];
      spec.remove_prefix(1);
    }
  }
  const auto take = [&](absl::string_view any) {
    if (spec.empty() || any.find(spec[0]) == absl::string_view::npos) return '\0';
    const char c = spec[0];
    spec.remove_prefix(1);
    return c;
  };
  if (const char sign = take("+- ")) layout.sign = sign;
  take("z");
  layout.alternate = take("#") != 0;
  if (take("0") != 0 && layout.align == 0) {
    layout.fill = "0";
    layout.align = '=';
  }
  ReadNumber(spec, layout.width);
  layout.grouping = take(",_");
  if (take(".") != 0 && !ReadNumber(spec, layout.precision)) {
    return Invalid("Format specifier missing precision");
  }
  if (spec.size() > 1) return Invalid("Invalid format specifier");
  if (!spec.empty()) layout.type = spec[0];
  if (layout.width > kWidthMax || layout.precision > kWidthMax) {
    return Invalid("a width or precision over 10000 is not supported");
  }
  return layout;
}

absl::Status UnknownCode(char type, const Value& value) {
  return Invalid(
      absl::StrCat("Unknown format code '", std::string(1, type), "' for object of type '", TypeName(value), "'"));
}

}  // namespace

absl::StatusOr<std::string> FormatWithSpec(Runtime& runtime, const Value& value, absl::string_view spec) {
  std::string text;
  if (spec.empty()) {
    RETURN_IF_ERROR(runtime.AppendStr(value, text));
    return text;
  }
  ASSIGN_OR_RETURN(Layout layout, ParseSpec(spec));
  if (value.IsNumber()) {
    constexpr absl::string_view kIntegerTypes = "bcdoxXn";
    constexpr absl::string_view kRealTypes = "eEfFgGn%";
    const bool plain_bool = value.IsBool() && layout.type == 0;
    if (layout.type == 'c' && value.IsIntegral()) {
      AppendCodePoint(static_cast<int32_t>(std::clamp<int64_t>(value.int_value(), 0, 0x10FFFF)), text);
      return Pad(text, layout, layout.align == 0 ? '<' : layout.align);
    }
    if (value.IsIntegral() && !plain_bool &&
        (layout.type == 0 || kIntegerTypes.find(layout.type) != absl::string_view::npos)) {
      if (layout.precision >= 0) return Invalid("Precision not allowed in integer format specifier");
      return FormatInteger(value.int_value(), layout);
    }
    if (layout.type != 0 && kRealTypes.find(layout.type) == absl::string_view::npos) {
      return UnknownCode(layout.type, value);
    }
    if (!plain_bool) return FormatReal(value.number(), layout);
    return FormatInteger(value.int_value(), layout);
  }
  if (value.IsUndefined() || !value.IsString()) {
    return Invalid(absl::StrCat("unsupported format string passed to ", TypeName(value), ".__format__"));
  }
  if (layout.type != 0 && layout.type != 's') return UnknownCode(layout.type, value);
  if (layout.align == '=' && layout.fill != "0") {
    return Invalid("'=' alignment not allowed in string format specifier");
  }
  text = std::string(value.text());
  if (layout.precision >= 0) {
    text = std::string(SubText(text, 0, static_cast<size_t>(layout.precision)));
  }
  return Pad(text, layout, layout.align == 0 || layout.align == '=' ? '<' : layout.align);
}

namespace {

class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const Value& format, const Value& arguments)
      : runtime_(runtime), format_(format), arguments_(arguments) {}

  absl::StatusOr<Value> Run() {
    absl::string_view rest = format_.text();
    while (!rest.empty()) {
      const size_t percent = std::min(rest.find('%'), rest.size());
      out_.append(rest.data(), percent);
      rest.remove_prefix(percent);
      if (rest.empty()) break;
      rest.remove_prefix(1);
      RETURN_IF_ERROR(Directive(rest));
    }
    const bool is_tuple = arguments_.kind() == Kind::kTuple;
    const bool leftover = is_tuple ? next_ < arguments_.list().size
                                   : next_ == 0 && !arguments_.IsDict() && !used_mapping_ && !arguments_.IsListLike();
    if (leftover) return Invalid("not all arguments converted during string formatting");
    return runtime_.NewString(out_, format_.tag());
  }

 private:
  absl::StatusOr<Value> Next() {
    if (arguments_.kind() == Kind::kTuple) {
      if (next_ >= arguments_.list().size) {
        return Invalid("not enough arguments for format string");
      }
      return arguments_.list()[next_++];
    }
    if (next_++ > 0) return Invalid("not enough arguments for format string");
    return arguments_;
  }

  absl::StatusOr<int> NextInt() {
    ASSIGN_OR_RETURN(const Value value, Next());
    if (!value.IsIntegral()) return Invalid("* wants int");
    return static_cast<int>(std::clamp<int64_t>(value.int_value(), -kWidthMax, kWidthMax));
  }

  absl::Status Directive(absl::string_view& rest) {
    Value value;
    if (!rest.empty() && rest[0] == '(') {
      const size_t close = rest.find(')');
      if (close == absl::string_view::npos) return Invalid("incomplete format key");
      if (!arguments_.IsDict()) return Invalid("format requires a mapping");
      const absl::string_view key = rest.substr(1, close - 1);
      const Value* found = arguments_.dict().Find(key);
      if (found == nullptr) return Invalid(absl::StrCat("no such key: '", key, "'"));
      value = *found;
      used_mapping_ = true;
      rest.remove_prefix(close + 1);
    }
    Layout layout;
    bool left = false;
    for (; !rest.empty() && absl::string_view("-+ #0").find(rest[0]) != absl::string_view::npos;
         rest.remove_prefix(1)) {
      if (rest[0] == '-') left = true;
      if (rest[0] == '+') layout.sign = '+';
      if (rest[0] == ' ' && layout.sign != '+') layout.sign = ' ';
      if (rest[0] == '#') layout.alternate = true;
      if (rest[0] == '0') {
        layout.fill = "0";
        layout.align = '=';
      }
    }
    RETURN_IF_ERROR(WidthAndPrecision(rest, layout, left));
    if (left) {
      layout.align = '<';
      layout.fill = " ";
    }
    while (!rest.empty() && (rest[0] == 'l' || rest[0] == 'h' || rest[0] == 'L')) {
      rest.remove_prefix(1);
    }
    if (rest.empty()) return Invalid("incomplete format");
    layout.type = rest[0];
    rest.remove_prefix(1);
    if (layout.type == '%') {
      out_ += '%';
      return absl::OkStatus();
    }
    if (value.IsMissing()) {
      ASSIGN_OR_RETURN(value, Next());
    }
    return Convert(value, layout);
  }

  absl::Status WidthAndPrecision(absl::string_view& rest, Layout& layout, bool& left) {
    if (!rest.empty() && rest[0] == '*') {
      rest.remove_prefix(1);
      ASSIGN_OR_RETURN(layout.width, NextInt());
      if (layout.width < 0) {
        left = true;
        layout.width = -layout.width;
      }
    } else {
      ReadNumber(rest, layout.width);
    }
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      layout.precision = 0;
      if (!rest.empty() && rest[0] == '*') {
        rest.remove_prefix(1);
        ASSIGN_OR_RETURN(layout.precision, NextInt());
        layout.precision = std::max(layout.precision, 0);
      } else {
        ReadNumber(rest, layout.precision);
      }
    }
    if (layout.width > kWidthMax || layout.precision > kWidthMax) {
      return Invalid("a width or precision over 10000 is not supported");
    }
    return absl::OkStatus();
  }

  absl::Status Convert(const Value& value, Layout layout) {
    switch (layout.type) {
      case 's':
      case 'r':
      case 'a':
        return ConvertText(value, layout);
      case 'c':
        return ConvertCharacter(value, layout);
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        return ConvertInteger(value, layout);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (value.IsUndefined()) return runtime_.UndefinedError(value);
        if (!value.IsNumber()) {
          return Invalid(absl::StrCat("must be real number, not ", TypeName(value)));
        }
        out_ += FormatReal(value.number(), layout);
        return absl::OkStatus();
      default:
        return Invalid(absl::StrCat("unsupported format character '", std::string(1, layout.type), "'"));
    }
  }

  absl::Status ConvertText(const Value& value, Layout layout) {
    std::string text;
    if (layout.type == 's') {
      RETURN_IF_ERROR(runtime_.AppendStr(value, text));
    } else {
      RETURN_IF_ERROR(runtime_.AppendRepr(value, text));
    }
    if (format_.IsMarkup() && !value.IsMarkup()) {
      std::string escaped;
      AppendEscaped(text, escaped);
      text = std::move(escaped);
    }
    if (layout.precision >= 0) {
      text = std::string(SubText(text, 0, static_cast<size_t>(layout.precision)));
    }
    layout.fill = " ";
    out_ += Pad(text, layout, layout.align == '<' ? '<' : '>');
    return absl::OkStatus();
  }

  absl::Status ConvertCharacter(const Value& value, Layout layout) {
    std::string text;
    if (value.IsIntegral() && value.int_value() >= 0 && value.int_value() <= 0x10FFFF) {
      AppendCodePoint(static_cast<int32_t>(value.int_value()), text);
    } else if (value.IsString() && CodePointCount(value.text()) == 1) {
      text = std::string(value.text());
    } else {
      return Invalid("%c requires int or char");
    }
    layout.fill = " ";
    out_ += Pad(text, layout, layout.align == '<' ? '<' : '>');
    return absl::OkStatus();
  }

  absl::Status ConvertInteger(const Value& value, Layout layout) {
    if (value.IsUndefined()) return runtime_.UndefinedError(value);
    const bool decimal = layout.type == 'd' || layout.type == 'i' || layout.type == 'u';
    int64_t number = 0;
    if (value.IsIntegral()) {
      number = value.int_value();
    } else if (value.IsFloat() && decimal && std::fabs(value.float_value()) < 9.2e18) {
      number = static_cast<int64_t>(value.float_value());
    } else {
      return Invalid(
          absl::StrCat("%", std::string(1, layout.type),
                       decimal ? " format: a real number is required, not " : " format: an integer is required, not ",
                       TypeName(value)));
    }
    if (decimal) layout.type = 'd';
    out_ += FormatInteger(number, layout);
    return absl::OkStatus();
  }

  Runtime& runtime_;
  const Value format_;
  const Value arguments_;
  std::string out_;
  uint32_t next_ = 0;
  bool used_mapping_ = false;
};

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Value& format, absl::Span<const Value> positional,
                 absl::Span<const NamedValue> named)
      : runtime_(runtime), format_(format), positional_(positional), named_(named) {}

  absl::StatusOr<Value> Run() {
    std::string out;
    RETURN_IF_ERROR(Expand(format_.text(), 2, out));
    return runtime_.NewString(out, format_.tag());
  }

 private:
  absl::Status Expand(absl::string_view text, int depth, std::string& out) {
    if (depth < 0) return Invalid("Max string recursion exceeded");
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c != '{' && c != '}') {
        out += c;
        continue;
      }
      if (i + 1 < text.size() && text[i + 1] == c && depth == 2) {
        out += c;
        ++i;
        continue;
      }
      if (c == '}') return Invalid("Single '}' encountered in format string");
      int open = 1;
      size_t end = i + 1;
      for (; end < text.size(); ++end) {
        if (text[end] == '{') ++open;
        if (text[end] == '}' && --open == 0) break;
      }
      if (end >= text.size()) {
        return Invalid(i + 1 == text.size() ? "Single '{' encountered in format string"
                                            : "expected '}' before end of string");
      }
      RETURN_IF_ERROR(Field(text.substr(i + 1, end - i - 1), depth, out));
      i = end;
    }
    return absl::OkStatus();
  }

  absl::Status Field(absl::string_view field, int depth, std::string& out) {
    const size_t name_end = std::min(field.find_first_of("!:"), field.size());
    absl::string_view name = field.substr(0, name_end);
    absl::string_view rest = field.substr(name_end);
    char conversion = 0;
    if (!rest.empty() && rest[0] == '!') {
      if (rest.size() < 2 || (rest.size() > 2 && rest[2] != ':')) {
        return Invalid("expected ':' after conversion specifier");
      }
      conversion = rest[1];
      rest.remove_prefix(2);
    }
    std::string spec;
    if (!rest.empty()) {
      RETURN_IF_ERROR(Expand(rest.substr(1), depth - 1, spec));
    }
    ASSIGN_OR_RETURN(Value value, Lookup(name));
    if (conversion == 'r' || conversion == 'a') {
      std::string repr;
      RETURN_IF_ERROR(runtime_.AppendRepr(value, repr));
      value = runtime_.NewString(repr);
    } else if (conversion == 's') {
      ASSIGN_OR_RETURN(value, runtime_.Str(value));
    } else if (conversion != 0) {
      return Invalid(absl::StrCat("Unknown conversion specifier ", std::string(1, conversion)));
    }
    ASSIGN_OR_RETURN(const std::string text, FormatWithSpec(runtime_, value, spec));
    if (format_.IsMarkup() && !value.IsMarkup()) {
      AppendEscaped(text, out);
    } else {
      out += text;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Value> Lookup(absl::string_view name) {
    const size_t first_end = std::min(name.find_first_of(".["), name.size());
    const absl::string_view first = name.substr(0, first_end);
    absl::string_view path = name.substr(first_end);
    Value value;
    int64_t index = 0;
    if (first.empty() || absl::SimpleAtoi(first, &index)) {
      const bool automatic = first.empty();
      if (numbering_ != 0 && (numbering_ == 1) != automatic) {
        return Invalid("cannot mix automatic field numbering and manual field specification");
      }
      numbering_ = automatic ? 1 : 2;
      if (automatic) index = next_++;
      if (index < 0 || index >= static_cast<int64_t>(positional_.size())) {
        return Invalid("Replacement index out of range for positional args tuple");
      }
      value = positional_[static_cast<size_t>(index)];
    } else {
      for (const NamedValue& argument : named_) {
        if (argument.name.text() == first) value = argument.value;
      }
      if (value.IsMissing()) return Invalid(absl::StrCat("no such key: '", first, "'"));
    }
    while (!path.empty()) {
      if (path[0] == '.') {
        path.remove_prefix(1);
        const size_t end = std::min(path.find_first_of(".["), path.size());
        ASSIGN_OR_RETURN(value, runtime_.GetAttribute(value, Symbol::Find(path.substr(0, end))));
        path.remove_prefix(end);
      } else {
        const size_t close = path.find(']');
        if (path[0] != '[' || close == absl::string_view::npos) {
          return Invalid("Missing ']' in format string");
        }
        const absl::string_view key = path.substr(1, close - 1);
        const bool is_index = absl::SimpleAtoi(key, &index);
        ASSIGN_OR_RETURN(value, runtime_.GetItem(value, is_index ? Value::Int(index) : Value::String(key)));
        path.remove_prefix(close + 1);
      }
      if (value.IsUndefined()) return runtime_.UndefinedError(value);
    }
    return value;
  }

  Runtime& runtime_;
  const Value format_;
  const absl::Span<const Value> positional_;
  const absl::Span<const NamedValue> named_;
  int64_t next_ = 0;
  int numbering_ = 0;  // 1: automatic, 2: by number.
};

}  // namespace

absl::StatusOr<Value> PercentFormat(Runtime& runtime, const Value& format, const Value& arguments) {
  return PercentFormatter(runtime, format, arguments).Run();
}

absl::StatusOr<Value> BraceFormat(Runtime& runtime, const Value& format, absl::Span<const Value> positional,
                                  absl::Span<const NamedValue> named) {
  return BraceFormatter(runtime, format, positional, named).Run();
}

}  // namespace ssg::tmpl
