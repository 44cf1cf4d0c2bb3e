#include "marc/codec/scan.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define MARC_HAVE_AVX2_CODE 1
#endif

namespace marc {
namespace internal {

#ifdef MARC_HAVE_AVX2_CODE
bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0;
#else
bool has_avx2 = false;
#endif

TextScan ScanTextPortable(const char* data, size_t size) {
  TextScan scan;
  unsigned char all = 0;
  unsigned char previous = 0;
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(data[i]);
    all |= byte;
    scan.bad_codes |= previous == 0x1F && (byte < 0x21 || byte > 0x7E);
    previous = byte;
    scan.field_terminators += byte == 0x1E;
    scan.other_controls |= byte < 0x1E;
  }
  scan.high = all >= 0x80;
  return scan;
}

bool IsValidUtf8Portable(absl::string_view text) { return FindInvalidUtf8(text) == text.size(); }

}  // namespace internal

namespace {

#ifdef MARC_HAVE_AVX2_CODE

__attribute__((target("avx2"))) inline size_t HorizontalSum(__m256i bytes) {
  const __m256i sums = _mm256_sad_epu8(bytes, _mm256_setzero_si256());
  return static_cast<size_t>(_mm256_extract_epi64(sums, 0) + _mm256_extract_epi64(sums, 1) +
                             _mm256_extract_epi64(sums, 2) + _mm256_extract_epi64(sums, 3));
}

// What ScanTextAvx2() has seen, a byte a lane.
struct ScanLanes {
  __m256i all;
  __m256i terminators;  // overflows after 255 blocks
  __m256i others;
  __m256i bad_codes;
};

// `before`: the bytes one position ahead of those of `block`.
__attribute__((target("avx2"), always_inline)) inline void ScanBlock(__m256i block, __m256i before, ScanLanes* lanes) {
  const __m256i below_terminators = _mm256_set1_epi8(0x1D);
  lanes->all = _mm256_or_si256(lanes->all, block);
  lanes->terminators = _mm256_sub_epi8(lanes->terminators, _mm256_cmpeq_epi8(block, _mm256_set1_epi8(0x1E)));
  lanes->others = _mm256_or_si256(lanes->others, _mm256_cmpeq_epi8(_mm256_min_epu8(block, below_terminators), block));
  // Graphic is 21..7E; one more wraps 7F to the negatives, where high bytes are.
  const __m256i graphic = _mm256_cmpgt_epi8(_mm256_add_epi8(block, _mm256_set1_epi8(1)), _mm256_set1_epi8(0x21));
  const __m256i codes = _mm256_cmpeq_epi8(before, _mm256_set1_epi8(0x1F));
  lanes->bad_codes = _mm256_or_si256(lanes->bad_codes, _mm256_andnot_si256(graphic, codes));
}

// 32 bytes FF, then 32 bytes 00: loaded at 32 - n it keeps n bytes.
struct KeepMasks {
  alignas(32) unsigned char bytes[64];
};
constexpr KeepMasks MakeKeepMasks() {
  KeepMasks masks{};
  for (int i = 0; i < 32; ++i) masks.bytes[i] = 0xFF;
  return masks;
}
constexpr KeepMasks kKeepMasks = MakeKeepMasks();

__attribute__((target("avx2"), always_inline)) inline __m256i LoadBlock(const char* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// The first `count` of 32 bytes; letters stand for the others.
__attribute__((target("avx2"))) inline __m256i LoadFirst(const char* from, size_t count) {
  const __m256i keep =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kKeepMasks.bytes + 32 - std::min<size_t>(count, 32)));
  return _mm256_blendv_epi8(_mm256_set1_epi8('x'), LoadBlock(from), keep);
}

__attribute__((target("avx2"))) TextScan ScanTextAvx2(const char* data, size_t size) {
  TextScan scan;
  if (size == 0) return scan;
  const __m256i zero = _mm256_setzero_si256();
  ScanLanes lanes = {zero, zero, zero, zero};
  // Nothing lies before the first block.
  const __m256i first = LoadFirst(data, size);
  const __m256i low_half_above_zero = _mm256_permute2x128_si256(first, first, 0x08);
  ScanBlock(first, _mm256_alignr_epi8(first, low_half_above_zero, 15), &lanes);
  size_t at = 32;
  while (at < size) {
    const size_t rounds = std::min<size_t>((size - at) / 32, 250);
    for (size_t i = 0; i < rounds; ++i, at += 32) ScanBlock(LoadBlock(data + at), LoadBlock(data + at - 1), &lanes);
    if (size - at < 32) {
      if (at < size) ScanBlock(LoadFirst(data + at, size - at), LoadBlock(data + at - 1), &lanes);
      at = size;
    }
    scan.field_terminators += HorizontalSum(lanes.terminators);
    lanes.terminators = zero;
  }
  scan.field_terminators += HorizontalSum(lanes.terminators);
  scan.other_controls = _mm256_movemask_epi8(lanes.others) != 0;
  scan.high = _mm256_movemask_epi8(lanes.all) != 0;
  scan.bad_codes = _mm256_movemask_epi8(lanes.bad_codes) != 0;
  return scan;
}

// The three nibble tables of the lookup algorithm; a set bit names the error
// that the pair of bytes would be, and an error needs its bit in all three.
constexpr char kTooShort = 1 << 0;
constexpr char kTooLong = 1 << 1;
constexpr char kOverlong3 = 1 << 2;
constexpr char kTooLarge = 1 << 3;
constexpr char kSurrogate = 1 << 4;
constexpr char kOverlong2 = 1 << 5;
constexpr char kTooLarge1000 = 1 << 6;  // also: overlong in four bytes
constexpr char kTwoContinuations = static_cast<char>(1 << 7);
constexpr char kCarry = kTooShort | kTooLong | kTwoContinuations;

struct Utf8Tables {
  alignas(32) char first_high[32];
  alignas(32) char first_low[32];
  alignas(32) char second_high[32];
};

constexpr Utf8Tables MakeUtf8Tables() {
  Utf8Tables tables{};
  for (int i = 0; i < 32; ++i) {
    const int nibble = i % 16;
    tables.first_high[i] = nibble < 8     ? kTooLong
                           : nibble < 12  ? kTwoContinuations
                           : nibble == 12 ? static_cast<char>(kTooShort | kOverlong2)
                           : nibble == 13 ? kTooShort
                           : nibble == 14 ? static_cast<char>(kTooShort | kOverlong3 | kSurrogate)
                                          : static_cast<char>(kTooShort | kTooLarge | kTooLarge1000);
    tables.first_low[i] = nibble == 0    ? static_cast<char>(kCarry | kOverlong3 | kOverlong2 | kTooLarge1000)
                          : nibble == 1  ? static_cast<char>(kCarry | kOverlong2)
                          : nibble < 4   ? kCarry
                          : nibble == 4  ? static_cast<char>(kCarry | kTooLarge)
                          : nibble == 13 ? static_cast<char>(kCarry | kTooLarge | kTooLarge1000 | kSurrogate)
                                         : static_cast<char>(kCarry | kTooLarge | kTooLarge1000);
    const char continuation = kTooLong | kOverlong2 | kTwoContinuations;
    tables.second_high[i] = nibble < 8 || nibble > 11 ? kTooShort
                            : nibble == 8             ? static_cast<char>(continuation | kOverlong3 | kTooLarge1000)
                            : nibble == 9             ? static_cast<char>(continuation | kOverlong3 | kTooLarge)
                                                      : static_cast<char>(continuation | kSurrogate | kTooLarge);
  }
  return tables;
}

constexpr Utf8Tables kUtf8Tables = MakeUtf8Tables();

__attribute__((target("avx2"))) inline __m256i LoadTable(const char* bytes) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
}

// Non-zero bytes where `block`, following `previous`, breaks the encoding.
__attribute__((target("avx2"))) inline __m256i Utf8Errors(__m256i block, __m256i previous) {
  const __m256i low_nibble = _mm256_set1_epi8(0x0F);
  const __m256i shifted = _mm256_permute2x128_si256(previous, block, 0x21);
  const __m256i back1 = _mm256_alignr_epi8(block, shifted, 15);
  const __m256i back2 = _mm256_alignr_epi8(block, shifted, 14);
  const __m256i back3 = _mm256_alignr_epi8(block, shifted, 13);
  const __m256i first_high =
      _mm256_shuffle_epi8(LoadTable(kUtf8Tables.first_high), _mm256_and_si256(_mm256_srli_epi16(back1, 4), low_nibble));
  const __m256i first_low = _mm256_shuffle_epi8(LoadTable(kUtf8Tables.first_low), _mm256_and_si256(back1, low_nibble));
  const __m256i second_high = _mm256_shuffle_epi8(LoadTable(kUtf8Tables.second_high),
                                                  _mm256_and_si256(_mm256_srli_epi16(block, 4), low_nibble));
  const __m256i special = _mm256_and_si256(_mm256_and_si256(first_high, first_low), second_high);
  // A third or fourth byte must be a continuation: there the bit "two
  // continuations" is expected, elsewhere it is an error.
  const __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8(static_cast<char>(0xE0 - 0x80)));
  const __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8(static_cast<char>(0xF0 - 0x80)));
  const __m256i expected = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(static_cast<char>(0x80)));
  return _mm256_xor_si256(expected, special);
}

__attribute__((target("avx2"))) bool IsValidUtf8Avx2(const char* data, size_t size) {
  __m256i errors = _mm256_setzero_si256();
  __m256i previous = _mm256_setzero_si256();
  size_t at = 0;
  bool pending = false;  // the previous block had high bytes
  for (; size - at >= 32; at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + at));
    const bool high = _mm256_movemask_epi8(block) != 0;
    if (high || pending) errors = _mm256_or_si256(errors, Utf8Errors(block, previous));
    pending = high;
    previous = block;
  }
  // The zero padding makes an unfinished last sequence an error.
  alignas(32) char tail[32] = {};
  memcpy(tail, data + at, size - at);
  const __m256i block = _mm256_load_si256(reinterpret_cast<const __m256i*>(tail));
  errors = _mm256_or_si256(errors, Utf8Errors(block, previous));
  return _mm256_testz_si256(errors, errors) != 0;
}

__attribute__((target("avx2"))) bool IsPlainMarc8Avx2(const char* data, size_t size, bool* ampersand) {
  __m256i bad = _mm256_setzero_si256();
  __m256i amp = _mm256_setzero_si256();
  size_t at = 0;
  for (; size - at >= 32; at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + at));
    bad = _mm256_or_si256(bad, _mm256_or_si256(block, _mm256_cmpeq_epi8(block, _mm256_set1_epi8(0x1B))));
    amp = _mm256_or_si256(amp, _mm256_cmpeq_epi8(block, _mm256_set1_epi8('&')));
  }
  bool plain = _mm256_movemask_epi8(bad) == 0;
  *ampersand = _mm256_movemask_epi8(amp) != 0;
  for (; at < size; ++at) {
    const auto byte = static_cast<unsigned char>(data[at]);
    plain &= byte < 0x80 && byte != 0x1B;
    *ampersand |= byte == '&';
  }
  return plain;
}

#endif  // MARC_HAVE_AVX2_CODE

bool IsPlainMarc8Portable(const char* data, size_t size, bool* ampersand) {
  bool plain = true;
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(data[i]);
    plain &= byte < 0x80 && byte != 0x1B;
    *ampersand |= byte == '&';
  }
  return plain;
}

}  // namespace

TextScan ScanText(const char* data, size_t size) {
#ifdef MARC_HAVE_AVX2_CODE
  if (HasAvx2()) return ScanTextAvx2(data, size);
#endif
  return internal::ScanTextPortable(data, size);
}

bool IsValidUtf8(absl::string_view text) {
#ifdef MARC_HAVE_AVX2_CODE
  if (HasAvx2()) return IsValidUtf8Avx2(text.data(), text.size());
#endif
  return internal::IsValidUtf8Portable(text);
}

size_t Utf8SequenceLength(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() - at < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

size_t FindInvalidUtf8(absl::string_view text, size_t from) {
  while (from < text.size()) {
    if (static_cast<unsigned char>(text[from]) < 0x80) {
      ++from;
      continue;
    }
    const size_t length = Utf8SequenceLength(text, from);
    if (length == 0) return from;
    from += length;
  }
  return text.size();
}

bool IsAscii(absl::string_view text) {
  size_t i = 0;
  uint64_t all = 0;
  for (; text.size() - i >= 8; i += 8) {
    uint64_t word;
    memcpy(&word, text.data() + i, 8);
    all |= word;
  }
  for (; i < text.size(); ++i) all |= static_cast<uint64_t>(static_cast<unsigned char>(text[i]));
  return (all & 0x8080808080808080u) == 0;
}

bool IsPlainMarc8(absl::string_view text) {
  bool ampersand = false;
  bool plain;
#ifdef MARC_HAVE_AVX2_CODE
  plain = HasAvx2() ? IsPlainMarc8Avx2(text.data(), text.size(), &ampersand)
                    : IsPlainMarc8Portable(text.data(), text.size(), &ampersand);
#else
  plain = IsPlainMarc8Portable(text.data(), text.size(), &ampersand);
#endif
  return plain && (!ampersand || memmem(text.data(), text.size(), "&#", 2) == nullptr);
}

}  // namespace marc
