#include "ssg/template/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "absl/strings/ascii.h"

namespace ssg::tmpl {
namespace {

struct SpecialCase {
  int32_t code;
  const char* upper;
  const char* title;
};

constexpr SpecialCase kSpecialCases[] = {
#include "ssg/template/special_case.inc"
};

const SpecialCase* FindSpecialCase(int32_t code) {
  const SpecialCase* found = std::lower_bound(std::begin(kSpecialCases), std::end(kSpecialCases), code,
                                              [](const SpecialCase& row, int32_t value) { return row.code < value; });
  return found != std::end(kSpecialCases) && found->code == code ? found : nullptr;
}

utf8proc_category_t Category(int32_t code) { return code < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(code); }

bool IsCased(int32_t code) { return IsUpper(code) || IsLower(code) || IsTitle(code); }

bool IsCaseIgnorable(int32_t code) {
  switch (Category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return code == '\'' || code == '.' || code == ':' || code == 0xB7 || code == 0x2019;
  }
}

// Greek capital sigma becomes final sigma at the end of a word.
bool IsFinalSigma(absl::string_view before, absl::string_view after) {
  bool cased_before = false;
  for (absl::string_view piece : SplitCodePoints(before)) {
    const int32_t code = Decode(piece).value;
    if (!IsCaseIgnorable(code)) cased_before = IsCased(code);
  }
  if (!cased_before) return false;
  while (!after.empty()) {
    const CodePoint point = Decode(after);
    if (!IsCaseIgnorable(point.value)) return !IsCased(point.value);
    after.remove_prefix(point.size);
  }
  return true;
}

void AppendUpper(int32_t code, std::string& out) {
  if (const SpecialCase* special = FindSpecialCase(code)) {
    out += special->upper;
  } else {
    AppendCodePoint(utf8proc_toupper(code), out);
  }
}

void AppendTitle(int32_t code, std::string& out) {
  if (const SpecialCase* special = FindSpecialCase(code)) {
    out += special->title;
  } else {
    AppendCodePoint(utf8proc_totitle(code), out);
  }
}

// `text` is the whole, `at` where the code point begins.
void AppendLower(absl::string_view text, size_t at, CodePoint point, std::string& out) {
  if (point.value == 0x130) {
    out += "i\xCC\x87";
  } else if (point.value == 0x3A3) {
    AppendCodePoint(IsFinalSigma(text.substr(0, at), text.substr(at + point.size)) ? 0x3C2 : 0x3C3, out);
  } else {
    AppendCodePoint(utf8proc_tolower(point.value), out);
  }
}

// Calls visit(offset, code point) for each; bytes that are not UTF-8 are
// appended to `out` as they are.
template <typename Visit>
std::string MapCase(absl::string_view text, Visit visit) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = Decode(text.substr(at));
    if (point.value < 0) {
      out.append(text.data() + at, point.size);
    } else {
      visit(at, point, out);
    }
    at += point.size;
  }
  return out;
}

}  // namespace

CodePoint Decode(absl::string_view text) {
  const uint8_t first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return CodePoint{first, 1};
  utf8proc_int32_t value = 0;
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(std::min<size_t>(text.size(), 4)), &value);
  if (size <= 0) return CodePoint{-1 - first, 1};
  return CodePoint{value, static_cast<uint32_t>(size)};
}

void AppendCodePoint(int32_t value, std::string& out) {
  if (value < 0) {
    out.push_back(static_cast<char>(-1 - value));
    return;
  }
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
    return;
  }
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t size = utf8proc_encode_char(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

bool IsAscii(absl::string_view text) {
  uint64_t bits = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    memcpy(&word, text.data() + at, 8);
    bits |= word;
  }
  for (; at < text.size(); ++at) bits |= static_cast<uint8_t>(text[at]);
  return (bits & 0x8080808080808080ull) == 0;
}

size_t CodePointCount(absl::string_view text) {
  if (IsAscii(text)) return text.size();
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += Decode(text.substr(at)).size;
  return count;
}

size_t ByteOffset(absl::string_view text, size_t index) {
  if (IsAscii(text)) return std::min(index, text.size());
  size_t at = 0;
  for (; at < text.size() && index > 0; --index) at += Decode(text.substr(at)).size;
  return at;
}

absl::string_view SubText(absl::string_view text, size_t begin, size_t end) {
  if (end <= begin) return absl::string_view();
  text.remove_prefix(ByteOffset(text, begin));
  return text.substr(0, ByteOffset(text, end - begin));
}

std::vector<absl::string_view> SplitCodePoints(absl::string_view text) {
  std::vector<absl::string_view> points;
  points.reserve(text.size());
  while (!text.empty()) {
    const uint32_t size = Decode(text).size;
    points.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return points;
}

bool IsSpace(int32_t code) {
  if (code < 0x80) return (code >= 9 && code <= 13) || (code >= 28 && code <= 32);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool IsAlpha(int32_t code) {
  const utf8proc_category_t category = Category(code);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool IsDecimal(int32_t code) { return Category(code) == UTF8PROC_CATEGORY_ND; }

bool IsDigit(int32_t code) {
  if (IsDecimal(code)) return true;
  return code == 0xB2 || code == 0xB3 || code == 0xB9 || code == 0x2070 || (code >= 0x2074 && code <= 0x2079) ||
         (code >= 0x2080 && code <= 0x2089) || (code >= 0x2460 && code <= 0x2468) ||
         (code >= 0x2474 && code <= 0x247C) || (code >= 0x2488 && code <= 0x2490) || (code >= 0x2776 && code <= 0x277E);
}

bool IsNumeric(int32_t code) {
  const utf8proc_category_t category = Category(code);
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

bool IsAlphanumeric(int32_t code) { return IsAlpha(code) || IsNumeric(code) || IsDigit(code); }

bool IsUpper(int32_t code) {
  return Category(code) == UTF8PROC_CATEGORY_LU || (code >= 0x2160 && code <= 0x216F) ||
         (code >= 0x24B6 && code <= 0x24CF);
}

bool IsLower(int32_t code) {
  return Category(code) == UTF8PROC_CATEGORY_LL || code == 0xAA || code == 0xBA || (code >= 0x2170 && code <= 0x217F) ||
         (code >= 0x24D0 && code <= 0x24E9) || (code >= 0x2B0 && code <= 0x2B8);
}

bool IsTitle(int32_t code) { return Category(code) == UTF8PROC_CATEGORY_LT; }

bool IsPrintable(int32_t code) {
  if (code == ' ') return true;
  switch (Category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

bool IsIdentifierStart(int32_t code) { return code == '_' || IsAlpha(code) || Category(code) == UTF8PROC_CATEGORY_NL; }

bool IsIdentifierPart(int32_t code) {
  if (IsIdentifierStart(code)) return true;
  switch (Category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

std::string Upper(absl::string_view text) {
  if (IsAscii(text)) return absl::AsciiStrToUpper(text);
  return MapCase(text, [](size_t, CodePoint point, std::string& out) { AppendUpper(point.value, out); });
}

std::string Lower(absl::string_view text) {
  if (IsAscii(text)) return absl::AsciiStrToLower(text);
  return MapCase(text, [&](size_t at, CodePoint point, std::string& out) { AppendLower(text, at, point, out); });
}

std::string Title(absl::string_view text) {
  bool in_word = false;
  return MapCase(text, [&](size_t at, CodePoint point, std::string& out) {
    if (in_word) {
      AppendLower(text, at, point, out);
    } else {
      AppendTitle(point.value, out);
    }
    in_word = IsCased(point.value);
  });
}

std::string Capitalize(absl::string_view text) {
  return MapCase(text, [&](size_t at, CodePoint point, std::string& out) {
    if (at == 0) {
      AppendTitle(point.value, out);
    } else {
      AppendLower(text, at, point, out);
    }
  });
}

std::string SwapCase(absl::string_view text) {
  return MapCase(text, [&](size_t at, CodePoint point, std::string& out) {
    if (IsUpper(point.value)) {
      AppendLower(text, at, point, out);
    } else if (IsLower(point.value)) {
      AppendUpper(point.value, out);
    } else {
      AppendCodePoint(point.value, out);
    }
  });
}

std::string CaseFold(absl::string_view text) {
  if (IsAscii(text)) return absl::AsciiStrToLower(text);
  return MapCase(text, [&](size_t, CodePoint point, std::string& out) {
    utf8proc_int32_t folded[8];
    int boundary_class = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(point.value, folded, 8, UTF8PROC_CASEFOLD, &boundary_class);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, 8); ++i) {
      AppendCodePoint(folded[i], out);
    }
  });
}

namespace {

template <typename Matches>
absl::string_view StripWhile(absl::string_view text, Side side, Matches matches) {
  while (side != Side::kRight && !text.empty()) {
    const CodePoint point = Decode(text);
    if (!matches(text.substr(0, point.size), point.value)) break;
    text.remove_prefix(point.size);
  }
  while (side != Side::kLeft && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80 && text.size() - at < 4) --at;
    CodePoint point = Decode(text.substr(at));
    if (at + point.size != text.size()) {
      at = text.size() - 1;
      point = CodePoint{-1, 1};
    }
    if (!matches(text.substr(at), point.value)) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

bool IsLineBreak(int32_t code) {
  return (code >= 10 && code <= 13) || (code >= 28 && code <= 30) || code == 0x85 || code == 0x2028 || code == 0x2029;
}

}  // namespace

absl::string_view StripSpace(absl::string_view text, Side side) {
  return StripWhile(text, side, [](absl::string_view, int32_t code) { return IsSpace(code); });
}

absl::string_view Strip(absl::string_view text, absl::string_view set, Side side) {
  const std::vector<absl::string_view> points = SplitCodePoints(set);
  return StripWhile(text, side, [&](absl::string_view piece, int32_t) {
    return std::find(points.begin(), points.end(), piece) != points.end();
  });
}

std::vector<absl::string_view> SplitSpace(absl::string_view text, int64_t splits_max) {
  std::vector<absl::string_view> words;
  text = StripSpace(text, Side::kLeft);
  while (!text.empty()) {
    if (splits_max >= 0 && static_cast<int64_t>(words.size()) == splits_max) {
      words.push_back(StripSpace(text, Side::kRight));
      break;
    }
    size_t at = 0;
    while (at < text.size()) {
      const CodePoint point = Decode(text.substr(at));
      if (IsSpace(point.value)) break;
      at += point.size;
    }
    words.push_back(text.substr(0, at));
    text = StripSpace(text.substr(at), Side::kLeft);
  }
  return words;
}

std::vector<absl::string_view> SplitLines(absl::string_view text, bool keep_ends) {
  std::vector<absl::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = Decode(text.substr(at));
    size_t next = at + point.size;
    if (IsLineBreak(point.value)) {
      if (point.value == '\r' && next < text.size() && text[next] == '\n') ++next;
      lines.push_back(text.substr(begin, (keep_ends ? next : at) - begin));
      begin = next;
    }
    at = next;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

void AppendRepr(absl::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != absl::string_view::npos;
  const bool has_double = text.find('"') != absl::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.push_back(quote);
  char buffer[16];
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = Decode(text.substr(at));
    const int32_t code = point.value;
    if (code == quote || code == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(code));
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code >= 0 && !IsPrintable(code)) {
      const char* format = code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
      snprintf(buffer, sizeof(buffer), format, static_cast<unsigned>(code));
      out += buffer;
    } else {
      out.append(text.data() + at, point.size);
    }
    at += point.size;
  }
  out.push_back(quote);
}

}  // namespace ssg::tmpl
