// Reads MARCXML.
//
// A pull scanner for what MARC records need of XML: elements with any prefix,
// attributes in any order and quotes, the five entities, character references,
// CDATA, comments, processing instructions. Everything outside <record> is
// skipped, so that records inside OAI or SRU answers are found too.
// Refused: DOCTYPE (so no entity of its own and no external one), codings other
//          than UTF-8.
// Repairs: an unknown entity stays as its text; an illegal reference or byte
//          becomes U+FFFD; a leader of another length is padded or cut. All
//          reported; a record that is not well-formed is rejected and reading
//          goes on at the next <record>.
// Bounds:  a record up to kRecordSizeMax bytes of XML.
// Threads: thread-compatible.
// Source:  XML 1.0 (fifth edition); SPEC.md X1..X8.
#ifndef MARC_FORMATS_MARCXML_PARSER_H_
#define MARC_FORMATS_MARCXML_PARSER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"

namespace marc {

class MarcXmlSplitter : public Splitter {
 public:
  size_t Cut(absl::string_view window, bool at_end) override;
};

class MarcXmlParser : public RecordParser {
 public:
  // `sink` must outlive the parser.
  MarcXmlParser(Strictness strictness, RecordSink* sink) : strictness_(strictness), sink_(*sink) {}

  void Start(const Chunk& chunk) override;
  bool Next(RecordView* record) override;
  uint64_t records_seen() const override { return ordinal_; }

 private:
  // A start or end tag, taken apart.
  struct Tag {
    const char* start = nullptr;   // of the '<'
    absl::string_view name;        // without prefix
    absl::string_view attributes;  // raw
    bool is_end = false;
    bool is_empty = false;
  };
  enum class Token { kTag, kText, kEnd, kError };

  bool FindRecordStart(Tag* tag);
  bool CheckProlog();
  bool ReadRecord(const Tag& start);
  bool ReadField(const Tag& start, bool is_control);
  bool ReadSubfield(const Tag& start);
  bool FastField();
  bool FastSubfield();
  void SkipSpace();
  void AddField(size_t before, uint32_t packed_tag);
  bool ReadLeader();
  // Text up to the end tag `name`, appended to storage_.
  bool ReadText(absl::string_view name);
  bool ReadReference();
  Token NextToken(Tag* tag);
  bool ReadTag(Tag* tag);
  bool SkipMarkup();
  bool Attribute(const Tag& tag, absl::string_view name, std::string* value);
  bool DecodeReference(absl::string_view text, size_t* length, std::string* value);
  bool FinishRecord(const char* begin, RecordView* record);
  bool RejectRecord(const char* begin);
  bool Fail(ProblemCode code, const char* at, absl::string_view expected);
  Problem& Note(ProblemCode code, const char* at, size_t count, absl::string_view expected, absl::string_view action);

  const Strictness strictness_;
  RecordSink& sink_;
  const char* begin_ = nullptr;  // of the chunk
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  uint64_t byte_offset_ = 0;
  bool at_end_ = false;
  bool stopped_ = false;
  uint64_t ordinal_ = 0;
  Buffer storage_;  // content of the fields of the record; never grows while one is read
  std::string leader_;
  bool has_leader_ = false;
  std::vector<FieldView> fields_;
  PendingProblems problems_;  // of the record
};

}  // namespace marc

#endif  // MARC_FORMATS_MARCXML_PARSER_H_
