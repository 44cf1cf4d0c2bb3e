#include "marc/formats/presenter.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"

namespace marc {
namespace {

constexpr absl::string_view kReplacementText = "\xEF\xBF\xBD";

// U+FFFE and U+FFFF, which XML refuses, at text[at].
bool IsNonCharacter(absl::string_view text, size_t at) {
  return text.size() - at >= 3 && text[at] == '\xEF' && text[at + 1] == '\xBF' &&
         (text[at + 2] == '\xBE' || text[at + 2] == '\xBF');
}

bool HasNonCharacter(const RecordView& record) {
  if (!record.has_high_bytes()) return false;
  for (const FieldView& field : record.fields()) {
    const char* at = field.data;
    const char* end = field.data + field.size;
    while (at < end && (at = static_cast<const char*>(memchr(at, 0xEF, static_cast<size_t>(end - at)))) != nullptr) {
      if (IsNonCharacter(field.content(), static_cast<size_t>(at - field.data))) return true;
      ++at;
    }
  }
  return false;
}

}  // namespace

bool Presenter::Allowed(unsigned char c) const {
  if (c >= 0x20) return true;
  if (controls_ == Controls::kXml) return c == '\t' || c == '\n' || c == '\r';
  return c != kRecordTerminator && c != kFieldTerminator && c != kSubfieldDelimiter;
}

void Presenter::Note(ProblemCode code, absl::string_view position, absl::string_view found, absl::string_view expected,
                     absl::string_view action) {
  Problem problem = ProblemAt(code, *record_, expected, action);
  problem.position = std::string(position);
  problem.found = std::string(found.substr(0, 32));
  if (field_ != nullptr) {
    problem.tag = std::string(field_->tag());
    problem.occurrence = 1;
    for (const FieldView& other : record_->fields()) {
      if (&other == field_) break;
      problem.occurrence += other.packed_tag == field_->packed_tag;
    }
    problem.near = std::string(field_->content().substr(0, 32));
    if (!record_->bytes().empty()) {
      problem.record_offset = static_cast<uint64_t>(field_->data - record_->bytes().data());
      problem.byte_offset += problem.record_offset;
    }
  }
  sink_.Report(std::move(problem));
}

const RecordView& Presenter::Present(const RecordView& record) {
  const bool non_characters = controls_ == Controls::kXml && HasNonCharacter(record);
  if (record.is_regular() && !record.has_controls() && !non_characters) return record;
  record_ = &record;
  field_ = nullptr;
  result_.Assign(record);
  PresentLeader(record);
  for (size_t i = 0; i < record.fields().size(); ++i) PresentField(record, i);
  view_ = result_.view();
  view_.SetText(record.has_high_bytes(), true, false);
  return view_;
}

void Presenter::PresentLeader(const RecordView& record) {
  const absl::string_view leader = record.leader().bytes();
  for (size_t i = 0; i < leader.size(); ++i) {
    if (leader[i] >= 0x20 && leader[i] <= 0x7E) continue;
    Note(ProblemCode::kLeaderByteInvalid, absl::StrCat("leader/", i), leader.substr(i, 1), "graphic ASCII or blank",
         "written as blank");
    result_.SetLeader(i, ' ');
  }
}

std::string Presenter::PresentText(absl::string_view text, bool is_data) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const bool non_character = controls_ == Controls::kXml && IsNonCharacter(text, i);
    // A character that lay across the indicators or a code leaves its rest behind.
    if (c >= 0x80 && !non_character) {
      const size_t length = Utf8SequenceLength(text, i);
      if (length == 0) {
        Note(ProblemCode::kUtf8Invalid, "", text.substr(i, 1), "UTF-8", "replaced by U+FFFD");
        out.append(kReplacementText.data(), kReplacementText.size());
      } else {
        out.append(text.data() + i, length);
        i += length - 1;
      }
      continue;
    }
    if ((c == kSubfieldDelimiter && is_data) || (Allowed(c) && !non_character)) {
      out += text[i];
      continue;
    }
    Note(c == kSubfieldDelimiter                           ? ProblemCode::kDelimiterInControlField
         : c == kFieldTerminator || c == kRecordTerminator ? ProblemCode::kTerminatorInData
                                                           : ProblemCode::kControlCharacter,
         "", text.substr(i, non_character ? 3 : 1), "a character of the format", "replaced by U+FFFD");
    out.append(kReplacementText.data(), kReplacementText.size());
    if (non_character) i += 2;
  }
  return out;
}

// The content with two indicators, and a code behind each delimiter.
std::string Presenter::PresentData(const FieldView& field) {
  const absl::string_view content = field.content();
  const size_t first = std::min(content.find(kSubfieldDelimiter), content.size());
  std::string out = "  ";
  if (first < 2) {
    Note(ProblemCode::kIndicatorMissing, "", content.substr(0, 2), "two indicators", "written with blanks");
    if (first == 1) out[0] = content[0];
  } else {
    out.assign(content.data(), 2);
  }
  for (size_t i = 0; i < 2; ++i) {
    if (out[i] >= 0x20 && out[i] <= 0x7E) continue;
    Note(ProblemCode::kIndicatorInvalid, absl::StrCat("ind", i + 1), out.substr(i, 1), "an ASCII character",
         "written as blank");
    out[i] = ' ';
  }
  if (first > 2) {
    Note(ProblemCode::kTextBeforeSubfield, "", content.substr(2, first - 2), "a delimiter behind the indicators",
         "written as $a");
    absl::StrAppend(&out, "\x1F", "a", content.substr(2, first - 2));
  }
  for (size_t at = first; at < content.size();) {
    const size_t end = std::min(content.find(kSubfieldDelimiter, at + 1), content.size());
    const absl::string_view subfield = content.substr(at + 1, end - at - 1);
    at = end;
    if (subfield.empty()) {
      Note(ProblemCode::kSubfieldCodeMissing, "", "\x1F", "a code behind the delimiter", "delimiter dropped");
      continue;
    }
    const size_t length = Utf8SequenceLength(subfield, 0);
    out += kSubfieldDelimiter;
    if (length == 0 || static_cast<unsigned char>(subfield[0]) < 0x20 || subfield[0] == 0x7F) {
      Note(ProblemCode::kSubfieldCodeInvalid, "", subfield.substr(0, 1), "a graphic character", "written as ?");
      out += '?';
      out.append(subfield.data() + 1, subfield.size() - 1);
    } else {
      out.append(subfield.data(), subfield.size());
    }
  }
  return out;
}

// Without copying. False means "not known".
bool Presenter::FitsAsItIs(const FieldView& field) const {
  const absl::string_view content = field.content();
  const TextScan scan = ScanText(content.data(), content.size());
  if (scan.other_controls || scan.field_terminators != 0 || scan.bad_codes || scan.high) return false;
  if (!IsPresentedAsData(field)) return content.find(kSubfieldDelimiter) == absl::string_view::npos;
  const auto graphic = [](char c) { return c >= 0x20 && c <= 0x7E; };
  return graphic(content[0]) && graphic(content[1]) && content.back() != kSubfieldDelimiter;
}

void Presenter::PresentField(const RecordView& record, size_t index) {
  const FieldView& field = record.fields()[index];
  if (FitsAsItIs(field)) return;
  field_ = &field;
  const absl::string_view content = field.content();
  const bool has_delimiter = content.find(kSubfieldDelimiter) != absl::string_view::npos;
  const bool as_data = IsPresentedAsData(field) || (!field.is_control() && has_delimiter);
  std::string text(content);
  if (as_data) text = PresentData(field);
  text = PresentText(text, as_data);
  // A control field must not look like a data field by accident, nor the
  // other way round: both follow from the content alone.
  if (text != content) result_.ReplaceField(index, text);
}

}  // namespace marc
