// The loops that the writers of text formats share: plain bytes are copied in
// vectors, the others go through the format's own escapes.
//
// Bounds:  a piece of kPieceBytes at a time is given the room it could need at
//          worst, so that the loops write unchecked. Writing stops somewhere
//          behind `end_max` of the buffer; EndTextRecord() then takes it back.
// Threads: no state.
#ifndef MARC_FORMATS_TEXT_WRITER_H_
#define MARC_FORMATS_TEXT_WRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "marc/codec/buffer.h"
#include "marc/codec/parser.h"
#include "marc/codec/record_view.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {
namespace internal {

constexpr size_t kPieceBytes = 4096;
// Of one record as text. Markup can make a record many times as long.
constexpr size_t kTextRecordMax = size_t{20} << 20;

// Fixed text; its size is known, so that it goes in one or two moves.
template <size_t N>
inline char* Put(char* to, const char (&text)[N]) {
  memcpy(to, text, N - 1);
  return to + N - 1;
}

// Appends `text`, of which a byte that is not plain for kKind becomes at most
// kExpansionMax bytes through put(to, byte).
template <TextKind kKind, size_t kExpansionMax, typename PutByte>
void AppendText(absl::string_view text, PutByte put, size_t end_max, Buffer* out) {
  while (!text.empty() && out->size() <= end_max) {
    const size_t size = std::min(text.size(), kPieceBytes);
    char* to = out->Reserve(size * kExpansionMax);
    const char* p = text.data();
    const char* end = p + size;
    while (p < end) {
      const size_t plain = CopyPlain<kKind>(p, static_cast<size_t>(end - p), to);
      p += plain;
      to += plain;
      if (p < end) to = put(to, static_cast<unsigned char>(*p++));
    }
    out->AdvanceTo(to);
    text.remove_prefix(size);
  }
}

// A format's way to write subfields. kExpansionMax: of a delimiter and its code.
//
//   static constexpr TextKind kKind;
//   static constexpr size_t kExpansionMax;
//   static char* PutByte(char* to, unsigned char c);      // of the data
//   static char* PutCode(char* to, unsigned char c);      // an ASCII code
//   static char* PutStart(char* to);                      // before the code
//   static char* PutData(char* to);                       // behind the code
//   static char* PutEnd(char* to, bool more);             // behind the data
template <typename Dialect>
inline const char* PutSubfieldStart(const char* p, const char* end, char** to) {
  char* at = Dialect::PutStart(*to);
  if (p < end && static_cast<unsigned char>(*p) < 0x80) {
    at = Dialect::PutCode(at, static_cast<unsigned char>(*p++));
  } else if (p < end) {
    // A code may be one character of several bytes (SPEC T5).
    const size_t length =
        std::max<size_t>(1, Utf8SequenceLength(absl::string_view(p, static_cast<size_t>(end - p)), 0));
    memcpy(at, p, length);
    at += length;
    p += length;
  }
  *to = Dialect::PutData(at);
  return p;
}

// Appends the subfields of [p, end), which is empty or begins with a delimiter.
template <typename Dialect>
void AppendSubfields(const char* p, const char* end, size_t end_max, Buffer* out) {
  bool open = false;
  while (p < end && out->size() <= end_max) {
    const char* piece_end = p + std::min<size_t>(static_cast<size_t>(end - p), kPieceBytes);
    char* to = out->Reserve(kPieceBytes * Dialect::kExpansionMax);
    while (p < piece_end) {
      if (*p == kSubfieldDelimiter) {
        if (open) to = Dialect::PutEnd(to, /*more=*/true);
        open = true;
        p = PutSubfieldStart<Dialect>(p + 1, end, &to);
        continue;
      }
      const size_t plain = CopyPlain<Dialect::kKind>(p, static_cast<size_t>(piece_end - p), to);
      p += plain;
      to += plain;
      if (p < piece_end && *p != kSubfieldDelimiter) to = Dialect::PutByte(to, static_cast<unsigned char>(*p++));
    }
    out->AdvanceTo(to);
  }
  if (open) out->AdvanceTo(Dialect::PutEnd(out->Reserve(Dialect::kExpansionMax), /*more=*/false));
}

// Whether the record that begins at `start` of `out` is not too long. Otherwise
// it is taken back, reported and rejected.
inline bool EndTextRecord(const RecordView& record, size_t start, Buffer* out, RecordSink* sink) {
  if (out->size() - start <= kTextRecordMax) return true;
  out->Truncate(start);
  sink->Report(ProblemAt(ProblemCode::kRecordTooLongToWrite, record,
                         absl::StrCat("at most ", kTextRecordMax, " bytes in this format"), "rejected"));
  sink->Reject(record.bytes());
  return false;
}

}  // namespace internal
}  // namespace marc

#endif  // MARC_FORMATS_TEXT_WRITER_H_
