#include "marc/charset/transcoder.h"

#include <utf8proc.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"

namespace marc {

absl::StatusOr<Coding> ParseCoding(absl::string_view name) {
  if (name == "auto") return Coding::kAuto;
  if (name == "marc8" || name == "marc-8") return Coding::kMarc8;
  if (name == "utf8" || name == "utf-8") return Coding::kUtf8;
  if (name == "latin1" || name == "iso-8859-1") return Coding::kLatin1;
  return absl::InvalidArgumentError(absl::StrCat("'", name, "' is no coding: auto, marc8, utf8, latin1"));
}

bool HasValidUtf8(const RecordView& record) {
  if (!record.has_high_bytes() || record.fields().empty()) return true;
  // A record read from ISO 2709 in one piece is checked in one piece.
  if (!record.bytes().empty()) return IsValidUtf8(record.bytes().substr(kLeaderSize));
  for (const FieldView& field : record.fields()) {
    if (!IsValidUtf8(field.content())) return false;
  }
  return true;
}

namespace {

bool HasControls(const RecordView& record) {
  for (const FieldView& field : record.fields()) {
    const TextScan scan = ScanText(field.data, field.size);
    if (scan.other_controls || scan.field_terminators != 0) return true;
  }
  return false;
}

}  // namespace

Coding Transcoder::SourceCoding(const RecordView& record) {
  if (options_.from != Coding::kAuto) return options_.from;
  if (record.leader().is_utf8()) return Coding::kUtf8;
  if (options_.strictness == Strictness::kStrict || !record.has_high_bytes()) return Coding::kMarc8;
  bool any = false;
  for (const FieldView& field : record.fields()) {
    if (IsAscii(field.content())) continue;
    if (!IsValidUtf8(field.content())) return Coding::kMarc8;
    any = true;
  }
  if (!any) return Coding::kMarc8;
  Problem problem = ProblemAt(ProblemCode::kCodingMismatch, record, "'a', since all text is UTF-8", "read as UTF-8");
  problem.position = "leader/9";
  problem.found = std::string(1, record.leader().character_coding_scheme());
  sink_.Report(std::move(problem));
  return Coding::kUtf8;
}

bool Transcoder::NeedsNothing(const RecordView& record, Coding from) const {
  if (options_.normalization != Normalization::kNone && record.has_high_bytes()) return false;
  if (options_.to == Coding::kAuto) return true;
  if (from == Coding::kUtf8 && options_.to == Coding::kUtf8) return HasValidUtf8(record);
  return from == options_.to;
}

bool Transcoder::Apply(const RecordView& record, RecordView* result) {
  if (options_.from == Coding::kAuto && options_.to == Coding::kAuto &&
      options_.normalization == Normalization::kNone) {
    *result = record;
    return true;
  }
  const Coding from = SourceCoding(record);
  const Coding to = options_.to == Coding::kAuto ? from : options_.to;
  const char scheme = to == Coding::kUtf8 ? 'a' : ' ';
  const char given = record.leader().character_coding_scheme();
  if (given != 'a' && given != ' ') {
    Problem problem = ProblemAt(ProblemCode::kCodingUndefined, record, "blank or a",
                                from == Coding::kUtf8 ? "read as UTF-8" : "read as MARC-8");
    problem.position = "leader/9";
    problem.found = std::string(1, given);
    sink_.Report(std::move(problem));
  }
  const bool nothing = NeedsNothing(record, from);
  if (nothing && (options_.to == Coding::kAuto || record.leader().character_coding_scheme() == scheme)) {
    *result = record;
    return true;
  }
  failed_ = false;
  result_.Assign(record);
  result_.SetLeader(9, scheme);
  for (size_t i = 0; i < record.fields().size() && !nothing; ++i) {
    const FieldView& field = record.fields()[i];
    const absl::string_view content = field.content();
    // Plain text is the same in all codings (NCRs apart).
    if (from == Coding::kMarc8 ? IsPlainMarc8(content) : to != Coding::kMarc8 && IsAscii(content)) continue;
    if (to == Coding::kMarc8 && IsPlainMarc8(content)) continue;
    field_.Clear();
    issues_.clear();
    size_t at = 0;
    while (at <= content.size()) {
      // Character sets begin anew at each delimiter.
      size_t end = content.find(kSubfieldDelimiter, at);
      if (end == absl::string_view::npos) end = content.size();
      ConvertText(content.substr(at, end - at), from, at);
      if (end < content.size()) field_.Append(kSubfieldDelimiter);
      at = end + 1;
    }
    ReportIssues(record, field);
    result_.ReplaceField(i, field_.view());
  }
  *result = result_.view();
  // Indicators, delimiters and codes are as they were. Escapes are gone, so
  // that controls may be, too.
  bool controls = record.has_controls();
  if (controls) controls = HasControls(*result);
  result->SetText(to == Coding::kUtf8 || record.has_high_bytes(), controls, record.is_regular());
  return !(failed_ && options_.strictness == Strictness::kStrict);
}

void Transcoder::ConvertText(absl::string_view text, Coding from, size_t offset) {
  text_issues_.clear();
  const Coding to = options_.to == Coding::kAuto ? from : options_.to;
  if (from == to && options_.normalization == Normalization::kNone && from != Coding::kUtf8) {
    field_.Append(text);
    return;
  }
  utf8_.Clear();
  ToUtf8(text, from, &utf8_);
  absl::string_view unicode = utf8_.view();
  if (from == Coding::kMarc8 && options_.report_irreversible) {
    scratch_.Clear();
    Utf8ToMarc8(unicode, &scratch_, nullptr);
    if (scratch_.view() != text) text_issues_.push_back(TextIssue{ProblemCode::kMarc8Irreversible, 0, text.size()});
  }
  if (options_.normalization != Normalization::kNone && !IsAscii(unicode)) {
    normal_.Clear();
    Normalize(unicode, &normal_);
    unicode = normal_.view();
  }
  if (to == Coding::kMarc8) {
    Utf8ToMarc8(unicode, &field_, &text_issues_);
  } else if (to == Coding::kLatin1) {
    FromUtf8(unicode, &field_);
  } else {
    field_.Append(unicode);
  }
  for (TextIssue issue : text_issues_) {
    issue.offset += offset;
    issues_.push_back(issue);
  }
}

void Transcoder::ToUtf8(absl::string_view text, Coding from, Buffer* out) {
  if (from == Coding::kMarc8) {
    Marc8ToUtf8(text, out, &text_issues_);
  } else if (from == Coding::kLatin1) {
    for (const char c : text) AppendUtf8(static_cast<unsigned char>(c), out);
  } else if (IsValidUtf8(text)) {
    out->Append(text);
  } else {
    ReplaceInvalidUtf8(text, out);
  }
}

void Transcoder::ReplaceInvalidUtf8(absl::string_view text, Buffer* out) {
  if (options_.strictness == Strictness::kSalvage) {
    std::vector<TextIssue> issues;
    const size_t before = out->size();
    Marc8ToUtf8(text, out, &issues);
    if (issues.empty()) {
      text_issues_.push_back(TextIssue{ProblemCode::kCodingMismatch, 0, text.size()});
      return;
    }
    out->Truncate(before);
  }
  for (size_t at = 0; at < text.size();) {
    const size_t bad = FindInvalidUtf8(text, at);
    out->Append(text.substr(at, bad - at));
    if (bad == text.size()) return;
    size_t end = bad + 1;  // one U+FFFD for a run of bad bytes
    while (end < text.size() && Utf8SequenceLength(text, end) == 0) ++end;
    text_issues_.push_back(TextIssue{ProblemCode::kUtf8Invalid, bad, end - bad});
    AppendUtf8(0xFFFD, out);
    at = end;
  }
}

void Transcoder::FromUtf8(absl::string_view text, Buffer* out) {
  scratch_.Clear();
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size >= 0) text = absl::string_view(reinterpret_cast<char*>(composed), static_cast<size_t>(size));
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceLength(text, at);
    const uint32_t c = length == 0 ? 0xFFFD : DecodeUtf8(text.data() + at, length);
    if (c < 0x100) {
      out->Append(static_cast<char>(c));
    } else {
      char reference[16];
      const int count = snprintf(reference, sizeof(reference), "&#x%04X;", c);
      out->Append(absl::string_view(reference, static_cast<size_t>(count)));
      text_issues_.push_back(TextIssue{ProblemCode::kNotRepresentable, at, length == 0 ? 1 : length});
    }
    at += length == 0 ? 1 : length;
  }
  free(composed);
}

void Transcoder::Normalize(absl::string_view text, Buffer* out) const {
  const int form = options_.normalization == Normalization::kNfc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &result, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | form));
  // `text` is valid by now, so that only memory can fail; then it stays as it
  // is.
  out->Append(size < 0 ? text : absl::string_view(reinterpret_cast<char*>(result), static_cast<size_t>(size)));
  free(result);
}

void Transcoder::ReportIssues(const RecordView& record, const FieldView& field) {
  if (issues_.empty()) return;
  uint32_t occurrence = 1;
  for (const FieldView& other : record.fields()) {
    if (&other == &field) break;
    occurrence += other.packed_tag == field.packed_tag;
  }
  for (const TextIssue& issue : issues_) {
    absl::string_view expected = "the coding of the record";
    absl::string_view action = "replaced by U+FFFD";
    switch (issue.code) {
      case ProblemCode::kMarc8Irreversible:
        expected = "MARC-8 as this program writes it";
        action = "converted";
        break;
      case ProblemCode::kMarc8EscapeInvalid:
        action = "kept";
        break;
      case ProblemCode::kCombiningMarkAlone:
        expected = "a letter behind it";
        action = "kept";
        break;
      case ProblemCode::kNotInMarc8:
      case ProblemCode::kNotRepresentable:
        expected = "a character of the target coding";
        action = "written as a numeric reference";
        break;
      case ProblemCode::kCodingMismatch:
        action = "decoded as MARC-8";
        break;
      default:
        break;
    }
    Problem problem = ProblemAt(issue.code, record, expected, action);
    problem.tag = std::string(field.tag());
    problem.occurrence = occurrence;
    const absl::string_view content = field.content();
    problem.found = std::string(content.substr(issue.offset, std::min<size_t>(issue.count, 32)));
    const size_t from = issue.offset < 16 ? 0 : issue.offset - 16;
    problem.near = std::string(content.substr(from, 32));
    const size_t delimiter = content.rfind(kSubfieldDelimiter, issue.offset);
    if (delimiter != absl::string_view::npos && delimiter + 1 < content.size()) {
      problem.position = absl::StrCat("$", content.substr(delimiter + 1, 1));
    }
    if (!record.bytes().empty()) {
      problem.record_offset = static_cast<size_t>(field.data - record.bytes().data()) + issue.offset;
      problem.byte_offset = record.byte_offset() + problem.record_offset;
    }
    failed_ = failed_ || problem.severity == Severity::kError;
    sink_.Report(std::move(problem));
  }
}

}  // namespace marc
