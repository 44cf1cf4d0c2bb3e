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

#include "absl/strings/string_view.h"

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

// `at_end`: no input follows `text`.
Frame FrameRecord(absl::string_view text, bool at_end);

// The five digits at `p`, or -1.
int DecodeFiveDigits(const char* p);

}  // namespace marc

#endif  // MARC_CODEC_ISO2709_FRAME_H_
