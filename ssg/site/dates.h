// Dates of content: seconds since 1970, UTC unless a zone is written.
//
// Threads: no state.
#ifndef SSG_SITE_DATES_H_
#define SSG_SITE_DATES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace ssg {

inline constexpr int64_t kNoDate = INT64_MIN;

// "2024-03-01", "2024-03-01T10:00[:00[.5]][Z|+02:00]", a blank for the T. False if it is none.
bool ParseDate(absl::string_view text, int64_t* seconds);

// "2024-03-01T10:00:00Z"; "" for kNoDate.
std::string FormatIsoDate(int64_t seconds);
// "Fri, 01 Mar 2024 10:00:00 +0000", as RSS wants it.
std::string FormatRfc822Date(int64_t seconds);
// As strftime in UTC.
std::string FormatDate(int64_t seconds, absl::string_view format);

struct CivilDate {
  int64_t year;
  int month;
  int day;
};
CivilDate CivilOf(int64_t seconds);

}  // namespace ssg

#endif  // SSG_SITE_DATES_H_
