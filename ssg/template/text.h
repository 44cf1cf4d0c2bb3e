// Text as Python sees it: UTF-8 bytes handled as code points.
//
// Bytes that are not UTF-8 count as one code point each and pass unchanged.
// Threads: no state.
#ifndef SSG_TEMPLATE_TEXT_H_
#define SSG_TEMPLATE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

struct CodePoint {
  int32_t value = 0;  // Negative for a byte that is not UTF-8.
  uint32_t size = 1;  // In bytes.
};

// REQUIRES: !text.empty().
CodePoint Decode(absl::string_view text);
void AppendCodePoint(int32_t value, std::string& out);

bool IsAscii(absl::string_view text);
size_t CodePointCount(absl::string_view text);
// The byte where code point `index` begins; the size when there are fewer.
size_t ByteOffset(absl::string_view text, size_t index);
// The code points of `text`, each as its bytes.
std::vector<absl::string_view> SplitCodePoints(absl::string_view text);
// Code points [begin, end).
absl::string_view SubText(absl::string_view text, size_t begin, size_t end);

bool IsSpace(int32_t code);
bool IsAlpha(int32_t code);
bool IsDecimal(int32_t code);
bool IsDigit(int32_t code);
bool IsNumeric(int32_t code);
bool IsAlphanumeric(int32_t code);
bool IsUpper(int32_t code);
bool IsLower(int32_t code);
bool IsTitle(int32_t code);
bool IsPrintable(int32_t code);
bool IsIdentifierStart(int32_t code);
bool IsIdentifierPart(int32_t code);

std::string Upper(absl::string_view text);
std::string Lower(absl::string_view text);
std::string Title(absl::string_view text);
std::string Capitalize(absl::string_view text);
std::string SwapCase(absl::string_view text);
std::string CaseFold(absl::string_view text);

enum class Side { kBoth, kLeft, kRight };
absl::string_view StripSpace(absl::string_view text, Side side = Side::kBoth);
// Strips the code points that occur in `set`.
absl::string_view Strip(absl::string_view text, absl::string_view set, Side side = Side::kBoth);

// str.split() without a separator; at most `splits_max` splits if not negative.
std::vector<absl::string_view> SplitSpace(absl::string_view text, int64_t splits_max = -1);
std::vector<absl::string_view> SplitLines(absl::string_view text, bool keep_ends = false);

// repr() of a str.
void AppendRepr(absl::string_view text, std::string& out);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_TEXT_H_
