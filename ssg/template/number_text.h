// Numbers as Python writes and reads them.
//
// Threads: no state.
#ifndef SSG_TEMPLATE_NUMBER_TEXT_H_
#define SSG_TEMPLATE_NUMBER_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace ssg::tmpl {

void AppendInt(int64_t value, std::string& out);
// repr() of a float: the shortest digits that read back the same.
void AppendFloat(double value, std::string& out);

// The magnitude of `value` by one of Python's types e E f F g G %, without sign.
std::string FormatMagnitude(double value, char type, int precision, bool alternate);

// int(text, base); none when it is not a number, or not in 64 bits (then
// `overflow` is set). Base 0 goes by the prefix.
absl::optional<int64_t> ParseInt(absl::string_view text, int base, bool& overflow);
// float(text)
absl::optional<double> ParseFloat(absl::string_view text);

// round(value, digits), half to even on the decimal value.
double RoundDecimal(double value, int digits);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_NUMBER_TEXT_H_
