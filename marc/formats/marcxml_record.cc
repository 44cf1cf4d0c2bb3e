// The records of MarcXmlParser: leader, fields, subfields and their text.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"
#include "marc/formats/marcxml_parser.h"

namespace marc {
namespace {

bool StartsWith(const char* at, const char* end, absl::string_view text) {
  return static_cast<size_t>(end - at) >= text.size() && memcmp(at, text.data(), text.size()) == 0;
}

}  // namespace

bool MarcXmlParser::ReadText(absl::string_view name) {
  while (true) {
    const size_t left = static_cast<size_t>(end_ - at_);
    char* to = storage_.data() + storage_.size();
    const size_t plain = CopyPlain<TextKind::kXmlIn>(at_, left, to);
    storage_.Advance(plain);
    at_ += plain;
    if (at_ == end_) return Fail(ProblemCode::kXmlMalformed, at_, absl::StrCat("</", name, ">"));
    const char c = *at_;
    if (c == '&') {
      ReadReference();
    } else if (c == '\n' || c == '\t') {
      storage_.Append(c);
      ++at_;
    } else if (c == '\r') {
      storage_.Append('\n');  // line ends are one LF (XML 2.11)
      at_ += StartsWith(at_, end_, "\r\n") ? 2 : 1;
    } else if (c != '<') {
      Note(ProblemCode::kControlCharacter, at_, 1, "a character of XML", "replaced by U+FFFD");
      storage_.Append("\xEF\xBF\xBD");
      ++at_;
    } else if (StartsWith(at_, end_, "<![CDATA[")) {
      const char* close = static_cast<const char*>(memmem(at_, left - plain, "]]>", 3));
      if (close == nullptr) return Fail(ProblemCode::kXmlMalformed, at_, "]]>");
      for (const char* p = at_ + 9; p < close; ++p) {
        const bool illegal = static_cast<unsigned char>(*p) < 0x20 && *p != '\t' && *p != '\n' && *p != '\r';
        if (illegal) Note(ProblemCode::kControlCharacter, p, 1, "a character of XML", "replaced by U+FFFD");
        storage_.Append(illegal ? absl::string_view("\xEF\xBF\xBD") : absl::string_view(p, 1));
      }
      at_ = close + 3;
    } else if (at_ + 1 < end_ && (at_[1] == '!' || at_[1] == '?')) {
      if (!SkipMarkup()) return false;
    } else {
      Tag tag;
      const char* start = at_;
      if (!ReadTag(&tag)) return false;
      if (tag.is_end && tag.name == name) return true;
      return Fail(ProblemCode::kXmlElementUnexpected, start, absl::StrCat("</", name, ">"));
    }
  }
}

// The common shape, <subfield code="x">text</subfield>, without the general
// machinery. False: nothing was consumed.
bool MarcXmlParser::FastSubfield() {
  constexpr absl::string_view kStart = "<subfield code=\"";
  constexpr absl::string_view kEnd = "</subfield>";
  if (end_ - at_ < 64 || memcmp(at_, kStart.data(), kStart.size()) != 0) return false;
  const char* code = at_ + kStart.size();
  if (!IsSubfieldCode(*code) || *code == '&' || *code == '<' || *code == '"' || code[1] != '"' || code[2] != '>') {
    return false;
  }
  const char* text = code + 3;
  char* to = storage_.data() + storage_.size();
  const size_t plain = CopyPlain<TextKind::kXmlIn>(text, static_cast<size_t>(end_ - text), to + 2);
  const char* close = text + plain;
  if (static_cast<size_t>(end_ - close) < kEnd.size() || memcmp(close, kEnd.data(), kEnd.size()) != 0) return false;
  to[0] = kSubfieldDelimiter;
  to[1] = *code;
  storage_.Advance(plain + 2);
  at_ = close + kEnd.size();
  return true;
}

void MarcXmlParser::SkipSpace() {
  // Indentation as most writers make it, in one step.
  if (end_ - at_ >= 8 && memcmp(at_, "\n    ", 5) == 0) at_ += 5;
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

void MarcXmlParser::AddField(size_t before, uint32_t packed_tag) {
  FieldView field;
  field.data = storage_.data() + before;
  field.size = static_cast<uint32_t>(storage_.size() - before);
  field.packed_tag = packed_tag;
  fields_.push_back(field);
  storage_.Append(kFieldTerminator);
}

namespace {

// A graphic character that means nothing to XML.
inline bool IsPlain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '<' && c != '&' && c != '>'; }
inline bool IsPlainTag(const char* tag) {
  return IsPlain(tag[0]) && IsPlain(tag[1]) && IsPlain(tag[2]) && tag[0] != ' ' && tag[1] != ' ' && tag[2] != ' ';
}

}  // namespace

// The common shape of a field as a whole. False: nothing was consumed.
bool MarcXmlParser::FastField() {
  constexpr absl::string_view kControl = "<controlfield tag=\"";
  constexpr absl::string_view kControlEnd = "</controlfield>";
  constexpr absl::string_view kData = "<datafield tag=\"";
  constexpr absl::string_view kDataEnd = "</datafield>";
  if (end_ - at_ < 64) return false;
  const size_t before = storage_.size();
  const char* const begin = at_;
  char* to = storage_.data() + before;
  if (memcmp(at_, kData.data(), kData.size()) == 0) {
    // <datafield tag="245" ind1="1" ind2="0">
    const char* tag = at_ + kData.size();
    if (memcmp(tag + 3, "\" ind1=\"", 8) != 0 || memcmp(tag + 12, "\" ind2=\"", 8) != 0) return false;
    if (tag[21] != '"' || tag[22] != '>') return false;
    if (!IsPlainTag(tag) || !IsPlain(tag[11]) || !IsPlain(tag[20])) return false;
    to[0] = tag[11];
    to[1] = tag[20];
    storage_.Advance(2);
    at_ = tag + 23;
    SkipSpace();
    while (FastSubfield()) SkipSpace();
    if (end_ - at_ >= 32 && memcmp(at_, kDataEnd.data(), kDataEnd.size()) == 0) {
      at_ += kDataEnd.size();
      AddField(before, PackTag(absl::string_view(tag, 3)));
      return true;
    }
  } else if (memcmp(at_, kControl.data(), kControl.size()) == 0) {
    const char* tag = at_ + kControl.size();
    if (tag[3] != '"' || tag[4] != '>' || !IsPlainTag(tag)) return false;
    const char* text = tag + 5;
    const size_t plain = CopyPlain<TextKind::kXmlIn>(text, static_cast<size_t>(end_ - text), to);
    const char* close = text + plain;
    if (static_cast<size_t>(end_ - close) >= kControlEnd.size() &&
        memcmp(close, kControlEnd.data(), kControlEnd.size()) == 0) {
      storage_.Advance(plain);
      at_ = close + kControlEnd.size();
      AddField(before, PackTag(absl::string_view(tag, 3)));
      return true;
    }
  }
  storage_.Truncate(before);
  at_ = begin;
  return false;
}

bool MarcXmlParser::ReadSubfield(const Tag& start) {
  std::string code;
  if (!Attribute(start, "code", &code)) {
    Note(ProblemCode::kSubfieldCodeMissing, start.attributes.data(), 16, "code=\"x\"", "read as ?");
    code = "?";
  }
  const size_t length = code.empty() ? 0 : Utf8SequenceLength(code, 0);
  if (code.empty() || length != code.size() || static_cast<unsigned char>(code[0]) < 0x20) {
    Note(ProblemCode::kSubfieldCodeInvalid, start.attributes.data(), start.attributes.size(), "one character",
         code.empty() ? "read as ?" : "read by its first character");
    code = code.empty() || length == 0 || static_cast<unsigned char>(code[0]) < 0x20 ? "?" : code.substr(0, length);
  }
  storage_.Append(kSubfieldDelimiter);
  storage_.Append(code);
  return start.is_empty || ReadText("subfield");
}

bool MarcXmlParser::ReadLeader() {
  const size_t before = storage_.size();
  if (!ReadText("leader")) return false;
  leader_.assign(storage_.data() + before, storage_.size() - before);
  storage_.Truncate(before);
  has_leader_ = true;
  if (leader_.size() == kLeaderSize) return true;
  Note(ProblemCode::kLeaderLengthWrong, at_, 0, "24 characters",
       leader_.size() < kLeaderSize ? "padded with blanks" : "cut")
      .found = leader_;
  leader_.resize(kLeaderSize, ' ');
  return true;
}

bool MarcXmlParser::ReadField(const Tag& start, bool is_control) {
  std::string tag;
  if (!Attribute(start, "tag", &tag) || tag.size() != 3) {
    Note(ProblemCode::kTagInvalid, start.attributes.data(), start.attributes.size(), "a tag of three characters",
         tag.size() > 3 ? "cut" : "padded with ?");
    tag.resize(3, '?');
  }
  for (char& c : tag) {
    if (IsSubfieldCode(c)) continue;
    Note(ProblemCode::kTagInvalid, start.attributes.data(), start.attributes.size(), "graphic ASCII", "read as ?");
    c = '?';
  }
  const size_t before = storage_.size();
  bool ok = true;
  if (is_control) {
    ok = start.is_empty || ReadText("controlfield");
  } else {
    std::string value;
    for (const char* name : {"ind1", "ind2"}) {
      const bool found = Attribute(start, name, &value);
      if (!found || value.size() != 1) {
        Note(found ? ProblemCode::kIndicatorInvalid : ProblemCode::kIndicatorMissing, start.attributes.data(),
             start.attributes.size(), absl::StrCat(name, " of one character"), "read as blank")
            .tag = tag;
      }
      storage_.Append(value.size() == 1 ? value[0] : ' ');
    }
    Tag child;
    while (ok && !start.is_empty) {
      SkipSpace();
      if (FastSubfield()) continue;
      const char* child_start = at_;
      if (NextToken(&child) != Token::kTag) {
        return problems_.empty() ? Fail(ProblemCode::kXmlMalformed, child_start, "<subfield>") : false;
      }
      if (child.is_end && child.name == "datafield") break;
      if (child.is_end || child.name != "subfield") {
        return Fail(ProblemCode::kXmlElementUnexpected, child_start, "<subfield> or </datafield>");
      }
      ok = ReadSubfield(child);
    }
  }
  if (!ok) return false;
  AddField(before, PackTag(tag));
  return true;
}

bool MarcXmlParser::ReadRecord(const Tag& start) {
  Tag tag;
  while (!start.is_empty) {
    SkipSpace();
    if (fields_.size() == kFieldsMax) {
      return Fail(ProblemCode::kRecordTooLong, at_, absl::StrCat("at most ", kFieldsMax, " fields"));
    }
    if (FastField()) continue;
    const char* at = at_;
    const Token token = NextToken(&tag);
    if (token == Token::kError) return false;
    if (token != Token::kTag) return Fail(ProblemCode::kXmlMalformed, at_, "an element of the record");
    if (tag.is_end) {
      if (tag.name == "record") break;
      return Fail(ProblemCode::kXmlElementUnexpected, at, "</record>");
    }
    bool ok = false;
    if (tag.name == "datafield") {
      ok = ReadField(tag, false);
    } else if (tag.name == "controlfield") {
      ok = ReadField(tag, true);
    } else if (tag.name == "leader") {
      ok = tag.is_empty ? (leader_.clear(), true) : ReadLeader();
    } else {
      return Fail(ProblemCode::kXmlElementUnexpected, at, "<leader>, <controlfield> or <datafield>");
    }
    if (!ok) return false;
  }
  if (has_leader_) return true;
  Note(ProblemCode::kLeaderMissing, at_, 0, "<leader>", "read with a leader of blanks");
  leader_.assign(kLeaderSize, ' ');
  return true;
}

bool MarcXmlParser::RejectRecord(const char* begin) {
  // On to the next record: behind the end tag of this one, or at the next start,
  // whichever comes first behind its own start tag.
  const void* own = memchr(begin, '>', static_cast<size_t>(end_ - begin));
  const char* next = own == nullptr ? end_ : static_cast<const char*>(own) + 1;
  while (next < end_) {
    const char* found = static_cast<const char*>(memmem(next, static_cast<size_t>(end_ - next), "record", 6));
    if (found == nullptr) {
      next = end_;
      break;
    }
    const char* tag = found;
    while (tag > begin && tag[-1] != '<' && tag[-1] != '>' && found - tag < 64) --tag;
    next = found + 6;
    if (tag[-1] != '<') continue;
    if (*tag == '/') {
      const void* close = memchr(next, '>', static_cast<size_t>(end_ - next));
      next = close == nullptr ? end_ : static_cast<const char*>(close) + 1;
    } else {
      next = tag - 1;
    }
    break;
  }
  at_ = std::max(next, begin + 1);
  problems_.ReportTo("", /*rejected=*/true, &sink_);
  sink_.Reject(absl::string_view(begin, static_cast<size_t>(at_ - begin)));
  return false;
}

bool MarcXmlParser::FinishRecord(const char* begin, RecordView* record) {
  const absl::string_view raw(begin, static_cast<size_t>(at_ - begin));
  const TextScan scan = ScanText(storage_.data(), storage_.size());
  if (scan.high && !IsValidUtf8(storage_.view())) {
    Note(ProblemCode::kUtf8Invalid, begin + FindInvalidUtf8(raw), 4, "UTF-8", "kept");
  }
  if (problems_.has_error() && strictness_ == Strictness::kStrict) return RejectRecord(begin);
  record->Set(leader_.data(), fields_, absl::string_view());
  record->SetText(scan.high, true, false);
  // All controls are delimiters and terminators, and every data field begins
  // as it should: the shape the scanner built, unless it had to repair.
  bool regular = problems_.empty() && !scan.bad_codes && !scan.other_controls;
  for (const FieldView& field : fields_) {
    if (field.is_control()) {
      regular = regular && memchr(field.data, kSubfieldDelimiter, field.size) == nullptr;
    } else {
      regular = regular && field.size > 2 && field.data[2] == kSubfieldDelimiter && IsIndicator(field.data[0]) &&
                IsIndicator(field.data[1]);
    }
  }
  record->SetText(scan.high, !regular, regular);
  record->SetPlace(ordinal_, byte_offset_ + static_cast<uint64_t>(begin - begin_));
  problems_.ReportTo(record->control_number(), /*rejected=*/false, &sink_);
  return true;
}

bool MarcXmlParser::Next(RecordView* record) {
  Tag tag;
  while (!stopped_) {
    problems_.Clear();
    if (!FindRecordStart(&tag)) break;
    const char* begin = tag.start;
    ++ordinal_;
    storage_.Clear();
    fields_.clear();
    has_leader_ = false;
    if (ReadRecord(tag)) {
      if (FinishRecord(begin, record)) return true;
    } else {
      RejectRecord(begin);
    }
  }
  if (!stopped_ && at_end_ && byte_offset_ == 0 && ordinal_ == 0 && end_ != begin_) {
    sink_.Report(Note(ProblemCode::kXmlNoRecord, begin_, 16, "a <record> element", "nothing read"));
    problems_.Clear();
  }
  stopped_ = true;
  return false;
}

}  // namespace marc
