// The records of MarcJsonParser, and finding where objects end.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"
#include "marc/formats/marcjson_parser.h"

namespace marc {

bool MarcJsonParser::ReadLeader() {
  key_.Clear();
  if (!ReadString(&key_)) return false;
  leader_ = std::string(key_.view());
  has_leader_ = true;
  if (leader_.size() != kLeaderSize) {
    Note(ProblemCode::kLeaderLengthWrong, at_, 0, "24 characters",
         leader_.size() < kLeaderSize ? "padded with blanks" : "cut")
        .found = leader_;
    leader_.resize(kLeaderSize, ' ');
  }
  return true;
}

bool MarcJsonParser::ReadTag(char tag[3]) {
  key_.Clear();
  const char* start = at_;
  if (!ReadString(&key_)) return false;
  bool valid = key_.size() == 3;
  for (size_t i = 0; i < 3; ++i) {
    tag[i] = i < key_.size() ? key_.data()[i] : '?';
    if (IsSubfieldCode(tag[i])) continue;
    tag[i] = '?';
    valid = false;
  }
  if (!valid) {
    Note(ProblemCode::kTagInvalid, start, key_.size() + 2, "a tag of three graphic ASCII characters",
         absl::StrCat("read as ", absl::string_view(tag, 3)));
  }
  return true;
}

// Two bytes were put down for the indicators; `at` is the one to fill.
bool MarcJsonParser::ReadIndicator(size_t at) {
  // Common: "x"
  const char first = Peek();
  if (first == '"' && end_ - at_ > 3 && at_[2] == '"' && at_[1] != '\\' && at_[1] >= 0x20 && at_[1] != '"') {
    storage_.data()[at] = at_[1];
    at_ += 3;
    return true;
  }
  key_.Clear();
  if (!ReadString(&key_)) return false;
  if (key_.size() == 1) {
    storage_.data()[at] = key_.data()[0];
    return true;
  }
  Note(key_.size() == 0 ? ProblemCode::kIndicatorMissing : ProblemCode::kIndicatorInvalid, at_, 0,
       "an indicator of one character", "read as blank")
      .found = std::string(key_.view());
  return true;
}

// {"x":"text"} without escapes. False: nothing was consumed.
bool MarcJsonParser::FastSubfield() {
  const char* p = at_;
  if (end_ - p < 16 || *p != '{') return false;
  p = SkipJsonSpace(p + 1, end_);
  if (end_ - p < 8 || p[0] != '"' || p[2] != '"' || !IsSubfieldCode(p[1]) || p[1] == '\\') return false;
  const char code = p[1];
  p = SkipJsonSpace(p + 3, end_);
  if (p == end_ || *p != ':') return false;
  p = SkipJsonSpace(p + 1, end_);
  if (p == end_ || *p != '"') return false;
  char* to = storage_.data() + storage_.size();
  const size_t plain = CopyPlain<TextKind::kJson>(p + 1, static_cast<size_t>(end_ - p - 1), to + 2);
  p += 1 + plain;
  if (p == end_ || *p != '"') return false;
  p = SkipJsonSpace(p + 1, end_);
  if (p == end_ || *p != '}') return false;
  to[0] = kSubfieldDelimiter;
  to[1] = code;
  storage_.Advance(plain + 2);
  at_ = p + 1;
  return true;
}

// A field as this project writes it, without white space and escapes. False:
// nothing was consumed.
bool MarcJsonParser::FastField() {
  const char* p = at_;
  if (end_ - p < 64 || memcmp(p, "{\"", 2) != 0) return false;
  const char* tag = p + 2;
  for (int i = 0; i < 3; ++i) {
    if (!IsSubfieldCode(tag[i]) || tag[i] == '"' || tag[i] == '\\') return false;
  }
  const size_t before = storage_.size();
  char* to = storage_.data() + before;
  size_t size = 0;
  if (memcmp(tag + 3, "\":\"", 3) == 0) {
    p = tag + 6;
    size = CopyPlain<TextKind::kJson>(p, static_cast<size_t>(end_ - p), to);
    p += size;
    if (end_ - p < 2 || p[0] != '"' || p[1] != '}') return false;
    p += 2;
  } else if (memcmp(tag + 3, "\":{\"ind1\":\"", 11) == 0 && memcmp(tag + 15, "\",\"ind2\":\"", 10) == 0 &&
             memcmp(tag + 26, "\",\"subfields\":[", 15) == 0) {
    to[0] = tag[14];
    to[1] = tag[25];
    if (!IsIndicator(to[0]) || !IsIndicator(to[1])) return false;
    size = 2;
    p = tag + 41;
    while (end_ - p >= 16 && memcmp(p, "{\"", 2) == 0 && memcmp(p + 3, "\":\"", 3) == 0 && IsSubfieldCode(p[2]) &&
           p[2] != '\\') {
      const size_t plain = CopyPlain<TextKind::kJson>(p + 6, static_cast<size_t>(end_ - p - 6), to + size + 2);
      to[size] = kSubfieldDelimiter;
      to[size + 1] = p[2];
      size += plain + 2;
      p += 6 + plain;
      if (end_ - p < 4 || p[0] != '"' || p[1] != '}') return false;
      p += 2;
      if (*p != ',') break;
      ++p;
    }
    if (end_ - p < 3 || memcmp(p, "]}}", 3) != 0) return false;
    p += 3;
  } else {
    return false;
  }
  storage_.Advance(size);
  AddField(before, PackTag(absl::string_view(tag, 3)));
  at_ = p;
  return true;
}

void MarcJsonParser::AddField(size_t before, uint32_t packed_tag) {
  FieldView field;
  field.data = storage_.data() + before;
  field.size = static_cast<uint32_t>(storage_.size() - before);
  field.packed_tag = packed_tag;
  fields_.push_back(field);
  storage_.Append(kFieldTerminator);
}

bool MarcJsonParser::ReadSubfieldObject() {
  Peek();
  if (FastSubfield()) return true;
  if (!Expect('{')) return false;
  if (Peek() == '}') {
    ++at_;
    return true;
  }
  bool more = true;
  while (more) {
    const char* start = at_;
    key_.Clear();
    if (!ReadString(&key_)) return false;
    std::string code(key_.view());
    const size_t length = code.empty() ? 0 : Utf8SequenceLength(code, 0);
    if (length == 0 || length != code.size() || static_cast<unsigned char>(code[0]) < 0x20) {
      Note(code.empty() ? ProblemCode::kSubfieldCodeMissing : ProblemCode::kSubfieldCodeInvalid, start, code.size() + 2,
           "one character", "read as ? or by its first character");
      code = length == 0 || static_cast<unsigned char>(code[0]) < 0x20 ? "?" : code.substr(0, length);
    }
    if (!Expect(':')) return false;
    storage_.Append(kSubfieldDelimiter);
    storage_.Append(code);
    if (!ReadString(&storage_) || !More('}', &more)) return false;
  }
  return true;
}

bool MarcJsonParser::ReadSubfields() {
  if (!Expect('[')) return false;
  if (Peek() == ']') {
    ++at_;
    return true;
  }
  bool more = true;
  while (more) {
    if (!ReadSubfieldObject() || !More(']', &more)) return false;
  }
  return true;
}

// at_ is at '{' of the value of a data field.
bool MarcJsonParser::ReadDataField(size_t before) {
  ++at_;
  storage_.Append("  ");
  if (Peek() == '}') {
    ++at_;
    return true;
  }
  bool more = true;
  while (more) {
    key_.Clear();
    if (Peek() != '"') return Fail(ProblemCode::kJsonMalformed, "a member name");
    if (!ReadString(&key_) || !Expect(':')) return false;
    const absl::string_view key = key_.view();
    bool ok;
    if (key == "ind1") {
      ok = ReadIndicator(before);
    } else if (key == "ind2") {
      ok = ReadIndicator(before + 1);
    } else if (key == "subfields") {
      ok = ReadSubfields();
    } else {
      ok = SkipValue();
    }
    if (!ok || !More('}', &more)) return false;
  }
  return true;
}

bool MarcJsonParser::ReadFieldObject() {
  Peek();
  if (fields_.size() < kFieldsMax && FastField()) return true;
  if (!Expect('{')) return false;
  if (Peek() == '}') {
    ++at_;
    return true;
  }
  bool more = true;
  while (more) {
    if (fields_.size() == kFieldsMax) {
      return Fail(ProblemCode::kRecordTooLong, absl::StrCat("at most ", kFieldsMax, " fields"));
    }
    char tag[3];
    if (!ReadTag(tag) || !Expect(':')) return false;
    const size_t before = storage_.size();
    const char first = Peek();
    if (first == '{') {
      if (!ReadDataField(before)) return false;
    } else if (!ReadString(&storage_)) {
      return false;
    }
    AddField(before, PackTag(absl::string_view(tag, 3)));
    if (!More('}', &more)) return false;
  }
  return true;
}

bool MarcJsonParser::ReadFields() {
  if (Peek() != '[') return Fail(ProblemCode::kJsonNotMarc, "an array of fields");
  ++at_;
  if (Peek() == ']') {
    ++at_;
    return true;
  }
  bool more = true;
  while (more) {
    if (!ReadFieldObject() || !More(']', &more)) return false;
  }
  return true;
}

bool MarcJsonParser::ReadRecord() {
  ++at_;  // '{'
  bool has_fields = false;
  bool more = Peek() != '}';
  if (!more) ++at_;
  while (more) {
    key_.Clear();
    if (Peek() != '"') return Fail(ProblemCode::kJsonMalformed, "a member name");
    if (!ReadString(&key_) || !Expect(':')) return false;
    const absl::string_view key = key_.view();
    bool ok;
    if (key == "leader") {
      ok = ReadLeader();
    } else if (key == "fields") {
      has_fields = true;
      ok = ReadFields();
    } else {
      ok = SkipValue();
    }
    if (!ok || !More('}', &more)) return false;
  }
  if (!has_fields && !has_leader_) return Fail(ProblemCode::kJsonNotMarc, "a leader and fields");
  if (!has_leader_) {
    Note(ProblemCode::kLeaderMissing, at_, 0, "a leader", "read with a leader of blanks");
    leader_.assign(kLeaderSize, ' ');
  }
  return true;
}

}  // namespace marc
