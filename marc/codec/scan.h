// Vector scans over record text: control bytes, high bytes, UTF-8 validity.
//
// Each function picks AVX2 or the portable form once, at the first call; both
// give the same answers (scan_test.cc runs them side by side).
// Bounds:  never reads outside [data, data + size).
// Threads: no state; thread-safe.
// Source:  Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction
//          Per Byte", 2020.
#ifndef MARC_CODEC_SCAN_H_
#define MARC_CODEC_SCAN_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace marc {

struct TextScan {
  size_t field_terminators = 0;  // bytes 1E
  bool other_controls = false;   // a byte below 20 that is neither 1E nor 1F
  bool high = false;             // any byte of 80 or more
  bool bad_codes = false;        // a byte behind 1F that is not graphic ASCII (21..7E)
};

// REQUIRES: 32 readable bytes behind the text, as every field has.
TextScan ScanText(const char* data, size_t size);

// Whether the bytes are UTF-8 (shortest forms, no surrogates, up to U+10FFFF).
bool IsValidUtf8(absl::string_view text);

// Offset of the first byte that is not part of a valid sequence, else size.
size_t FindInvalidUtf8(absl::string_view text, size_t from = 0);

// Length of the valid UTF-8 sequence that starts at text[at], 0 if there is
// none.
size_t Utf8SequenceLength(absl::string_view text, size_t at);

// Whether no byte is 80 or more.
bool IsAscii(absl::string_view text);

// Whether MARC-8 text decodes to itself: no high byte, no escape, and no "&#x".
bool IsPlainMarc8(absl::string_view text);

namespace internal {
// Set before main(); until then the portable forms are taken.
extern bool has_avx2;
TextScan ScanTextPortable(const char* data, size_t size);
bool IsValidUtf8Portable(absl::string_view text);
}  // namespace internal

// Whether the CPU has what the fast forms need.
inline bool HasAvx2() { return internal::has_avx2; }

}  // namespace marc

#endif  // MARC_CODEC_SCAN_H_
