// The fast way of Iso2709Parser. Invariants that let the loops run unchecked:
//   I1. base >= 25 and base <= size, and (base - 25) % 12 == 0: the directory
//       [24, base - 1) is whole entries, and a 16-byte load at an entry stays
//       within the record and its padding.
//   I2. the running end of the fields never passes the end of the data, so the
//       terminator test at each end reads inside the record.
#include <array>
#include <cstring>

#include "marc/codec/iso2709_frame.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/codec/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define MARC_HAVE_AVX2_CODE 1
#endif

namespace marc {
namespace {

constexpr std::array<bool, 256> MakeIndicatorTable() {
  std::array<bool, 256> table{};
  for (int i = 0; i < 256; ++i) table[i] = i < 128 && IsIndicator(static_cast<char>(i));
  return table;
}
constexpr std::array<bool, 256> kIndicators = MakeIndicatorTable();

// Leader positions 10-11 and 20-23, and the base address (I1). 0: not
// well-formed.
inline size_t CheckedBaseAddress(const char* p, size_t size) {
  if (size < kRecordSizeMin || size > 99999 || p[size - 1] != kRecordTerminator) return 0;
  if (p[10] != '2' || p[11] != '2' || memcmp(p + 20, "4500", 4) != 0) return 0;
  const int base = DecodeFiveDigits(p + 12);
  if (base < static_cast<int>(kLeaderSize) + 1 || static_cast<size_t>(base) > size - 1) return 0;
  if ((base - kLeaderSize - 1) % kDirectoryEntrySize != 0 || p[base - 1] != kFieldTerminator) return 0;
  return base;
}

// Without branches: fields vary too much to be foreseen. Reads 3 bytes, which
// the padding allows.
inline bool IsRegularDataField(const char* data, size_t size) {
  const unsigned delimited = unsigned{size > 2} & unsigned{data[2] == kSubfieldDelimiter};
  const unsigned indicators = unsigned{kIndicators[static_cast<unsigned char>(data[0])]} &
                              unsigned{kIndicators[static_cast<unsigned char>(data[1])]};
  return (delimited & indicators) != 0;
}

// The leader holds no byte outside graphic ASCII and blank.
inline bool HasCleanLeader(const char* p) {
  uint64_t bad = 0;
  for (int i = 0; i < 24; i += 8) {
    uint64_t word;
    memcpy(&word, p + i, 8);
    // High bit set in a byte that is below 20 or at least 80.
    bad |= ((word - 0x2020202020202020u) | word) & 0x8080808080808080u;
  }
  return bad == 0;
}

// Terminators and other controls of the data, which ends with the record's
// terminator.
inline bool ScanData(const char* data, size_t data_size, size_t fields_count, FastRecord* result) {
  const TextScan scan = ScanText(data, data_size - 1);
  if (scan.field_terminators != fields_count) return false;
  if (scan.other_controls && memchr(data, kRecordTerminator, data_size - 1) != nullptr) return false;
  result->fields_count = fields_count;
  result->high = scan.high;
  result->controls = scan.other_controls;
  result->regular = !scan.bad_codes;
  return true;
}

// Which fields are control fields, and whether one holds a delimiter.
class ControlFields {
 public:
  // REQUIRES: called for each field in order.
  void Add(bool is_control, size_t end, size_t length) {
    end_ = is_control ? end : end_;
    bytes_ += is_control ? length : 0;
  }
  // Control fields come first as a rule: then they are one span.
  bool HoldDelimiter(const char* data, const FieldView* fields, size_t fields_count) const {
    if (bytes_ == end_) return end_ != 0 && memchr(data, kSubfieldDelimiter, end_) != nullptr;
    for (size_t i = 0; i < fields_count; ++i) {
      if (fields[i].is_control() && memchr(fields[i].data, kSubfieldDelimiter, fields[i].size) != nullptr) return true;
    }
    return false;
  }

 private:
  size_t end_ = 0;    // of the last one
  size_t bytes_ = 0;  // of all
};

#ifdef MARC_HAVE_AVX2_CODE

__attribute__((target("avx2"))) bool ParseWellFormedAvx2(absl::string_view bytes, FieldView* fields,
                                                         FastRecord* result) {
  const char* p = bytes.data();
  const size_t base = CheckedBaseAddress(p, bytes.size());
  if (base == 0 || !HasCleanLeader(p)) return false;
  const char* data = p + base;
  const size_t data_size = bytes.size() - base;
  const size_t entries = (base - kLeaderSize - 1) / kDirectoryEntrySize;
  const __m128i zero = _mm_set1_epi8('0');
  const __m128i nine = _mm_set1_epi8(9);
  // Length digits to bytes 0-3, offset digits 2-5 to 4-7, offset digit 1 to 11.
  const __m128i order = _mm_setr_epi8(3, 4, 5, 6, 8, 9, 10, 11, -1, -1, -1, 7, -1, -1, -1, -1);
  const __m128i tens = _mm_set1_epi16(1 << 8 | 10);
  const __m128i hundreds = _mm_set1_epi32(1 << 16 | 100);
  __m128i largest = _mm_setzero_si128();
  const __m128i digits_mask = _mm_setr_epi8(0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0);
  if (!ScanData(data, data_size, entries, result)) return false;
  size_t end = 0;
  bool regular = true;
  ControlFields controls;
  const char* entry = p + kLeaderSize;
  for (size_t i = 0; i < entries; ++i, entry += kDirectoryEntrySize) {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(entry));
    const __m128i digits = _mm_and_si128(_mm_sub_epi8(raw, zero), digits_mask);
    largest = _mm_max_epu8(largest, digits);
    const __m128i pairs = _mm_maddubs_epi16(_mm_shuffle_epi8(digits, order), tens);
    const __m128i quads = _mm_madd_epi16(pairs, hundreds);
    const uint64_t both = static_cast<uint64_t>(_mm_cvtsi128_si64(quads));
    const size_t length = both & 0xFFFFFFFF;
    const size_t offset = (both >> 32) + 10000 * static_cast<size_t>(_mm_extract_epi32(quads, 2));
    if (offset != end || length == 0) return false;
    end += length;
    if (end >= data_size || data[end - 1] != kFieldTerminator) return false;  // I2
    const uint32_t tag = static_cast<uint32_t>(_mm_cvtsi128_si32(raw)) & 0xFFFFFF;
    // A tag byte below 21 or above 7E makes the record not well-formed.
    if ((((tag - 0x212121u) | (tag + 0x010101u) | tag) & 0x808080u) != 0) return false;
    fields[i].data = data + offset;
    fields[i].size = static_cast<uint32_t>(length - 1);
    fields[i].packed_tag = tag;
    const bool is_control = IsControlTag(tag);
    controls.Add(is_control, end, length);
    regular &= is_control | IsRegularDataField(data + offset, length - 1);
  }
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(largest, nine), nine)) != 0xFFFF) return false;
  result->regular &= regular && !controls.HoldDelimiter(data, fields, entries);
  return end == data_size - 1;
}

#endif  // MARC_HAVE_AVX2_CODE

// Four or five digits; -1 when one is not.
inline int DecodeDigits(const char* p, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned digit = static_cast<unsigned char>(p[i]) - '0';
    if (digit > 9) return -1;
    value = value * 10 + static_cast<int>(digit);
  }
  return value;
}

}  // namespace

namespace internal {

bool ParseWellFormedPortable(absl::string_view bytes, FieldView* fields, FastRecord* result) {
  const char* p = bytes.data();
  const size_t base = CheckedBaseAddress(p, bytes.size());
  if (base == 0 || !HasCleanLeader(p)) return false;
  const char* data = p + base;
  const size_t data_size = bytes.size() - base;
  const size_t entries = (base - kLeaderSize - 1) / kDirectoryEntrySize;
  if (!ScanData(data, data_size, entries, result)) return false;
  size_t end = 0;
  bool regular = true;
  ControlFields controls;
  for (size_t i = 0; i < entries; ++i) {
    const char* entry = p + kLeaderSize + i * kDirectoryEntrySize;
    const int length = DecodeDigits(entry + 3, 4);
    const int offset = DecodeDigits(entry + 7, 5);
    if (length <= 0 || offset < 0 || static_cast<size_t>(offset) != end) return false;
    end += length;
    if (end >= data_size || data[end - 1] != kFieldTerminator) return false;  // I2
    for (int k = 0; k < 3; ++k) {
      if (!IsSubfieldCode(entry[k])) return false;  // graphic ASCII, as for codes
    }
    fields[i].data = data + offset;
    fields[i].size = static_cast<uint32_t>(length - 1);
    fields[i].packed_tag = PackTag(entry[0], entry[1], entry[2]);
    const bool is_control = fields[i].is_control();
    controls.Add(is_control, end, length);
    regular &= is_control | IsRegularDataField(data + offset, length - 1);
  }
  result->regular &= regular && !controls.HoldDelimiter(data, fields, entries);
  return end == data_size - 1;
}

}  // namespace internal

bool ParseWellFormed(absl::string_view bytes, FieldView* fields, FastRecord* result) {
#ifdef MARC_HAVE_AVX2_CODE
  if (HasAvx2()) return ParseWellFormedAvx2(bytes, fields, result);
#endif
  return internal::ParseWellFormedPortable(bytes, fields, result);
}

}  // namespace marc
