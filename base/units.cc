#include "base/units.h"

#include <array>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace base {
namespace {

// Splits "1.5G" into 1.5 and "g"; false if the number is missing or negative.
bool SplitNumber(absl::string_view text, double* number, std::string* suffix) {
  text = absl::StripAsciiWhitespace(text);
  const size_t digits = text.find_first_not_of("0123456789.");
  const absl::string_view head = text.substr(0, digits);
  if (head.empty() || !absl::SimpleAtod(head, number) || !std::isfinite(*number)) return false;
  *suffix = digits == absl::string_view::npos
                ? ""
                : absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(digits)));
  return true;
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  const auto error = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a size; write bytes or a number with K, M, G or T"));
  };
  double number = 0;
  std::string suffix;
  if (!SplitNumber(text, &number, &suffix)) return error();
  absl::string_view unit = suffix;
  if (!absl::ConsumeSuffix(&unit, "ib")) absl::ConsumeSuffix(&unit, "b");
  double factor = 1;
  if (unit == "k") {
    factor = static_cast<double>(kKiB);
  } else if (unit == "m") {
    factor = static_cast<double>(kMiB);
  } else if (unit == "g") {
    factor = static_cast<double>(kGiB);
  } else if (unit == "t") {
    factor = static_cast<double>(kTiB);
  } else if (!unit.empty()) {
    return error();
  }
  const double bytes = number * factor;
  if (bytes >= 9.2e18) return error();
  return static_cast<uint64_t>(std::llround(bytes));
}

std::string HumanSize(uint64_t size_bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size_bytes < kKiB) return absl::StrCat(size_bytes, " B");
  double value = static_cast<double>(size_bytes) / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  double number = 0;
  std::string suffix;
  if (SplitNumber(text, &number, &suffix) && number < 1e12) {
    if (suffix.empty() || suffix == "s") return absl::Seconds(number);
    if (suffix == "ms") return absl::Milliseconds(number);
    if (suffix == "us") return absl::Microseconds(number);
    if (suffix == "m" || suffix == "min") return absl::Minutes(number);
    if (suffix == "h") return absl::Hours(number);
    if (suffix == "d") return absl::Hours(24 * number);
    if (suffix == "w") return absl::Hours(24 * 7 * number);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not a duration; write seconds or a number with ms, s, m, h or d"));
}

std::string HumanDuration(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.0f ms", seconds * 1e3);
  if (seconds < 60) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 3600) return absl::StrFormat("%dm %02ds", whole / 60, whole % 60);
  return absl::StrFormat("%dh %02dm", whole / 3600, whole / 60 % 60);
}

std::string HumanCount(uint64_t count) {
  std::string digits = absl::StrCat(count);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace base
