#include "ssg/template/escape.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ssg::tmpl {
namespace {

bool IsSpecial(char c) { return c == '&' || c == '<' || c == '>' || c == '\'' || c == '"'; }

absl::string_view Entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\'':
      return "&#39;";
    default:
      return "&#34;";
  }
}

template <typename Append>
void Escape(absl::string_view text, Append append) {
  while (true) {
    const size_t plain = FindSpecial(text);
    append(text.substr(0, plain));
    if (plain == text.size()) return;
    append(Entity(text[plain]));
    text.remove_prefix(plain + 1);
  }
}

}  // namespace

size_t FindSpecial(absl::string_view text) {
  size_t at = 0;
#if defined(__SSE2__)
  const __m128i amp = _mm_set1_epi8('&');
  const __m128i apostrophe = _mm_set1_epi8('\'');
  const __m128i less = _mm_set1_epi8('<');
  const __m128i greater = _mm_set1_epi8('>');
  const __m128i quote = _mm_set1_epi8('"');
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, amp), _mm_cmpeq_epi8(bytes, apostrophe)),
                                  _mm_or_si128(_mm_cmpeq_epi8(bytes, less), _mm_cmpeq_epi8(bytes, greater))),
                     _mm_cmpeq_epi8(bytes, quote));
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (at < text.size() && !IsSpecial(text[at])) ++at;
  return at;
}

void AppendEscaped(absl::string_view text, Output& out) {
  Escape(text, [&](absl::string_view piece) { out.Append(piece); });
}

void AppendEscaped(absl::string_view text, std::string& out) {
  Escape(text, [&](absl::string_view piece) { out.append(piece.data(), piece.size()); });
}

}  // namespace ssg::tmpl
