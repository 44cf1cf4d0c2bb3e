// Reads MRK, the text format of MARCMaker and MarcEdit.
//
// A record begins at "=LDR" or behind an empty line. A backslash is a blank in
// the leader, in control fields and in indicators; "$" begins a subfield;
// "{name}" is a mnemonic and "{HH}" a byte.
// Repairs: an unknown mnemonic stays as text, a line without "=" goes on the
//          field before it, a terminator given as {1E} becomes U+FFFD; reported.
// Bounds:  a record up to kRecordSizeMax bytes.
// Threads: thread-compatible.
// Source:  MARCMaker and MARCBreaker User's Manual, Library of Congress;
//          SPEC.md M1..M6.
#ifndef MARC_FORMATS_MRK_PARSER_H_
#define MARC_FORMATS_MRK_PARSER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"

namespace marc {

class MrkSplitter : public Splitter {
 public:
  size_t Cut(absl::string_view window, bool at_end) override;
};

class MrkParser : public RecordParser {
 public:
  // `sink` must outlive the parser.
  MrkParser(Strictness strictness, RecordSink* sink) : strictness_(strictness), sink_(*sink) {}

  void Start(const Chunk& chunk) override;
  bool Next(RecordView* record) override;
  uint64_t records_seen() const override { return ordinal_; }

 private:
  bool ReadLine(absl::string_view* line);
  void ReadField(absl::string_view line);
  // Appends the decoded text; `blanks`: how many first bytes read '\' as blank.
  void Decode(absl::string_view text, size_t blanks);
  size_t DecodeMnemonic(absl::string_view text);
  Problem& Note(ProblemCode code, const char* at, size_t count, absl::string_view expected, absl::string_view action);
  bool FinishRecord(const char* begin, RecordView* record);

  const Strictness strictness_;
  RecordSink& sink_;
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t byte_offset_ = 0;
  uint64_t ordinal_ = 0;
  Buffer storage_;
  std::string leader_;
  bool has_leader_ = false;
  std::vector<FieldView> fields_;
  bool too_many_fields_ = false;
  PendingProblems problems_;
};

// The character that a mnemonic such as "eacute" stands for, "" if unknown.
std::string MnemonicText(absl::string_view name);

}  // namespace marc

#endif  // MARC_FORMATS_MRK_PARSER_H_
