// Reads MARC-in-JSON: an array, lines (NDJSON), or objects one behind another.
//
// Members of a record, field or subfield may come in any order, objects may
// hold several members, unknown members are skipped.
// Repairs: an escaped delimiter or terminator, half a surrogate pair, or a byte
//          that is no UTF-8 becomes U+FFFD; all reported. A record that is not
//          JSON, or not of this shape, is rejected; reading goes on behind it.
// Bounds:  nesting up to kDepthMax; a record up to kRecordSizeMax bytes of JSON.
// Threads: thread-compatible.
// Source:  RFC 8259; MARC-in-JSON (Ross Singer, 2010); SPEC.md J1..J6.
#ifndef MARC_FORMATS_MARCJSON_PARSER_H_
#define MARC_FORMATS_MARCJSON_PARSER_H_

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"

namespace marc {

namespace internal {
// Where a scan of JSON text stands.
struct JsonWalk {
  uint32_t depth = 0;  // of objects
  bool in_string = false;
  bool escaped = false;
};
}  // namespace internal

class MarcJsonSplitter : public Splitter {
 public:
  size_t Cut(absl::string_view window, bool at_end) override;

 private:
  // How far the scan of the current window has come, so that a window that
  // grows is not scanned again.
  size_t scanned_ = 0;
  internal::JsonWalk walk_;
};

class MarcJsonParser : public RecordParser {
 public:
  static constexpr int kDepthMax = 64;

  // `sink` must outlive the parser.
  MarcJsonParser(Strictness strictness, RecordSink* sink) : strictness_(strictness), sink_(*sink) {}

  void Start(const Chunk& chunk) override;
  bool Next(RecordView* record) override;
  uint64_t records_seen() const override { return ordinal_; }

 private:
  bool ReadRecord();
  bool ReadLeader();
  bool ReadFields();
  bool ReadFieldObject();
  bool ReadDataField(size_t before);
  bool ReadSubfields();
  bool ReadSubfieldObject();
  bool FastSubfield();
  bool FastField();
  void AddField(size_t before, uint32_t packed_tag);
  bool ReadIndicator(size_t at);
  bool ReadTag(char tag[3]);
  bool ReadString(Buffer* out);
  bool ReadEscape(Buffer* out);
  bool SkipValue();
  // Next byte that is no white space; 0 at the end.
  char Peek();
  bool Expect(char c);
  // Behind a member or element: true at ',', false at `close`, which is consumed.
  bool More(char close, bool* more);
  bool Fail(ProblemCode code, absl::string_view expected);
  Problem& Note(ProblemCode code, const char* at, size_t count, absl::string_view expected, absl::string_view action);
  bool FinishRecord(const char* begin, RecordView* record);
  void RejectRecord(const char* begin);
  void SkipBetween();

  const Strictness strictness_;
  RecordSink& sink_;
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t byte_offset_ = 0;
  uint64_t ordinal_ = 0;
  Buffer storage_;  // content of the fields; never grows while a record is read
  Buffer key_;
  std::string leader_;
  bool has_leader_ = false;
  std::vector<FieldView> fields_;
  PendingProblems problems_;
};

// The first byte in [p, end) that is no white space of JSON. Reads up to 16
// bytes past the end.
inline const char* SkipJsonSpace(const char* p, const char* end) {
  if (p >= end || *p > ' ') return p;
#ifdef __SSE2__
  while (p < end) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i space = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\n'))),
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\t')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\r'))));
    const unsigned mask = ~static_cast<unsigned>(_mm_movemask_epi8(space)) & 0xFFFF;
    if (mask != 0) {
      p += __builtin_ctz(mask);
      break;
    }
    p += 16;
  }
  return p < end ? p : end;
#else
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) ++p;
  return p;
#endif
}

// Behind the end of the JSON object that begins at text[0], or npos.
size_t FindObjectEnd(absl::string_view text);

}  // namespace marc

#endif  // MARC_FORMATS_MARCJSON_PARSER_H_
