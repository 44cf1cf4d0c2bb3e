// Sizes in bytes: constants, reading them from people, and writing them for people.
//
// Threads: no state.
#ifndef BASE_UNITS_H_
#define BASE_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace base {

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kTiB = uint64_t{1} << 40;

constexpr uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }
constexpr uint64_t RoundDown(uint64_t value, uint64_t unit) { return value / unit * unit; }

// "4096", "64K", "64KiB", "1.5G", "8TiB"; suffixes are powers of 1024 and case
// does not matter ("KB" means KiB too).
// Errors: InvalidArgument  not a size, or more than 2^63-1 bytes
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);

// "0 B", "4.0 KiB", "1.5 GiB": at most five characters and a unit.
std::string HumanSize(uint64_t size_bytes);

// "45s", "10m", "12h", "7d", "500ms"; a bare number counts seconds.
// Errors: InvalidArgument  not a duration, negative
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "1.2 s", "340 ms", "12 us", "3m 05s", "2h 10m".
std::string HumanDuration(absl::Duration duration);

// "12,345,678".
std::string HumanCount(uint64_t count);

}  // namespace base

#endif  // BASE_UNITS_H_
