#include "ssg/site/dates.h"

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace ssg {
namespace {

// Takes exactly `digits` digits off `*text`.
bool TakeDigits(absl::string_view* text, size_t digits, int64_t* number) {
  if (text->size() < digits) return false;
  *number = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return false;
    *number = *number * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool TakeByte(absl::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// "Z", "+02:00", "+0200" or nothing.
bool TakeZone(absl::string_view* text, int64_t* offset) {
  *offset = 0;
  while (TakeByte(text, ' ')) {
  }
  if (text->empty() || TakeByte(text, 'Z') || TakeByte(text, 'z')) return text->empty();
  const bool negative = text->front() == '-';
  if (!negative && text->front() != '+') return false;
  text->remove_prefix(1);
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!TakeDigits(text, 2, &hours)) return false;
  TakeByte(text, ':');
  if (!text->empty() && !TakeDigits(text, 2, &minutes)) return false;
  *offset = (hours * 60 + minutes) * (negative ? -60 : 60);
  return text->empty() && hours <= 15 && minutes < 60;
}

}  // namespace

bool ParseDate(absl::string_view text, int64_t* seconds) {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!TakeDigits(&text, 4, &year) || !TakeByte(&text, '-') || !TakeDigits(&text, 2, &month) || !TakeByte(&text, '-') ||
      !TakeDigits(&text, 2, &day)) {
    return false;
  }
  const absl::CivilDay date(year, month, day);
  if (date.month() != month || date.day() != day) return false;
  const int64_t midnight = (date - absl::CivilDay(1970, 1, 1)) * 86400;
  int64_t clock[3] = {0, 0, 0};
  int64_t offset = 0;
  if (!text.empty()) {
    if (!TakeByte(&text, 'T') && !TakeByte(&text, 't') && !TakeByte(&text, ' ')) return false;
    if (!TakeDigits(&text, 2, &clock[0]) || !TakeByte(&text, ':') || !TakeDigits(&text, 2, &clock[1])) return false;
    if (TakeByte(&text, ':') && !TakeDigits(&text, 2, &clock[2])) return false;
    if (TakeByte(&text, '.')) {
      int64_t ignored;
      while (TakeDigits(&text, 1, &ignored)) {
      }
    }
    if (clock[0] > 23 || clock[1] > 59 || clock[2] > 60 || !TakeZone(&text, &offset)) return false;
  }
  *seconds = midnight + clock[0] * 3600 + clock[1] * 60 + clock[2] - offset;
  return true;
}

std::string FormatIsoDate(int64_t seconds) {
  if (seconds == kNoDate) return "";
  const absl::CivilSecond civil = absl::ToCivilSecond(absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02dZ", civil.year(), civil.month(), civil.day(), civil.hour(),
                         civil.minute(), civil.second());
}

std::string FormatRfc822Date(int64_t seconds) { return FormatDate(seconds, "%a, %d %b %Y %H:%M:%S +0000"); }

std::string FormatDate(int64_t seconds, absl::string_view format) {
  if (seconds == kNoDate) return "";
  return absl::FormatTime(std::string(format), absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
}

CivilDate CivilOf(int64_t seconds) {
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
  return {day.year(), day.month(), day.day()};
}

}  // namespace ssg
