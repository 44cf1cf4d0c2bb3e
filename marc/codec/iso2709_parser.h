// Reads ISO 2709 records in place.
//
// Well-formed records take a fast way (vector directory decoding, one scan of
// the data); anything else goes to RepairIso2709(), which reports what it
// finds. Bounds:  records up to kRecordSizeMax; memory is 16 bytes a field.
// Threads: thread-compatible.
// Source:  ISO 2709:2008; MARC 21 Record Structure; SPEC.md R1..R12.
#ifndef MARC_CODEC_ISO2709_PARSER_H_
#define MARC_CODEC_ISO2709_PARSER_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"

namespace marc {

class Iso2709Splitter : public Splitter {
 public:
  size_t Cut(absl::string_view window, bool at_end) override;
};

class Iso2709Parser : public RecordParser {
 public:
  // `sink` must outlive the parser.
  Iso2709Parser(Strictness strictness, RecordSink* sink);

  void Start(const Chunk& chunk) override;
  bool Next(RecordView* record) override;
  uint64_t records_seen() const override { return ordinal_; }

 private:
  void ReportSkipped(absl::string_view skipped, size_t offset);

  const Strictness strictness_;
  RecordSink& sink_;
  absl::string_view text_;  // chunk and what is behind it
  size_t chunk_size_ = 0;
  bool at_end_ = false;
  uint64_t byte_offset_ = 0;
  size_t at_ = 0;
  uint64_t ordinal_ = 0;
  std::vector<FieldView> fields_;
};

// As many entries as a base address of five digits leaves room for.
constexpr size_t kEntriesMax = (99999 - kLeaderSize) / kDirectoryEntrySize + 1;

// What the fast way finds in one well-formed record.
struct FastRecord {
  size_t fields_count = 0;
  bool high = false;
  bool controls = false;
  bool regular = false;
};

// Decodes the record if it is well-formed (SPEC R5..R8: digits everywhere,
// fields one after another in directory order, each ended by its terminator,
// no terminator inside), else returns false. `fields` has room for kEntriesMax.
bool ParseWellFormed(absl::string_view bytes, FieldView* fields, FastRecord* result);

namespace internal {
bool ParseWellFormedPortable(absl::string_view bytes, FieldView* fields, FastRecord* result);
}  // namespace internal

}  // namespace marc

#endif  // MARC_CODEC_ISO2709_PARSER_H_
