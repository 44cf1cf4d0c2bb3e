#include "marc/codec/iso2709_frame.h"

#include <cstring>

#include "marc/codec/record_view.h"

namespace marc {
namespace {

constexpr size_t kJunkLookaheadMax = 16;

bool IsJunk(char c) { return c == '\r' || c == '\n' || c == '\0' || c == ' ' || c == 0x1A; }

enum class Verdict { kYes, kNo, kNeedMore };

// Whether a record may begin in `text`, after some junk.
Verdict LooksLikeRecordStart(absl::string_view text, bool at_end) {
  size_t at = 0;
  while (at < text.size() && at < kJunkLookaheadMax && IsJunk(text[at])) ++at;
  const absl::string_view rest = text.substr(at);
  if (!at_end && rest.size() < kLeaderSize) return Verdict::kNeedMore;
  if (rest.empty()) return Verdict::kYes;
  if (rest.size() >= 5 && DecodeFiveDigits(rest.data()) >= 0) return Verdict::kYes;
  if (rest.size() < kLeaderSize) return Verdict::kNo;
  const bool plausible = rest.substr(10, 2) == "22" || rest.substr(20, 4) == "4500";
  return plausible ? Verdict::kYes : Verdict::kNo;
}

// Start of a whole record whose last byte is the last of `text`, which begins
// behind the first byte; 0 without one.
size_t FindRecordAtEnd(absl::string_view text) {
  size_t from = kLeaderSize + 20;
  while (from + 4 <= text.size()) {
    const void* found = memmem(text.data() + from, text.size() - from, "4500", 4);
    if (found == nullptr) return 0;
    const size_t at = static_cast<const char*>(found) - text.data();
    const size_t start = at - 20;
    const int length = DecodeFiveDigits(text.data() + start);
    if (length >= 0 && start + length == text.size() && text.size() - start >= kRecordSizeMin) {
      const int base = DecodeFiveDigits(text.data() + start + 12);
      if (base > static_cast<int>(kLeaderSize) && base <= length && text[start + base - 1] == kFieldTerminator) {
        return start;
      }
    }
    from = at + 1;
  }
  return 0;
}

Frame SearchEnd(absl::string_view text, size_t skipped, bool at_end) {
  Frame frame;
  frame.skipped = skipped;
  const absl::string_view rest = text.substr(skipped);
  size_t from = 0;
  while (from < rest.size() && from < kRecordSizeMax) {
    const void* found = memchr(rest.data() + from, kRecordTerminator, rest.size() - from);
    if (found == nullptr) break;
    const size_t end = static_cast<const char*>(found) - rest.data() + 1;
    if (end > kRecordSizeMax) break;
    const Verdict verdict = LooksLikeRecordStart(rest.substr(end), at_end);
    if (verdict == Verdict::kNeedMore) {
      frame.kind = FrameKind::kNeedMore;
      return frame;
    }
    if (verdict == Verdict::kYes) {
      const size_t second = FindRecordAtEnd(rest.substr(0, end));
      frame.kind = FrameKind::kRecord;
      frame.size = second != 0 ? second : end;
      frame.terminated = rest[frame.size - 1] == kRecordTerminator;
      return frame;
    }
    from = end;
  }
  if (!at_end && rest.size() <= kRecordSizeMax) {
    frame.kind = FrameKind::kNeedMore;
    return frame;
  }
  frame.kind = FrameKind::kRecord;
  frame.too_long = rest.size() > kRecordSizeMax;
  frame.size = frame.too_long ? kRecordSizeMax : rest.size();
  frame.terminated = rest[frame.size - 1] == kRecordTerminator;
  return frame;
}

}  // namespace

Frame SearchFrame(absl::string_view text, bool at_end) {
  Frame frame;
  size_t at = 0;
  while (at < text.size() && IsJunk(text[at])) ++at;
  frame.skipped = at;
  const size_t left = text.size() - at;
  if (left == 0) {
    frame.kind = at_end ? FrameKind::kEnd : FrameKind::kNeedMore;
    return frame;
  }
  if (left < 5 && !at_end) {
    frame.kind = FrameKind::kNeedMore;
    return frame;
  }
  const int length = left < 5 ? -1 : DecodeFiveDigits(text.data() + at);
  if (length >= static_cast<int>(kRecordSizeMin) - 1) {
    const size_t size = static_cast<size_t>(length);
    if (size > left && !at_end) {
      frame.kind = FrameKind::kNeedMore;
      return frame;
    }
    if (size <= left && text[at + size - 1] == kRecordTerminator) {
      frame.kind = FrameKind::kRecord;
      frame.size = size;
      frame.length_true = frame.terminated = true;
      return frame;
    }
  }
  return SearchEnd(text, at, at_end);
}

}  // namespace marc
