#include <utf8proc.h>

#include <cstdio>
#include <vector>

#include "marc/charset/marc8.h"
#include "marc/charset/marc8_tables.h"
#include "marc/codec/scan.h"

namespace marc {

uint32_t DecodeUtf8(const char* p, size_t length) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(p[i]));
  };
  switch (length) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 |
             (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

namespace {

// A letter and the marks that follow it in Unicode, which MARC-8 writes first.
// A double-width mark has its second half before the next letter.
class Encoder {
 public:
  Encoder(absl::string_view text, Buffer* out, std::vector<TextIssue>* issues)
      : text_(text), out_(*out), issues_(issues), tables_(Marc8Tables::Get()) {}

  void Run();

 private:
  using Encoded = Marc8Tables::Encoded;

  void Issue(ProblemCode code, size_t offset, size_t count) {
    if (issues_ != nullptr) issues_->push_back(TextIssue{code, offset, count});
  }
  void Add(uint32_t unicode, size_t offset, size_t count);
  bool AddDecomposed(uint32_t unicode, size_t offset, size_t count);
  void AddEncoded(const Encoded& encoded);
  void FlushLetter();
  void Write(const Encoded& encoded);
  void WriteReference(uint32_t unicode);
  void Designate(uint8_t final);

  const absl::string_view text_;
  Buffer& out_;
  std::vector<TextIssue>* const issues_;
  const Marc8Tables& tables_;
  uint8_t g0_ = kSetAscii;
  bool has_letter_ = false;
  Encoded letter_;
  uint32_t letter_reference_ = 0;  // a letter that MARC-8 lacks
  std::vector<Encoded> marks_;
  uint8_t second_half_ = 0;  // EC or FB, due before the next letter
};

void Encoder::Designate(uint8_t final) {
  if (g0_ == final) return;
  const bool was_short = g0_ == kSetGreekSymbols || g0_ == kSetSubscripts ||
                         g0_ == kSetSuperscripts;
  out_.Append('\x1B');
  if (final == kSetEacc) {
    out_.Append("$1");
  } else if (final == kSetGreekSymbols || final == kSetSubscripts ||
             final == kSetSuperscripts) {
    out_.Append(static_cast<char>(final));
  } else if (final == kSetAscii && was_short) {
    out_.Append('s');
  } else {
    out_.Append('(');
    out_.Append(static_cast<char>(final));
  }
  g0_ = final;
}

void Encoder::Write(const Encoded& encoded) {
  if (encoded.final == 0) {
    out_.Append(static_cast<char>(encoded.code));
  } else if (encoded.final == kSetAnsel) {
    out_.Append(static_cast<char>(encoded.code | 0x80));
  } else if (encoded.final == kSetEacc) {
    Designate(kSetEacc);
    out_.Append(static_cast<char>(encoded.code >> 16));
    out_.Append(static_cast<char>(encoded.code >> 8 & 0xFF));
    out_.Append(static_cast<char>(encoded.code & 0xFF));
  } else {
    Designate(encoded.final);
    out_.Append(static_cast<char>(encoded.code));
  }
}

void Encoder::WriteReference(uint32_t unicode) {
  Designate(kSetAscii);
  char text[16];
  const int size = snprintf(text, sizeof(text), "&#x%04X;", unicode);
  out_.Append(absl::string_view(text, static_cast<size_t>(size)));
}

void Encoder::FlushLetter() {
  const uint8_t second_half = second_half_;
  second_half_ = 0;
  if (second_half != 0 && has_letter_)
    out_.Append(static_cast<char>(second_half));
  for (const Encoded& mark : marks_) {
    Write(mark);
    if (mark.unicode == 0x0361) second_half_ = 0xEC;
    if (mark.unicode == 0x0360) second_half_ = 0xFB;
  }
  marks_.clear();
  if (has_letter_) {
    if (letter_reference_ != 0) {
      WriteReference(letter_reference_);
    } else {
      Write(letter_);
    }
  }
  has_letter_ = false;
  letter_reference_ = 0;
}

void Encoder::AddEncoded(const Encoded& encoded) {
  if (encoded.combining) {
    marks_.push_back(encoded);
    return;
  }
  FlushLetter();
  letter_ = encoded;
  has_letter_ = true;
}

bool Encoder::AddDecomposed(uint32_t unicode, size_t offset, size_t count) {
  utf8proc_int32_t parts[32];
  int boundary = 0;
  const utf8proc_ssize_t size = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(unicode), parts, 32,
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE), &boundary);
  if (size < 2 || size > 32) return false;
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    if (tables_.Find(static_cast<uint32_t>(parts[i])) == nullptr) return false;
  }
  for (utf8proc_ssize_t i = 0; i < size; ++i)
    Add(static_cast<uint32_t>(parts[i]), offset, count);
  return true;
}

void Encoder::Add(uint32_t unicode, size_t offset, size_t count) {
  if (unicode < 0x21 || unicode == 0x7F) {
    AddEncoded(Encoded{unicode, unicode,
                       unicode == 0x20 ? uint8_t{kSetAscii} : uint8_t{0},
                       false});
    return;
  }
  const Encoded* encoded = tables_.Find(unicode);
  if (encoded != nullptr) {
    AddEncoded(*encoded);
    return;
  }
  if (AddDecomposed(unicode, offset, count)) return;
  Issue(ProblemCode::kNotInMarc8, offset, count);
  FlushLetter();
  letter_reference_ = unicode;
  has_letter_ = true;
}

void Encoder::Run() {
  for (size_t at = 0; at < text_.size();) {
    const size_t length = Utf8SequenceLength(text_, at);
    if (length == 0) {
      Issue(ProblemCode::kUtf8Invalid, at, 1);
      Add(0xFFFD, at, 1);
      ++at;
      continue;
    }
    if (text_[at] == '&' && text_.substr(at, 3) == "&#x")
      Issue(ProblemCode::kMarc8Irreversible, at, 3);
    Add(DecodeUtf8(text_.data() + at, length), at, length);
    at += length;
  }
  FlushLetter();
  if (second_half_ != 0) out_.Append(static_cast<char>(second_half_));
  Designate(kSetAscii);
}

}  // namespace

void Utf8ToMarc8(absl::string_view text, Buffer* out,
                 std::vector<TextIssue>* issues) {
  if (IsPlainMarc8(text)) {
    out->Append(text);
    return;
  }
  Encoder(text, out, issues).Run();
}

}  // namespace marc
