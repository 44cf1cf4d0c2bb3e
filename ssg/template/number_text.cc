#include "ssg/template/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

// Takes out single underscores between digits; false if any stands elsewhere.
bool RemoveUnderscores(std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && absl::ascii_isalnum(static_cast<unsigned char>(text[i - 1])) &&
                         absl::ascii_isalnum(static_cast<unsigned char>(text[i + 1]));
    if (!between) return false;
  }
  text = std::move(out);
  return true;
}

// Decimal digits of other scripts become ASCII, as int() and float() take them.
std::string AsciiDigits(absl::string_view text) {
  std::string out;
  for (absl::string_view point : SplitCodePoints(text)) {
    const int32_t code = Decode(point).value;
    if (code < 0x80 || !IsDecimal(code)) {
      out.append(point.data(), point.size());
      continue;
    }
    // Such digits come in runs of ten from a multiple of ten after the first.
    int32_t zero = code;
    while (code - zero < 9 && IsDecimal(zero - 1)) --zero;
    out += static_cast<char>('0' + (code - zero) % 10);
  }
  return out;
}

}  // namespace

void AppendInt(int64_t value, std::string& out) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, result.ptr);
}

void AppendFloat(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  if (std::signbit(value)) out += '-';
  value = std::fabs(value);
  if (std::isinf(value)) {
    out += "inf";
    return;
  }
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const absl::string_view text(buffer, result.ptr - buffer);
  const size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits.append(text.data() + 2, e - 2);
  int exponent = 0;
  const char* exponent_begin = buffer + e + 1 + (buffer[e + 1] == '+' ? 1 : 0);
  std::from_chars(exponent_begin, result.ptr, exponent);
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (digits.size() > 1) absl::StrAppend(&out, ".", digits.substr(1));
    absl::StrAppendFormat(&out, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return;
  }
  if (exponent < 0) {
    absl::StrAppend(&out, "0.", std::string(-exponent - 1, '0'), digits);
    return;
  }
  const size_t whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    absl::StrAppend(&out, digits, std::string(whole - digits.size(), '0'), ".0");
  } else {
    absl::StrAppend(&out, digits.substr(0, whole), ".", digits.substr(whole));
  }
}

std::string FormatMagnitude(double value, char type, int precision, bool alternate) {
  const bool upper = type == 'E' || type == 'F' || type == 'G';
  if (std::isnan(value)) return upper ? "NAN" : "nan";
  value = std::fabs(value);
  if (std::isinf(value)) return upper ? "INF" : "inf";
  const bool percent = type == '%';
  if (percent) {
    value *= 100;
    type = 'f';
  }
  char format[8];
  snprintf(format, sizeof(format), "%%%s.*%c", alternate ? "#" : "", type);
  const int size = snprintf(nullptr, 0, format, precision, value);
  std::string text(static_cast<size_t>(size), '\0');
  snprintf(&text[0], text.size() + 1, format, precision, value);
  if (percent) text += '%';
  return text;
}

absl::optional<int64_t> ParseInt(absl::string_view text, int base, bool& overflow) {
  overflow = false;
  std::string digits = AsciiDigits(StripSpace(text));
  bool negative = false;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
    negative = digits[0] == '-';
    digits.erase(0, 1);
  }
  if (digits.size() > 1 && digits[0] == '0') {
    const char prefix = absl::ascii_tolower(static_cast<unsigned char>(digits[1]));
    const int implied = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 0;
    if (implied != 0 && (base == 0 || base == implied)) {
      base = implied;
      digits.erase(0, 2);
      if (!digits.empty() && digits[0] == '_') digits.erase(0, 1);
    }
  }
  if (!RemoveUnderscores(digits) || digits.empty()) return absl::nullopt;
  if (base == 0) {
    if (digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos) {
      return absl::nullopt;
    }
    base = 10;
  }
  if (negative) digits.insert(0, 1, '-');
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (result.ptr != digits.data() + digits.size()) return absl::nullopt;
  if (result.ec == std::errc::result_out_of_range) {
    overflow = true;
    return absl::nullopt;
  }
  if (result.ec != std::errc()) return absl::nullopt;
  return value;
}

absl::optional<double> ParseFloat(absl::string_view text) {
  std::string digits = AsciiDigits(StripSpace(text));
  const std::string lower = absl::AsciiStrToLower(digits);
  absl::string_view word = lower;
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  const double sign = !lower.empty() && lower[0] == '-' ? -1 : 1;
  if (word == "inf" || word == "infinity") return sign * HUGE_VAL;
  if (word == "nan") return std::nan("");
  if (word.empty() || !(IsAsciiDigit(word[0]) || word[0] == '.')) return absl::nullopt;
  for (char c : word) {
    if (!IsAsciiDigit(c) && c != '.' && c != 'e' && c != '+' && c != '-' && c != '_') {
      return absl::nullopt;
    }
  }
  if (!RemoveUnderscores(digits)) return absl::nullopt;
  double value = 0;
  if (!absl::SimpleAtod(digits, &value)) return absl::nullopt;
  return value;
}

double RoundDecimal(double value, int digits) {
  if (!std::isfinite(value)) return value;
  if (digits >= 0) {
    if (digits > 323) return value;
    // printf rounds the exact binary value, as Python does.
    double rounded = value;
    if (!absl::SimpleAtod(FormatMagnitude(value, 'f', digits, false), &rounded)) return value;
    return std::copysign(rounded, value);
  }
  if (digits < -308) return std::copysign(0.0, value);
  const double power = std::pow(10.0, -digits);
  const double scaled = std::nearbyint(value / power);
  return scaled * power;
}

}  // namespace ssg::tmpl
