// Tables: CSV and TSV out by Specs, in by a mapping.
//
// Out:     one row a record, a column for each Spec; several values in one cell
//          are joined. CSV quotes as RFC 4180; in TSV, TAB, LF, CR and backslash
//          become \t \n \r \\.
// In:      the first row names the columns; the mapping says where each goes.
//          Mapping, a line each: "COLUMN -> SPEC [split TEXT]", "leader = TEXT",
//          "SPEC = TEXT" for what every record has. A Spec is a control field,
//          or a data field with one subfield; columns of the same tag and
//          filters make one field.
// Errors:  InvalidArgument  the mapping's line and what is wrong in it
// Bounds:  a row up to kRecordSizeMax bytes.
// Threads: thread-compatible; TableMapping immutable.
// Source:  RFC 4180; SPEC.md T7..T9.
#ifndef MARC_FORMATS_TABLE_H_
#define MARC_FORMATS_TABLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"
#include "marc/query/spec.h"

namespace marc {

enum class TableKind { kCsv, kTsv };

struct TableOptions {
  TableKind kind = TableKind::kTsv;
  std::vector<std::string> titles;  // of the columns
  std::vector<Spec> columns;
  std::string joiner = "; ";
  bool with_header = true;
};

class TableSerializer : public Serializer {
 public:
  explicit TableSerializer(TableOptions options);
  absl::string_view header() const override { return header_; }
  bool Append(const RecordView& record, Buffer* out) override;

 private:
  const TableOptions options_;
  std::string header_;
};

// Ends at the last row end that is not quoted.
class TableSplitter : public Splitter {
 public:
  explicit TableSplitter(TableKind kind) : kind_(kind) {}
  size_t Cut(absl::string_view window, bool at_end) override;

 private:
  const TableKind kind_;
};

class TableMapping {
 public:
  static absl::StatusOr<TableMapping> Parse(absl::string_view text);

  struct Target {
    std::string column;  // empty: a constant
    std::string tag;
    std::string indicators;
    char code = 0;         // 0: a control field
    std::string text;      // the constant
    std::string splitter;  // empty: one value a cell
  };
  const std::string& leader() const { return leader_; }
  const std::vector<Target>& targets() const { return targets_; }

 private:
  std::string leader_ = "00000nam a2200000   4500";
  std::vector<Target> targets_;
};

class TableParser : public RecordParser {
 public:
  // `header`: the first row of the input. A column of the mapping that it lacks
  // is an error. `mapping` and `sink` must outlive the parser.
  static absl::StatusOr<std::unique_ptr<TableParser>> Create(const TableMapping& mapping, TableKind kind,
                                                             absl::string_view header, RecordSink* sink);
  void Start(const Chunk& chunk) override;
  bool Next(RecordView* record) override;
  uint64_t records_seen() const override { return ordinal_; }

 private:
  TableParser(const TableMapping& mapping, TableKind kind, RecordSink* sink)
      : mapping_(mapping), kind_(kind), sink_(*sink) {}
  void Fill(const std::vector<std::string>& cells);

  const TableMapping& mapping_;
  const TableKind kind_;
  RecordSink& sink_;
  std::vector<int> columns_;  // of each target, -1 for constants
  size_t columns_count_ = 0;
  const char* begin_ = nullptr;
  absl::string_view rest_;
  uint64_t byte_offset_ = 0;
  uint64_t ordinal_ = 0;
  Record record_;
};

// The cells of the first row, which is taken off *text. False: a quote is not
// closed, or text follows a closing one.
bool ReadRow(TableKind kind, absl::string_view* text, std::vector<std::string>* cells);

}  // namespace marc

#endif  // MARC_FORMATS_TABLE_H_
