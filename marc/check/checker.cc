#include "marc/check/checker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"

namespace marc {
namespace {

constexpr char kFill = '|';

std::string Printable(absl::string_view codes) {
  std::string text;
  for (const char c : codes) text += c == ' ' ? '#' : c;
  return text;
}

}  // namespace

absl::StatusOr<CheckLevel> ParseCheckLevel(absl::string_view name) {
  if (name == "none") return CheckLevel::kNone;
  if (name == "structure") return CheckLevel::kStructure;
  if (name == "encoding") return CheckLevel::kEncoding;
  if (name == "marc21") return CheckLevel::kMarc21;
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' is no level: none, structure, encoding, marc21"));
}

Problem& Checker::Note(ProblemCode code, const FieldView* field, absl::string_view position, absl::string_view found,
                       absl::string_view expected) {
  Problem problem = ProblemAt(code, *record_, expected, "kept");
  problem.position = std::string(position);
  problem.found = std::string(found.substr(0, 64));
  if (field != nullptr) {
    problem.tag = std::string(field->tag());
    problem.occurrence = 1;
    for (const FieldView& other : record_->fields()) {
      if (&other == field) break;
      problem.occurrence += other.packed_tag == field->packed_tag;
    }
    const absl::string_view bytes = record_->bytes();
    if (!bytes.empty()) {
      const bool inside = found.data() >= field->data && found.data() <= field->data + field->size;
      problem.record_offset = static_cast<uint64_t>((inside ? found.data() : field->data) - bytes.data());
      problem.byte_offset += problem.record_offset;
    }
  }
  return problems_.Add(std::move(problem));
}

size_t Checker::Check(const RecordView& record) {
  record_ = &record;
  if (level_ >= CheckLevel::kStructure && !record.is_regular()) CheckStructure();
  if (level_ >= CheckLevel::kEncoding) CheckEncoding();
  if (level_ >= CheckLevel::kMarc21) CheckMarc21();
  const size_t count = problems_.size();
  problems_.ReportTo(record.control_number(), /*rejected=*/false, &sink_);
  return count;
}

void Checker::CheckStructure() {
  for (const FieldView& field : record_->fields()) {
    if (!field.is_control()) {
      CheckDataField(field);
      continue;
    }
    const size_t at = field.content().find(kSubfieldDelimiter);
    if (at == absl::string_view::npos) continue;
    Note(ProblemCode::kDelimiterInControlField, &field, "", field.content().substr(at, 1), "no subfields");
  }
}

void Checker::CheckDataField(const FieldView& field) {
  const absl::string_view content = field.content();
  const size_t first = std::min(content.find(kSubfieldDelimiter), content.size());
  if (first < 2) {
    Note(ProblemCode::kIndicatorMissing, &field, "", content.substr(0, first), "two indicators");
  } else {
    for (size_t i = 0; i < 2; ++i) {
      if (IsIndicator(content[i])) continue;
      Note(ProblemCode::kIndicatorInvalid, &field, absl::StrCat("ind", i + 1), content.substr(i, 1),
           "a lower-case letter, a digit or a blank");
    }
  }
  if (first > 2) {
    Note(ProblemCode::kTextBeforeSubfield, &field, "", content.substr(2, first - 2),
         "a delimiter behind the indicators");
  }
  if (first == content.size()) Note(ProblemCode::kFieldWithoutSubfields, &field, "", content, "a subfield");
  for (size_t at = first; at < content.size();) {
    const size_t end = std::min(content.find(kSubfieldDelimiter, at + 1), content.size());
    if (end == at + 1) {
      Note(ProblemCode::kSubfieldCodeMissing, &field, "", content.substr(at, 1), "a code behind the delimiter");
    } else if (!IsSubfieldCode(content[at + 1])) {
      Note(ProblemCode::kSubfieldCodeInvalid, &field, "", content.substr(at + 1, 1), "a graphic ASCII character");
    }
    at = end;
  }
}

void Checker::CheckEncoding() {
  const char scheme = record_->leader().character_coding_scheme();
  if (scheme != ' ' && scheme != 'a') {
    Note(ProblemCode::kCodingUndefined, nullptr, "leader/9", record_->leader().bytes().substr(9, 1), "blank or a");
  }
  if (!record_->has_high_bytes() && !record_->has_controls()) return;
  for (const FieldView& field : record_->fields()) {
    const absl::string_view content = field.content();
    issues_.clear();
    if (scheme == 'a') {
      for (size_t at = FindInvalidUtf8(content); at < content.size(); at = FindInvalidUtf8(content, at + 1)) {
        issues_.push_back(TextIssue{ProblemCode::kUtf8Invalid, at, 1});
        if (issues_.size() == 16) break;
      }
    } else if (!IsPlainMarc8(content)) {
      scratch_.Clear();
      size_t at = 0;
      while (at <= content.size()) {
        const size_t end = std::min(content.find(kSubfieldDelimiter, at), content.size());
        const size_t before = issues_.size();
        Marc8ToUtf8(content.substr(at, end - at), &scratch_, &issues_);
        for (size_t i = before; i < issues_.size(); ++i) issues_[i].offset += at;
        at = end + 1;
      }
      // High bytes that all make UTF-8 are no MARC-8 with many mistakes.
      if (!IsAscii(content) && IsValidUtf8(content)) issues_ = {TextIssue{ProblemCode::kCodingMismatch, 0, 1}};
    }
    for (const TextIssue& issue : issues_) {
      Note(issue.code, &field, "", content.substr(issue.offset, std::max<size_t>(1, issue.count)),
           scheme == 'a' ? "UTF-8, as leader/09 says" : "MARC-8, as leader/09 says");
    }
    for (size_t i = 0; i < content.size(); ++i) {
      const unsigned char c = static_cast<unsigned char>(content[i]);
      if (c >= 0x20 || c == kSubfieldDelimiter || (c == 0x1B && scheme != 'a')) continue;
      Note(c == kFieldTerminator || c == kRecordTerminator ? ProblemCode::kTerminatorInData
                                                           : ProblemCode::kControlCharacter,
           &field, "", content.substr(i, 1), "no control character");
      break;
    }
  }
}

void Checker::CheckMarc21() {
  const RecordKind kind = KindOfRecord(record_->leader());
  const Schema& schema = Schema::Of(kind);
  CheckPositions(schema);
  const absl::Span<const FieldView> fields = record_->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldView& field = fields[i];
    const internal::SchemaField* row = schema.Find(field.packed_tag);
    const absl::string_view tag = field.tag();
    // X9X and 9XX are for local use (SPEC S2).
    if (row == nullptr) {
      if (tag[0] != '9' && tag[1] != '9') {
        Note(ProblemCode::kTagUndefined, &field, "", "",
             absl::StrCat("a tag of the ", RecordKindName(kind), " format"));
      }
      continue;
    }
    if (!row->repeatable) {
      for (size_t k = 0; k < i; ++k) {
        if (fields[k].packed_tag != field.packed_tag) continue;
        Note(ProblemCode::kFieldNotRepeatable, &field, "", "", "one field with this tag");
        break;
      }
    }
    if (!field.is_control()) CheckField(*row, field);
  }
  CheckRequired(kind);
  CheckLinkage();
}

void Checker::CheckField(const internal::SchemaField& row, const FieldView& field) {
  if (field.size < 2) return;
  CheckIndicator(row.indicator1, field, 1);
  CheckIndicator(row.indicator2, field, 2);
  CheckSubfields(row, field);
}

void Checker::CheckIndicator(const char* allowed, const FieldView& field, int number) {
  const char value = field.data[number - 1];
  if (allowed[0] == '*' || strchr(allowed, value) != nullptr) return;
  Note(ProblemCode::kIndicatorUndefined, &field, absl::StrCat("ind", number),
       field.content().substr(static_cast<size_t>(number) - 1, 1), absl::StrCat("one of ", Printable(allowed)));
}

void Checker::CheckSubfields(const internal::SchemaField& row, const FieldView& field) {
  bool seen[128] = {};
  SubfieldIterator it = DataFieldView(field).subfields();
  SubfieldView subfield;
  while (it.Next(&subfield)) {
    const auto code = static_cast<unsigned char>(subfield.code);
    // $9 is for local use.
    if (code == 0 || code >= 128 || code == '9') continue;
    const absl::string_view found(subfield.data.data() - 1, 1);
    if (strchr(row.many, code) != nullptr) continue;
    if (strchr(row.once, code) == nullptr) {
      Note(ProblemCode::kSubfieldUndefined, &field, absl::StrCat("$", found), found,
           absl::StrCat("one of ", row.once, row.many));
    } else if (seen[code]) {
      Note(ProblemCode::kSubfieldNotRepeatable, &field, absl::StrCat("$", found), found, "this subfield once");
    }
    seen[code] = true;
  }
}

void Checker::CheckPositions(const Schema& schema) {
  const FieldView* field008 = record_->First("008");
  const bool holdings = KindOfRecord(record_->leader()) == RecordKind::kHoldings;
  const size_t size008 = holdings ? 32 : 40;
  if (field008 != nullptr && field008->size != size008) {
    Note(ProblemCode::kFixedFieldLength, field008, "", absl::StrCat(field008->size, " bytes"),
         absl::StrCat(size008, " bytes"));
    field008 = nullptr;
  }
  const absl::string_view material = MaterialOf(record_->leader());
  for (const internal::SchemaPosition& row : schema.positions()) {
    const bool leader = row.tag[0] == 'L';
    const absl::string_view kind = row.kind;
    if ((!leader && field008 == nullptr) || (kind != "All Materials" && kind != material)) continue;
    const absl::string_view text = leader ? record_->leader().bytes() : field008->content();
    for (int i = row.start; i <= row.end; ++i) {
      const char c = text[static_cast<size_t>(i)];
      if ((!leader && c == kFill) || strchr(row.codes, c) != nullptr) continue;
      Note(leader ? ProblemCode::kLeaderValueUndefined : ProblemCode::kFixedFieldValue, leader ? nullptr : field008,
           absl::StrCat(leader ? "leader/" : "008/", i), text.substr(static_cast<size_t>(i), 1),
           absl::StrCat("one of ", Printable(row.codes)));
    }
  }
}

void Checker::CheckRequired(RecordKind kind) {
  const auto require = [&](absl::string_view tag) {
    if (record_->First(tag) == nullptr) {
      Note(ProblemCode::kFieldRequired, nullptr, "", "", absl::StrCat("a field ", tag));
    }
  };
  require("001");
  require("008");
  if (kind == RecordKind::kBibliographic) {
    require("245");
  } else if (kind == RecordKind::kHoldings) {
    require("852");
  } else {
    bool heading = false;
    for (const FieldView& field : record_->fields()) heading = heading || field.tag()[0] == '1';
    if (!heading) Note(ProblemCode::kFieldRequired, nullptr, "", "", "a heading, 1XX");
  }
}

void Checker::CheckLinkage() {
  for (const FieldView& field : record_->fields()) {
    if (field.is_control()) continue;
    const absl::string_view linkage = DataFieldView(field).Linkage();
    const bool is_880 = field.packed_tag == PackTag('8', '8', '0');
    if (linkage.data() == nullptr) {
      if (is_880) Note(ProblemCode::kLinkageBroken, &field, "$6", "", "$6 with the tag and number of its field");
      continue;
    }
    absl::string_view tag;
    absl::string_view occurrence;
    if (!ParseLinkage(linkage, &tag, &occurrence)) {
      Note(ProblemCode::kLinkageBroken, &field, "$6", linkage, "TAG-NN, as in 880-01");
    } else if (occurrence != "00" && record_->LinkedField(field) == nullptr) {
      Note(ProblemCode::kLinkageBroken, &field, "$6", linkage, "a field that links back");
    }
  }
}

}  // namespace marc
