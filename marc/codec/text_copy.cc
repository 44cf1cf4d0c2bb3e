#include "marc/codec/text_copy.h"

#include <array>
#include <cstdint>

#include "marc/codec/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define MARC_HAVE_AVX2_CODE 1
#endif

namespace marc {
namespace {

// Four bytes that end a copy; fewer are repeated.
template <TextKind kind>
constexpr std::array<char, 4> Specials() {
  switch (kind) {
    case TextKind::kXmlOut:
      return {'<', '>', '&', '&'};
    case TextKind::kXmlIn:
      return {'<', '&', '&', '&'};
    case TextKind::kJson:
      return {'"', '\\', '\\', '\\'};
    case TextKind::kMrkOut:
      return {'$', '{', '}', '\\'};
    case TextKind::kMrkIn:
      return {'$', '{', '\\', '\\'};
  }
}

template <TextKind kind>
constexpr std::array<bool, 256> MakeTable() {
  std::array<bool, 256> table{};
  for (int i = 0; i < 0x20; ++i) table[i] = true;
  for (const char c : Specials<kind>()) table[static_cast<unsigned char>(c)] = true;
  return table;
}

#ifdef MARC_HAVE_AVX2_CODE

template <TextKind kind>
__attribute__((target("avx2,bmi"))) size_t CopyPlainAvx2(const char* from, size_t size, char* to) {
  constexpr std::array<char, 4> kSpecials = Specials<kind>();
  const __m256i control_max = _mm256_set1_epi8(0x1F);
  const __m256i a = _mm256_set1_epi8(kSpecials[0]);
  const __m256i b = _mm256_set1_epi8(kSpecials[1]);
  const __m256i c = _mm256_set1_epi8(kSpecials[2]);
  const __m256i d = _mm256_set1_epi8(kSpecials[3]);
  for (size_t i = 0; i < size; i += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), block);
    __m256i special = _mm256_cmpeq_epi8(_mm256_min_epu8(block, control_max), block);
    special = _mm256_or_si256(special, _mm256_cmpeq_epi8(block, a));
    special = _mm256_or_si256(special, _mm256_cmpeq_epi8(block, b));
    if (kSpecials[2] != kSpecials[1]) special = _mm256_or_si256(special, _mm256_cmpeq_epi8(block, c));
    if (kSpecials[3] != kSpecials[2]) special = _mm256_or_si256(special, _mm256_cmpeq_epi8(block, d));
    const uint32_t mask = static_cast<uint32_t>(_mm256_movemask_epi8(special));
    if (mask != 0) {
      const size_t at = i + static_cast<size_t>(__builtin_ctz(mask));
      return at < size ? at : size;
    }
  }
  return size;
}

#endif  // MARC_HAVE_AVX2_CODE

}  // namespace

namespace internal {

template <TextKind kind>
size_t CopyPlainPortable(const char* from, size_t size, char* to) {
  static constexpr std::array<bool, 256> kTable = MakeTable<kind>();
  size_t i = 0;
  for (; i < size && !kTable[static_cast<unsigned char>(from[i])]; ++i) to[i] = from[i];
  return i;
}

}  // namespace internal

template <TextKind kind>
size_t CopyPlain(const char* from, size_t size, char* to) {
#ifdef MARC_HAVE_AVX2_CODE
  if (HasAvx2()) return CopyPlainAvx2<kind>(from, size, to);
#endif
  return internal::CopyPlainPortable<kind>(from, size, to);
}

template size_t CopyPlain<TextKind::kXmlOut>(const char*, size_t, char*);
template size_t CopyPlain<TextKind::kXmlIn>(const char*, size_t, char*);
template size_t CopyPlain<TextKind::kJson>(const char*, size_t, char*);
template size_t CopyPlain<TextKind::kMrkOut>(const char*, size_t, char*);
template size_t CopyPlain<TextKind::kMrkIn>(const char*, size_t, char*);
template size_t internal::CopyPlainPortable<TextKind::kXmlOut>(const char*, size_t, char*);
template size_t internal::CopyPlainPortable<TextKind::kXmlIn>(const char*, size_t, char*);
template size_t internal::CopyPlainPortable<TextKind::kJson>(const char*, size_t, char*);
template size_t internal::CopyPlainPortable<TextKind::kMrkOut>(const char*, size_t, char*);
template size_t internal::CopyPlainPortable<TextKind::kMrkIn>(const char*, size_t, char*);

}  // namespace marc
