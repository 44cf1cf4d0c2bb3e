#include "marc/formats/table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "marc/codec/scan.h"

namespace marc {
namespace {

void AppendTsvCell(absl::string_view text, Buffer* out) {
  while (!text.empty()) {
    const size_t plain = std::min(text.find_first_of("\t\n\r\\"), text.size());
    out->Append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const char c = text[0];
    out->Append('\\');
    out->Append(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
    text.remove_prefix(1);
  }
}

// What CSV must quote (RFC 4180).
bool NeedsQuotes(absl::string_view text) { return text.find_first_of(",\"\r\n") != absl::string_view::npos; }

void AppendQuoted(absl::string_view text, Buffer* out) {
  out->Append('"');
  while (!text.empty()) {
    const size_t quote = text.find('"');
    const size_t count = quote == absl::string_view::npos ? text.size() : quote + 1;
    out->Append(text.substr(0, count));
    if (quote != absl::string_view::npos) out->Append('"');
    text.remove_prefix(count);
  }
  out->Append('"');
}

std::string UnescapeTsv(absl::string_view text) {
  std::string cell;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '\\' || (next != 't' && next != 'n' && next != 'r' && next != '\\')) {
      cell += text[i];
      continue;
    }
    cell += next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
    ++i;
  }
  return cell;
}

}  // namespace

TableSerializer::TableSerializer(TableOptions options) : options_(std::move(options)) {
  if (!options_.with_header) return;
  Buffer row;
  for (size_t i = 0; i < options_.titles.size(); ++i) {
    if (i != 0) row.Append(options_.kind == TableKind::kCsv ? ',' : '\t');
    const std::string& title = options_.titles[i];
    if (options_.kind == TableKind::kTsv) {
      AppendTsvCell(title, &row);
    } else if (NeedsQuotes(title)) {
      AppendQuoted(title, &row);
    } else {
      row.Append(title);
    }
  }
  header_ = std::string(row.view());
  header_ += '\n';
}

bool TableSerializer::Append(const RecordView& record, Buffer* out) {
  for (size_t i = 0; i < options_.columns.size(); ++i) {
    if (i != 0) out->Append(options_.kind == TableKind::kCsv ? ',' : '\t');
    const size_t start = out->size();
    bool any = false;
    options_.columns[i].ForEachValue(record, [&](absl::string_view value) {
      // CSV is quoted as a whole, below.
      const auto append = options_.kind == TableKind::kTsv ? AppendTsvCell : +[](absl::string_view text, Buffer* to) {
        to->Append(text);
      };
      if (any) append(options_.joiner, out);
      any = true;
      append(value, out);
      return true;
    });
    const absl::string_view cell = out->view().substr(start);
    if (options_.kind == TableKind::kTsv || !NeedsQuotes(cell)) continue;
    const std::string raw(cell);
    out->Truncate(start);
    AppendQuoted(raw, out);
  }
  out->Append('\n');
  return true;
}

size_t TableSplitter::Cut(absl::string_view window, bool at_end) {
  if (at_end) return window.size();
  if (kind_ == TableKind::kTsv) {
    const size_t newline = window.rfind('\n');
    return newline == absl::string_view::npos ? 0 : newline + 1;
  }
  size_t cut = 0;
  bool quoted = false;
  for (size_t i = 0; i < window.size(); ++i) {
    if (window[i] == '"') quoted = !quoted;
    if (window[i] == '\n' && !quoted) cut = i + 1;
  }
  return cut;
}

bool ReadRow(TableKind kind, absl::string_view* text, std::vector<std::string>* cells) {
  cells->clear();
  if (kind == TableKind::kTsv) {
    const size_t newline = std::min(text->find('\n'), text->size());
    absl::string_view row = text->substr(0, newline);
    text->remove_prefix(std::min(newline + 1, text->size()));
    absl::ConsumeSuffix(&row, "\r");
    for (const absl::string_view cell : absl::StrSplit(row, '\t')) cells->push_back(UnescapeTsv(cell));
    return true;
  }
  bool ok = true;
  size_t i = 0;
  while (true) {
    std::string cell;
    if (i < text->size() && (*text)[i] == '"') {
      for (++i;; ++i) {
        if (i >= text->size()) {
          ok = false;
          break;
        }
        if ((*text)[i] == '"') {
          if (i + 1 >= text->size() || (*text)[i + 1] != '"') break;
          ++i;
        }
        cell += (*text)[i];
      }
      ++i;
    }
    while (i < text->size() && (*text)[i] != ',' && (*text)[i] != '\n') {
      if ((*text)[i] != '\r') cell += (*text)[i];
      ++i;
    }
    cells->push_back(std::move(cell));
    const bool more = i < text->size() && (*text)[i] == ',';
    ++i;
    if (!more) break;
  }
  text->remove_prefix(std::min(i, text->size()));
  return ok;
}

absl::StatusOr<TableMapping> TableMapping::Parse(absl::string_view text) {
  TableMapping mapping;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const auto wrong = [&](absl::string_view expected) {
      return absl::InvalidArgumentError(
          absl::StrCat("mapping line ", number, ": expected ", expected, " in '", line, "'"));
    };
    Target target;
    const size_t arrow = line.find("->");
    absl::string_view spec_text = line;
    if (arrow != absl::string_view::npos) {
      target.column = std::string(absl::StripAsciiWhitespace(line.substr(0, arrow)));
      if (target.column.empty()) return wrong("a column name");
      spec_text = absl::StripAsciiWhitespace(line.substr(arrow + 2));
      const size_t split = spec_text.find(" split ");
      if (split != absl::string_view::npos) {
        absl::string_view rest = absl::StripLeadingAsciiWhitespace(spec_text.substr(split + 7));
        ASSIGN_OR_RETURN(target.splitter, ParseStringPrefix(&rest));
        spec_text = absl::StripAsciiWhitespace(spec_text.substr(0, split));
      }
    } else {
      const size_t equals = line.rfind(" = ");
      if (equals == absl::string_view::npos) return wrong("COLUMN -> SPEC, or SPEC = TEXT");
      spec_text = absl::StripAsciiWhitespace(line.substr(0, equals));
      absl::string_view rest = absl::StripLeadingAsciiWhitespace(line.substr(equals + 3));
      ASSIGN_OR_RETURN(target.text, ParseStringPrefix(&rest));
      if (spec_text == "leader" || spec_text == "LDR") {
        if (target.text.size() != kLeaderSize) return wrong("a leader of 24 characters");
        mapping.leader_ = target.text;
        continue;
      }
    }
    const absl::StatusOr<Spec> spec = Spec::Parse(spec_text);
    if (!spec.ok()) return base::Annotate(spec.status(), absl::StrCat("mapping line ", number));
    const bool control = IsControlTag(PackTag(spec->tag()));
    if (spec->is_leader() || spec->has_range() || spec->has_regex() ||
        spec->tag().find('X') != absl::string_view::npos || spec->codes().size() != (control ? 0u : 1u)) {
      return wrong("a control field, or a data field with one subfield");
    }
    target.tag = std::string(spec->tag());
    target.indicators = spec->indicators();
    target.code = control ? '\0' : spec->codes()[0];
    mapping.targets_.push_back(std::move(target));
  }
  if (mapping.targets_.empty()) return absl::InvalidArgumentError("the mapping names no column");
  return mapping;
}

absl::StatusOr<std::unique_ptr<TableParser>> TableParser::Create(const TableMapping& mapping, TableKind kind,
                                                                 absl::string_view header, RecordSink* sink) {
  auto parser = std::unique_ptr<TableParser>(new TableParser(mapping, kind, sink));
  absl::ConsumePrefix(&header, "\xEF\xBB\xBF");
  std::vector<std::string> names;
  if (!ReadRow(kind, &header, &names)) return absl::InvalidArgumentError("the table's first row has an open quote");
  parser->columns_count_ = names.size();
  for (const TableMapping::Target& target : mapping.targets()) {
    const auto found = std::find(names.begin(), names.end(), target.column);
    if (!target.column.empty() && found == names.end()) {
      return absl::InvalidArgumentError(absl::StrCat("the table has no column '", target.column, "'"));
    }
    parser->columns_.push_back(target.column.empty() ? -1 : static_cast<int>(found - names.begin()));
  }
  return parser;
}

void TableParser::Start(const Chunk& chunk) {
  begin_ = chunk.bytes.data();
  rest_ = chunk.bytes;
  byte_offset_ = chunk.byte_offset;
  ordinal_ = 0;
  std::vector<std::string> names;
  if (byte_offset_ == 0) ReadRow(kind_, &rest_, &names);
}

void TableParser::Fill(const std::vector<std::string>& cells) {
  record_.Clear();
  record_.SetLeader(mapping_.leader());
  std::vector<bool> done(mapping_.targets().size(), false);
  const auto values = [&](size_t index) {
    const TableMapping::Target& target = mapping_.targets()[index];
    const std::string& cell = columns_[index] < 0 ? target.text : cells[static_cast<size_t>(columns_[index])];
    std::vector<std::string> result;
    if (target.splitter.empty()) {
      if (!cell.empty()) result.push_back(cell);
    } else {
      for (absl::string_view part : absl::StrSplit(cell, target.splitter)) {
        part = absl::StripAsciiWhitespace(part);
        if (!part.empty()) result.emplace_back(part);
      }
    }
    return result;
  };
  for (size_t i = 0; i < mapping_.targets().size(); ++i) {
    const TableMapping::Target& target = mapping_.targets()[i];
    if (done[i]) continue;
    // Columns of one tag make one field, unless a cell has several values.
    std::string content = target.indicators;
    const bool several = !target.splitter.empty();
    for (size_t k = i; k < mapping_.targets().size(); ++k) {
      const TableMapping::Target& other = mapping_.targets()[k];
      if (k != i && (several || !other.splitter.empty() || other.tag != target.tag ||
                     other.indicators != target.indicators || other.code == 0)) {
        continue;
      }
      done[k] = true;
      for (const std::string& value : values(k)) {
        if (other.code == 0) {
          record_.AddField(other.tag, value, Placement::kEnd);
        } else if (several) {
          record_.AddField(other.tag, absl::StrCat(target.indicators, "\x1F", std::string(1, other.code), value),
                           Placement::kEnd);
        } else {
          absl::StrAppend(&content, "\x1F", std::string(1, other.code), value);
        }
      }
      if (several) break;
    }
    if (content.size() > 2) record_.AddField(target.tag, content, Placement::kEnd);
  }
  record_.SortFields();
}

bool TableParser::Next(RecordView* record) {
  std::vector<std::string> cells;
  while (!rest_.empty()) {
    const absl::string_view before = rest_;
    const bool ok = ReadRow(kind_, &rest_, &cells);
    const absl::string_view row = before.substr(0, before.size() - rest_.size());
    if (row.find_first_not_of("\r\n") == absl::string_view::npos) continue;
    ++ordinal_;
    const bool control = row.find_first_of("\x1D\x1E\x1F") != absl::string_view::npos;
    const bool valid = IsValidUtf8(row);
    if (ok && !control && valid && cells.size() == columns_count_) {
      Fill(cells);
      *record = record_.view();
      record->SetPlace(ordinal_, byte_offset_ + static_cast<uint64_t>(before.data() - begin_));
      return true;
    }
    Problem problem = MakeProblem(!valid    ? ProblemCode::kUtf8Invalid
                                  : control ? ProblemCode::kTerminatorInData
                                  : ok      ? ProblemCode::kTableRowInvalid
                                            : ProblemCode::kTableMalformed,
                                  !valid    ? "UTF-8"
                                  : control ? "no terminator or delimiter in data"
                                  : ok      ? absl::StrCat(columns_count_, " cells")
                                            : "a closing quote",
                                  "rejected");
    problem.record = ordinal_;
    problem.byte_offset = byte_offset_ + static_cast<uint64_t>(before.data() - begin_);
    problem.found = std::string(row.substr(0, 64));
    sink_.Report(std::move(problem));
    sink_.Reject(row);
  }
  return false;
}

}  // namespace marc
