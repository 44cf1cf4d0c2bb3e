// Finds where ISO 2709 records begin and end, whatever their lengths claim.
//
// Rules (SPEC R1..R3), in this order, each local to the bytes it looks at, so
// that the answer never depends on how the input was cut into windows:
//   1. CR, LF, NUL, blank and 1A between records are skipped.
//   2. The first five bytes are a length of 25 or more and the byte there is a
//      record terminator (1D): that is the record.
//   3. Otherwise it ends at the first 1D that is followed by the end of the
//      input or by something that looks like a leader.
//   4. If that stretch ends in a whole, well-formed record, it is two: the
//      first one lost its terminator.
// Threads: no state; thread-safe.
#ifndef MARC_CODEC_ISO2709_FRAME_H_
#define MARC_CODEC_ISO2709_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "marc/codec/record_view.h"

namespace marc {

enum class FrameKind {
  kRecord,    // [skipped, skipped + size) is a record
  kNeedMore,  // undecided without more bytes
  kEnd,       // nothing but skipped bytes
};

struct Frame {
  FrameKind kind = FrameKind::kEnd;
  size_t skipped = 0;
  size_t size = 0;
  bool length_true = false;  // the record's own length led to its terminator
  bool terminated = false;   // the last byte is 1D
  bool too_long = false;     // no end within kRecordSizeMax: cut there
};

// The five digits at `p`, or -1.
inline int DecodeFiveDigits(const char* p) {
  uint32_t four;
  memcpy(&four, p, 4);
  // Eight digits: three zeros and these, the first in the lowest byte.
  const uint64_t text = 0x303030 | uint64_t{four} << 24 | uint64_t{static_cast<unsigned char>(p[4])} << 56;
  constexpr uint64_t kHighNibbles = 0xF0F0F0F0F0F0F0F0;
  constexpr uint64_t kDigits = 0x3030303030303030;
  if ((text & kHighNibbles) != kDigits || ((text + 0x0606060606060606) & kHighNibbles) != kDigits) return -1;
  // Neighbours add up to pairs, pairs to quads, quads to the number.
  const uint64_t pairs = ((text - kDigits) * (1 + (10 << 8)) >> 8) & 0x00FF00FF00FF00FF;
  const uint64_t quads = (pairs * (1 + (100 << 16)) >> 16) & 0x0000FFFF0000FFFF;
  return static_cast<int>(quads * (1 + (uint64_t{10000} << 32)) >> 32);
}

// `at_end`: no input follows `text`.
Frame SearchFrame(absl::string_view text, bool at_end);
inline Frame FrameRecord(absl::string_view text, bool at_end) {
  if (text.size() >= kRecordSizeMin) {
    const int length = DecodeFiveDigits(text.data());
    const size_t size = static_cast<size_t>(length);
    if (length >= static_cast<int>(kRecordSizeMin) - 1 && size <= text.size() && text[size - 1] == kRecordTerminator) {
      return Frame{FrameKind::kRecord, 0, size, true, true, false};
    }
  }
  return SearchFrame(text, at_end);
}

}  // namespace marc

#endif  // MARC_CODEC_ISO2709_FRAME_H_
