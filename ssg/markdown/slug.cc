#include "ssg/markdown/slug.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>

namespace ssg {
namespace {

bool IsWordCategory(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

std::string Decompose(absl::string_view text) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &result, static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK));
  std::string decomposed;
  if (size > 0) decomposed.assign(reinterpret_cast<char*>(result), static_cast<size_t>(size));
  std::free(result);
  return decomposed;
}

// Appends the slug's form of the non-ASCII character at `text[at]`; returns its size.
size_t AppendUnicode(absl::string_view text, size_t at, std::string* slug) {
  utf8proc_int32_t code_point;
  const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                                 static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
  if (size <= 0) return 1;
  const utf8proc_category_t category = utf8proc_category(code_point);
  if (IsWordCategory(category)) {
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t lower = utf8proc_encode_char(utf8proc_tolower(code_point), bytes);
    slug->append(reinterpret_cast<char*>(bytes), static_cast<size_t>(lower));
  } else if (category == UTF8PROC_CATEGORY_ZS) {
    slug->push_back('-');
  }
  return static_cast<size_t>(size);
}

}  // namespace

std::string Slugify(absl::string_view text, SlugStyle style) {
  std::string decomposed;
  if (style == SlugStyle::kAscii) {
    decomposed = Decompose(text);
    text = decomposed;
  }
  std::string slug;
  slug.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<uint8_t>(c) >= 0x80) {
      if (style == SlugStyle::kAscii) {
        ++at;
      } else {
        at += AppendUnicode(text, at, &slug);
      }
      continue;
    }
    ++at;
    if (c >= 'A' && c <= 'Z') {
      slug.push_back(static_cast<char>(c | 32));
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
      slug.push_back(c);
    } else if (c == ' ' || c == '\t' || c == '\n') {
      slug.push_back('-');
    }
  }
  return slug;
}

std::string PathSlug(absl::string_view text, SlugStyle style) {
  std::string slug;
  for (const char c : Slugify(text, style)) {
    if (c == '-' && (slug.empty() || slug.back() == '-')) continue;
    slug.push_back(c);
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

}  // namespace ssg
