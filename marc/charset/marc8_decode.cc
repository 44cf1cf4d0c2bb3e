#include <cstring>

#include "marc/charset/marc8.h"
#include "marc/charset/marc8_tables.h"
#include "marc/codec/scan.h"

namespace marc {

void AppendUtf8(uint32_t c, Buffer* out) {
  char* to = out->Reserve(4);
  if (c < 0x80) {
    to[0] = static_cast<char>(c);
    out->Advance(1);
  } else if (c < 0x800) {
    to[0] = static_cast<char>(0xC0 | c >> 6);
    to[1] = static_cast<char>(0x80 | (c & 0x3F));
    out->Advance(2);
  } else if (c < 0x10000) {
    to[0] = static_cast<char>(0xE0 | c >> 12);
    to[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    to[2] = static_cast<char>(0x80 | (c & 0x3F));
    out->Advance(3);
  } else {
    to[0] = static_cast<char>(0xF0 | c >> 18);
    to[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    to[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    to[3] = static_cast<char>(0x80 | (c & 0x3F));
    out->Advance(4);
  }
}

namespace {

constexpr uint32_t kReplacement = 0xFFFD;
constexpr size_t kMarksMax =
    64;  // before one letter; more are written without it

class Decoder {
 public:
  Decoder(absl::string_view text, Buffer* out, std::vector<TextIssue>* issues)
      : text_(text), out_(*out), issues_(issues), tables_(Marc8Tables::Get()) {}

  void Run();

 private:
  uint8_t At(size_t i) const { return static_cast<uint8_t>(text_[i]); }
  void Issue(ProblemCode code, size_t offset, size_t count) {
    if (issues_ != nullptr) issues_->push_back(TextIssue{code, offset, count});
  }
  void Escape();
  void Designate(bool g1, bool multibyte, size_t final_at);
  bool Reference();
  void Multibyte();
  void Character(const Marc8Character& character, size_t count);
  void Base(uint32_t unicode);
  void FlushMarks();

  const absl::string_view text_;
  Buffer& out_;
  std::vector<TextIssue>* const issues_;
  const Marc8Tables& tables_;
  size_t at_ = 0;
  uint8_t sets_[2] = {kSetAscii, kSetAnsel};
  uint32_t marks_[kMarksMax];
  size_t marks_count_ = 0;
};

void Decoder::FlushMarks() {
  for (size_t i = 0; i < marks_count_; ++i) AppendUtf8(marks_[i], &out_);
  marks_count_ = 0;
}

void Decoder::Base(uint32_t unicode) {
  AppendUtf8(unicode, &out_);
  if (marks_count_ != 0) FlushMarks();
}

void Decoder::Character(const Marc8Character& character, size_t count) {
  if (!character.defined) {
    Issue(ProblemCode::kMarc8Undecodable, at_, count);
    Base(kReplacement);
  } else if (!character.combining) {
    Base(character.unicode);
  } else if (character.unicode != 0) {
    if (marks_count_ == kMarksMax) FlushMarks();
    marks_[marks_count_++] = character.unicode;
  }
  at_ += count;
}

// ESC: two bytes to four. An unknown one is kept as it is.
void Decoder::Escape() {
  const absl::string_view rest = text_.substr(at_ + 1);
  const char first = rest.empty() ? '\0' : rest[0];
  if (first == 's') {
    sets_[0] = kSetAscii;
    at_ += 2;
  } else if (first == 'g' || first == 'b' || first == 'p') {
    sets_[0] = static_cast<uint8_t>(first);
    at_ += 2;
  } else if (first == '(' || first == ',') {
    Designate(false, false, 1);
  } else if (first == ')' || first == '-') {
    Designate(true, false, 1);
  } else if (first == '$') {
    const char second = rest.size() < 2 ? '\0' : rest[1];
    if (second == ',' || second == '(') {
      Designate(false, true, 2);
    } else if (second == ')' || second == '-') {
      Designate(true, true, 2);
    } else {
      Designate(false, true, 1);
    }
  } else {
    Issue(ProblemCode::kMarc8EscapeInvalid, at_, 2);
    out_.Append('\x1B');
    ++at_;
  }
}

// `final_at`: of the final byte, counted from behind ESC.
void Decoder::Designate(bool g1, bool multibyte, size_t final_at) {
  size_t at = at_ + 1 + final_at;
  if (at < text_.size() && text_[at] == '!') ++at;  // ANSEL is "!E"
  const uint8_t final = at < text_.size() ? At(at) : 0;
  if (!Marc8Tables::IsSet(final) || multibyte != (final == kSetEacc)) {
    // '1' without '$' is met in old data and can mean nothing else.
    if (final != kSetEacc) {
      Issue(ProblemCode::kMarc8EscapeInvalid, at_, final_at + 2);
      out_.Append('\x1B');
      ++at_;
      return;
    }
  }
  sets_[g1 ? 1 : 0] = final;
  at_ = at + 1;
}

// "&#xHHHH;", one to six digits.
bool Decoder::Reference() {
  uint32_t value = 0;
  size_t i = at_ + 3;
  const size_t first = i;
  for (; i < text_.size() && i < first + 6; ++i) {
    const char c = text_[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) break;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  if (i == first || i >= text_.size() || text_[i] != ';') return false;
  // Controls would change the structure of the record.
  if (value < 0x20 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    return false;
  const Marc8Tables::Encoded* encoded = tables_.Find(value);
  at_ = i + 1;
  // A mark given as a reference stands behind its letter already.
  if (encoded != nullptr && encoded->combining) {
    AppendUtf8(value, &out_);
  } else {
    Base(value);
  }
  return true;
}

void Decoder::Multibyte() {
  if (text_.size() - at_ >= 3) {
    const uint32_t unicode = tables_.Eacc(At(at_), At(at_ + 1), At(at_ + 2));
    if (unicode != 0) {
      Base(unicode);
      at_ += 3;
      return;
    }
  }
  // Undefined, or fewer than three bytes before the text leaves the set.
  size_t count = 1;
  while (count < 3 && at_ + count < text_.size() &&
         (At(at_ + count) & 0x7F) > 0x20)
    ++count;
  Issue(ProblemCode::kMarc8Undecodable, at_, count);
  Base(kReplacement);
  at_ += count;
}

void Decoder::Run() {
  while (at_ < text_.size()) {
    const uint8_t byte = At(at_);
    if (byte == 0x1B) {
      Escape();
    } else if (byte == '&' && text_.substr(at_, 3) == "&#x" && Reference()) {
      continue;
    } else if (byte <= 0x20 || (byte == 0x7F && sets_[0] != kSetEacc)) {
      Base(byte);
      ++at_;
    } else if (byte < 0x80 && sets_[0] == kSetAscii) {
      Base(byte);
      ++at_;
    } else if (byte >= 0x80 && byte < 0xA0) {
      Character(tables_.Control(byte), 1);
    } else {
      const uint8_t set = sets_[byte >> 7];
      if (set == kSetEacc) {
        Multibyte();
      } else {
        Character(tables_.Single(set, byte & 0x7F), 1);
      }
    }
  }
  if (marks_count_ != 0) {
    Issue(ProblemCode::kCombiningMarkAlone, text_.size() - 1, 1);
    FlushMarks();
  }
}

}  // namespace

void Marc8ToUtf8(absl::string_view text, Buffer* out,
                 std::vector<TextIssue>* issues) {
  if (IsPlainMarc8(text)) {
    out->Append(text);
    return;
  }
  Decoder(text, out, issues).Run();
}

}  // namespace marc
