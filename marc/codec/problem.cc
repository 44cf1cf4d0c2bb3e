#include "marc/codec/problem.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "marc/codec/json_text.h"

namespace marc {
namespace {

struct CodeRow {
  ProblemCode code;
  Severity severity;
  absl::string_view name;
};

using Code = ProblemCode;
constexpr CodeRow kCodes[] = {
    {Code::kRecordLengthInvalid, Severity::kError, "record_length_invalid"},
    {Code::kRecordLengthWrong, Severity::kError, "record_length_wrong"},
    {Code::kBaseAddressInvalid, Severity::kError, "base_address_invalid"},
    {Code::kBaseAddressOutside, Severity::kError, "base_address_outside"},
    {Code::kRecordTruncated, Severity::kError, "record_truncated"},
    {Code::kRecordTerminatorMissing, Severity::kError, "record_terminator_missing"},
    {Code::kLeaderConstantWrong, Severity::kWarning, "leader_constant_wrong"},
    {Code::kLeaderValueUndefined, Severity::kWarning, "leader_value_undefined"},
    {Code::kBytesBetweenRecords, Severity::kWarning, "bytes_between_records"},
    {Code::kRecordTooLong, Severity::kError, "record_too_long"},
    {Code::kLeaderByteInvalid, Severity::kWarning, "leader_byte_invalid"},
    {Code::kLeaderLengthWrong, Severity::kError, "leader_length_wrong"},
    {Code::kLeaderMissing, Severity::kError, "leader_missing"},
    {Code::kDirectoryUnterminated, Severity::kError, "directory_unterminated"},
    {Code::kDirectoryLengthOdd, Severity::kError, "directory_length_odd"},
    {Code::kDirectoryEntryInvalid, Severity::kError, "directory_entry_invalid"},
    {Code::kFieldOutsideRecord, Severity::kError, "field_outside_record"},
    {Code::kFieldsOverlap, Severity::kError, "fields_overlap"},
    {Code::kFieldTerminatorMisplaced, Severity::kError, "field_terminator_misplaced"},
    {Code::kTagInvalid, Severity::kError, "tag_invalid"},
    {Code::kBytesOutsideFields, Severity::kWarning, "bytes_outside_fields"},
    {Code::kFieldCountMismatch, Severity::kError, "field_count_mismatch"},
    {Code::kIndicatorMissing, Severity::kError, "indicator_missing"},
    {Code::kIndicatorInvalid, Severity::kWarning, "indicator_invalid"},
    {Code::kTextBeforeSubfield, Severity::kError, "text_before_subfield"},
    {Code::kSubfieldCodeMissing, Severity::kWarning, "subfield_code_missing"},
    {Code::kSubfieldCodeInvalid, Severity::kWarning, "subfield_code_invalid"},
    {Code::kTerminatorInData, Severity::kError, "terminator_in_data"},
    {Code::kDelimiterInControlField, Severity::kWarning, "delimiter_in_control_field"},
    {Code::kFieldWithoutSubfields, Severity::kWarning, "field_without_subfields"},
    {Code::kUtf8Invalid, Severity::kError, "utf8_invalid"},
    {Code::kMarc8Undecodable, Severity::kError, "marc8_undecodable"},
    {Code::kMarc8EscapeInvalid, Severity::kError, "marc8_escape_invalid"},
    {Code::kNotInMarc8, Severity::kWarning, "not_in_marc8"},
    {Code::kMarc8Irreversible, Severity::kInfo, "marc8_irreversible"},
    {Code::kCodingMismatch, Severity::kWarning, "coding_mismatch"},
    {Code::kCombiningMarkAlone, Severity::kWarning, "combining_mark_alone"},
    {Code::kControlCharacter, Severity::kWarning, "control_character"},
    {Code::kCodingUndefined, Severity::kWarning, "coding_undefined"},
    {Code::kXmlMalformed, Severity::kError, "xml_malformed"},
    {Code::kXmlDoctypeRefused, Severity::kError, "xml_doctype_refused"},
    {Code::kXmlEntityUnknown, Severity::kError, "xml_entity_unknown"},
    {Code::kXmlElementUnexpected, Severity::kError, "xml_element_unexpected"},
    {Code::kXmlNoRecord, Severity::kError, "xml_no_record"},
    {Code::kJsonMalformed, Severity::kError, "json_malformed"},
    {Code::kJsonNotMarc, Severity::kError, "json_not_marc"},
    {Code::kJsonTooDeep, Severity::kError, "json_too_deep"},
    {Code::kMrkLineInvalid, Severity::kError, "mrk_line_invalid"},
    {Code::kMrkMnemonicUnknown, Severity::kWarning, "mrk_mnemonic_unknown"},
    {Code::kTableMalformed, Severity::kError, "table_malformed"},
    {Code::kTableRowInvalid, Severity::kError, "table_row_invalid"},
    {Code::kRecordTooLongToWrite, Severity::kError, "record_too_long_to_write"},
    {Code::kFieldTooLongToWrite, Severity::kError, "field_too_long_to_write"},
    {Code::kNotRepresentable, Severity::kError, "not_representable"},
    {Code::kFieldSplit, Severity::kWarning, "field_split"},
    {Code::kRecordSplit, Severity::kWarning, "record_split"},
    {Code::kTagUndefined, Severity::kWarning, "tag_undefined"},
    {Code::kFieldNotRepeatable, Severity::kError, "field_not_repeatable"},
    {Code::kIndicatorUndefined, Severity::kWarning, "indicator_undefined"},
    {Code::kSubfieldUndefined, Severity::kWarning, "subfield_undefined"},
    {Code::kSubfieldNotRepeatable, Severity::kWarning, "subfield_not_repeatable"},
    {Code::kFixedFieldLength, Severity::kWarning, "fixed_field_length"},
    {Code::kFixedFieldValue, Severity::kWarning, "fixed_field_value"},
    {Code::kFieldRequired, Severity::kError, "field_required"},
    {Code::kLinkageBroken, Severity::kWarning, "linkage_broken"},
};

const CodeRow& RowOf(ProblemCode code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return kCodes[0];  // unreachable: problem_test.cc walks every code
}

// Bytes as people can read them: quoted, controls and high bytes escaped.
std::string Quoted(absl::string_view bytes) {
  constexpr size_t kShownMax = 40;
  const bool cut = bytes.size() > kShownMax;
  return absl::StrCat("'", absl::CHexEscape(bytes.substr(0, kShownMax)), cut ? "...'" : "'");
}

}  // namespace

std::string CodeText(ProblemCode code) {
  constexpr absl::string_view kLetters = "LDFEXJMTWS";
  const int number = static_cast<int>(code);
  return absl::StrFormat("MARC-%c%03d", kLetters[number / 100], number);
}

absl::string_view CodeName(ProblemCode code) { return RowOf(code).name; }

Severity DefaultSeverity(ProblemCode code) { return RowOf(code).severity; }

absl::string_view SeverityName(Severity severity) {
  return severity == Severity::kInfo ? "info" : severity == Severity::kWarning ? "warning" : "error";
}

std::vector<ProblemCode> AllProblemCodes() {
  std::vector<ProblemCode> codes;
  for (const CodeRow& row : kCodes) codes.push_back(row.code);
  return codes;
}

std::string DebugString(const Problem& problem) {
  std::string line = problem.input;
  if (problem.record != 0) absl::StrAppend(&line, ":", problem.record);
  if (!problem.control_number.empty()) {
    absl::StrAppend(&line, " (001 ", absl::CHexEscape(problem.control_number), ")");
  }
  if (!problem.tag.empty()) absl::StrAppend(&line, " ", absl::CHexEscape(problem.tag));
  if (problem.occurrence > 1) absl::StrAppend(&line, "[", problem.occurrence, "]");
  if (!problem.position.empty()) absl::StrAppend(&line, " ", problem.position);
  absl::StrAppend(&line, " @", problem.byte_offset, ": ", CodeText(problem.code), " ", CodeName(problem.code));
  if (!problem.found.empty()) absl::StrAppend(&line, ", found ", Quoted(problem.found));
  if (!problem.expected.empty()) absl::StrAppend(&line, ", expected ", problem.expected);
  if (!problem.action.empty()) absl::StrAppend(&line, " [", problem.action, "]");
  return line;
}

std::string ToJson(const Problem& problem) {
  std::string json = absl::StrCat("{\"v\":1,\"severity\":\"", SeverityName(problem.severity), "\",\"code\":\"",
                                  CodeText(problem.code), "\",\"name\":\"", CodeName(problem.code), "\"");
  const auto text = [&](absl::string_view key, absl::string_view value) {
    if (value.empty()) return;
    absl::StrAppend(&json, ",\"", key, "\":");
    AppendJsonString(value, &json);
  };
  text("input", problem.input);
  if (problem.record != 0) absl::StrAppend(&json, ",\"record\":", problem.record);
  absl::StrAppend(&json, ",\"byte_offset\":", problem.byte_offset, ",\"record_offset\":", problem.record_offset);
  text("control_number", problem.control_number);
  text("tag", problem.tag);
  if (problem.occurrence != 0) absl::StrAppend(&json, ",\"occurrence\":", problem.occurrence);
  text("position", problem.position);
  if (!problem.found.empty()) absl::StrAppend(&json, ",\"found_hex\":\"", absl::BytesToHexString(problem.found), "\"");
  text("expected", problem.expected);
  text("action", problem.action);
  if (!problem.near.empty()) absl::StrAppend(&json, ",\"near_hex\":\"", absl::BytesToHexString(problem.near), "\"");
  json += '}';
  return json;
}

Problem MakeProblem(ProblemCode code, absl::string_view expected, absl::string_view action) {
  Problem problem;
  problem.code = code;
  problem.severity = DefaultSeverity(code);
  problem.expected = std::string(expected);
  problem.action = std::string(action);
  return problem;
}

bool ProblemList::Has(ProblemCode code) const {
  for (const Problem& problem : problems_) {
    if (problem.code == code) return true;
  }
  return false;
}

bool ProblemList::HasErrors() const {
  for (const Problem& problem : problems_) {
    if (problem.severity == Severity::kError) return true;
  }
  return false;
}

Problem& PendingProblems::Add(Problem problem) {
  ++size_;
  has_error_ = has_error_ || problem.severity == Severity::kError;
  if (kept_.size() < kMax) {
    kept_.push_back(std::move(problem));
    return kept_.back();
  }
  ++more_[problem.code];
  uncounted_ = std::move(problem);
  return uncounted_;
}

void PendingProblems::ReportTo(absl::string_view control_number, bool rejected, ProblemSink* sink) {
  for (Problem& problem : kept_) {
    problem.control_number = std::string(control_number);
    if (rejected && problem.severity == Severity::kError) problem.action = "rejected";
    sink->Report(std::move(problem));
  }
  for (const auto& [code, count] : more_) sink->ReportMore(code, count);
  Clear();
}

void PendingProblems::Clear() {
  kept_.clear();
  more_.clear();
  size_ = 0;
  has_error_ = false;
}

}  // namespace marc
