// MARC-8 to UTF-8 and back.
//
// Decoding: escape sequences designate sets to G0 and G1; combining marks come
//   before their letter in MARC-8 and behind it in Unicode; the halves of
//   double-width marks become U+0361 and U+0360; "&#xHHHH;" is one character.
//   Undefined codes become U+FFFD.
// Encoding: the first set of MARC-8 that has the character, in G0 (ANSEL in
//   G1); characters that only exist decomposed are; the rest become
//   "&#xHHHH;". The text ends in the default sets.
// Bounds:  output at most 4 bytes (decoding) or 12 bytes (encoding) a byte.
// Threads: thread-safe.
// Source:  MARC 21 Specifications, Character Sets: MARC-8; SPEC.md C1..C9.
#ifndef MARC_CHARSET_MARC8_H_
#define MARC_CHARSET_MARC8_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/buffer.h"
#include "marc/codec/problem.h"

namespace marc {

// Something odd in a text, at a byte of it.
struct TextIssue {
  ProblemCode code;
  size_t offset;
  size_t count;  // bytes concerned
};

// Appends `text` as UTF-8. `issues` may be null.
void Marc8ToUtf8(absl::string_view text, Buffer* out,
                 std::vector<TextIssue>* issues);

// Appends `text` as MARC-8. Bytes that are not UTF-8 are reported and become
// "&#xFFFD;".
void Utf8ToMarc8(absl::string_view text, Buffer* out,
                 std::vector<TextIssue>* issues);

// Appends `code_point` as UTF-8. REQUIRES: a Unicode scalar value.
void AppendUtf8(uint32_t code_point, Buffer* out);
// The code point of the valid sequence of `length` bytes at `p`.
uint32_t DecodeUtf8(const char* p, size_t length);

}  // namespace marc

#endif  // MARC_CHARSET_MARC8_H_
