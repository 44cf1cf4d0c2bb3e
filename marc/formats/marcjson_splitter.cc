// Finds where JSON objects end: braces outside strings, counted. Blocks of 32
// bytes in which the depth cannot reach 0 are counted as a whole.
#include <bit>
#include <cstdint>
#include <cstring>

#include "marc/codec/scan.h"
#include "marc/formats/marcjson_parser.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define MARC_HAVE_AVX2_CODE 1
#endif

namespace marc {
namespace {

using internal::JsonWalk;

// Byte by byte. Returns where it stopped: behind the object that closed at
// depth 0 when `stop`, else `end`; *closed is behind the last such object.
size_t WalkBytes(absl::string_view text, size_t from, size_t end, bool stop, JsonWalk* walk, size_t* closed) {
  for (size_t i = from; i < end; ++i) {
    const char c = text[i];
    if (walk->in_string) {
      if (walk->escaped) {
        walk->escaped = false;
      } else if (c == '\\') {
        walk->escaped = true;
      } else if (c == '"') {
        walk->in_string = false;
      }
    } else if (c == '"') {
      walk->in_string = true;
    } else if (c == '{') {
      ++walk->depth;
    } else if (c == '}' && walk->depth > 0 && --walk->depth == 0) {
      *closed = i + 1;
      if (stop) return i + 1;
    }
  }
  return end;
}

#ifdef MARC_HAVE_AVX2_CODE

__attribute__((target("avx2,bmi,popcnt"))) size_t WalkAvx2(absl::string_view text, size_t from, bool stop,
                                                           JsonWalk* walk, size_t* closed) {
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i open = _mm256_set1_epi8('{');
  const __m256i close = _mm256_set1_epi8('}');
  size_t at = from;
  for (; at + 32 <= text.size(); at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + at));
    const auto escapes = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, backslash)));
    uint32_t inside = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, quote)));
    const bool odd = std::popcount(inside) % 2 != 0;
    // Bit i becomes the parity of quotes up to i: inside a string or not.
    inside ^= inside << 1;
    inside ^= inside << 2;
    inside ^= inside << 4;
    inside ^= inside << 8;
    inside ^= inside << 16;
    if (walk->in_string) inside = ~inside;
    const auto opens = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, open))) & ~inside;
    const auto closes = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, close))) & ~inside;
    const auto closes_count = static_cast<uint32_t>(std::popcount(closes));
    if (escapes != 0 || walk->escaped || closes_count >= walk->depth) {
      if (escapes == 0 && !walk->escaped && (opens | closes) == 0) {
        walk->in_string ^= odd;
        continue;
      }
      const size_t end = WalkBytes(text, at, at + 32, stop, walk, closed);
      if (end != at + 32 || (stop && *closed == end)) return end;
      continue;
    }
    walk->depth += static_cast<uint32_t>(std::popcount(opens)) - closes_count;
    walk->in_string ^= odd;
  }
  return WalkBytes(text, at, text.size(), stop, walk, closed);
}

#endif  // MARC_HAVE_AVX2_CODE

size_t Walk(absl::string_view text, size_t from, bool stop, JsonWalk* walk, size_t* closed) {
#ifdef MARC_HAVE_AVX2_CODE
  if (HasAvx2()) return WalkAvx2(text, from, stop, walk, closed);
#endif
  return WalkBytes(text, from, text.size(), stop, walk, closed);
}

}  // namespace

size_t FindObjectEnd(absl::string_view text) {
  JsonWalk walk;
  size_t closed = 0;
  Walk(text, 0, /*stop=*/true, &walk, &closed);
  return closed == 0 ? absl::string_view::npos : closed;
}

size_t MarcJsonSplitter::Cut(absl::string_view window, bool at_end) {
  if (at_end) return window.size();
  size_t closed = 0;
  scanned_ = Walk(window, scanned_, /*stop=*/false, &walk_, &closed);
  // The next window begins behind the cut.
  scanned_ -= closed;
  return closed;
}

}  // namespace marc
