#include "marc/formats/mrk_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/charset/marc8.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {
namespace {

// Signs with names of their own.
constexpr struct {
  absl::string_view name;
  absl::string_view text;
} kSigns[] = {
    {"dollar", "$"},      {"lcub", "{"},         {"rcub", "}"},       {"bsol", "\\"},      {"lsqb", "["},
    {"rsqb", "]"},        {"verbar", "|"},       {"grave", "\u0300"}, {"acute", "\u0301"}, {"circ", "\u0302"},
    {"tilde", "\u0303"},  {"macr", "\u0304"},    {"breve", "\u0306"}, {"dot", "\u0307"},   {"uml", "\u0308"},
    {"hooka", "\u0309"},  {"ring", "\u030A"},    {"caron", "\u030C"}, {"cedil", "\u0327"}, {"ogon", "\u0328"},
    {"cent", "¢"},        {"pound", "£"},        {"yen", "¥"},        {"copy", "©"},       {"reg", "®"},
    {"phono", "℗"},       {"sharp", "♯"},        {"flat", "♭"},       {"deg", "°"},        {"plusmn", "±"},
    {"iexcl", "¡"},       {"iquest", "¿"},       {"szlig", "ß"},      {"euro", "€"},       {"AElig", "Æ"},
    {"aelig", "æ"},       {"OElig", "Œ"},        {"oelig", "œ"},      {"Ostrok", "Ø"},     {"ostrok", "ø"},
    {"Dstrok", "Đ"},      {"dstrok", "đ"},       {"Lstrok", "Ł"},     {"lstrok", "ł"},     {"THORN", "Þ"},
    {"thorn", "þ"},       {"eth", "ð"},          {"inodot", "ı"},     {"Ohorn", "Ơ"},      {"ohorn", "ơ"},
    {"Uhorn", "Ư"},       {"uhorn", "ư"},        {"middot", "·"},     {"softsign", "ʹ"},   {"hardsign", "ʺ"},
    {"alif", "ʼ"},        {"mlrhring", "ʼ"},     {"ayn", "ʻ"},        {"mllhring", "ʻ"},   {"scriptl", "ℓ"},
    {"joiner", "\u200D"}, {"nonjoin", "\u200C"}, {"esc", "\x1B"},
};

// Marks that follow a letter in a name: {eacute}, {Ccedil}.
constexpr struct {
  absl::string_view name;
  absl::string_view mark;
} kMarks[] = {
    {"grave", "\u0300"}, {"acute", "\u0301"}, {"circ", "\u0302"},  {"tilde", "\u0303"},
    {"macr", "\u0304"},  {"breve", "\u0306"}, {"dot", "\u0307"},   {"uml", "\u0308"},
    {"ring", "\u030A"},  {"caron", "\u030C"}, {"cedil", "\u0327"}, {"ogon", "\u0328"},
};

int HexDigit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

}  // namespace

std::string MnemonicText(absl::string_view name) {
  for (const auto& sign : kSigns) {
    if (sign.name == name) return std::string(sign.text);
  }
  const bool letter = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'));
  for (const auto& mark : kMarks) {
    if (letter && name.substr(1) == mark.name) return absl::StrCat(name.substr(0, 1), mark.mark);
  }
  return "";
}

size_t MrkSplitter::Cut(absl::string_view window, bool at_end) {
  if (at_end) return window.size();
  // Before the last "=LDR" that begins a line.
  size_t limit = window.size();
  while (limit > 1) {
    const char* found = static_cast<const char*>(memrchr(window.data(), '=', limit));
    if (found == nullptr) return 0;
    const size_t at = static_cast<size_t>(found - window.data());
    if (at > 0 && window[at - 1] == '\n' && window.substr(at, 4) == "=LDR") return at;
    limit = at;
  }
  return 0;
}

void MrkParser::Start(const Chunk& chunk) {
  begin_ = at_ = chunk.bytes.data();
  end_ = begin_ + chunk.bytes.size();
  byte_offset_ = chunk.byte_offset;
  ordinal_ = 0;
  storage_.Clear();
  storage_.Reserve(chunk.bytes.size() * 3 + kPaddingBytes);
  if (byte_offset_ == 0 && end_ - at_ >= 3 && memcmp(at_, "\xEF\xBB\xBF", 3) == 0) at_ += 3;
}

Problem& MrkParser::Note(ProblemCode code, const char* at, size_t count, absl::string_view expected,
                         absl::string_view action) {
  Problem problem = MakeProblem(code, expected, action);
  problem.record = ordinal_;
  problem.byte_offset = byte_offset_ + static_cast<uint64_t>(at - begin_);
  problem.found = std::string(at, std::min<size_t>({count, 64, static_cast<size_t>(end_ - at)}));
  return problems_.Add(std::move(problem));
}

bool MrkParser::ReadLine(absl::string_view* line) {
  if (at_ == end_) return false;
  const char* newline = static_cast<const char*>(memchr(at_, '\n', static_cast<size_t>(end_ - at_)));
  const char* stop = newline == nullptr ? end_ : newline;
  *line = absl::string_view(at_, static_cast<size_t>(stop - at_));
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  at_ = newline == nullptr ? end_ : newline + 1;
  return true;
}

// text[0] is '{'. Returns how many bytes were read.
size_t MrkParser::DecodeMnemonic(absl::string_view text) {
  const size_t close = text.substr(0, 24).find('}');
  if (close == absl::string_view::npos) {
    Note(ProblemCode::kMrkMnemonicUnknown, text.data(), 16, "'}'", "kept as text");
    storage_.Append('{');
    return 1;
  }
  const absl::string_view name = text.substr(1, close - 1);
  if (name.size() == 2 && HexDigit(name[0]) >= 0 && HexDigit(name[1]) >= 0) {
    const char byte = static_cast<char>(HexDigit(name[0]) * 16 + HexDigit(name[1]));
    if (byte >= kRecordTerminator && byte <= kSubfieldDelimiter) {
      Note(ProblemCode::kTerminatorInData, text.data(), close + 1, "no terminator or delimiter in data",
           "replaced by U+FFFD");
      storage_.Append("\xEF\xBF\xBD");
    } else {
      storage_.Append(byte);
    }
    return close + 1;
  }
  const std::string value = MnemonicText(name);
  if (value.empty()) {
    Note(ProblemCode::kMrkMnemonicUnknown, text.data(), close + 1, "a mnemonic of MARCMaker", "kept as text");
    storage_.Append(text.substr(0, close + 1));
  } else {
    storage_.Append(value);
  }
  return close + 1;
}

void MrkParser::Decode(absl::string_view text, size_t blanks) {
  const size_t start = storage_.size();
  size_t at = 0;
  while (at < text.size()) {
    char* to = storage_.Reserve(text.size() - at);
    const size_t plain = CopyPlain<TextKind::kMrkIn>(text.data() + at, text.size() - at, to);
    storage_.Advance(plain);
    at += plain;
    if (at == text.size()) break;
    const char c = text[at];
    if (c == '{') {
      at += DecodeMnemonic(text.substr(at));
      continue;
    }
    ++at;
    if (c == '$') {
      storage_.Append(kSubfieldDelimiter);
    } else if (c == '\\') {
      storage_.Append(storage_.size() - start < blanks ? ' ' : '\\');
    } else if (c >= kRecordTerminator && c <= kSubfieldDelimiter) {
      Note(ProblemCode::kTerminatorInData, text.data() + at - 1, 1, "no terminator or delimiter in data",
           "replaced by U+FFFD");
      storage_.Append("\xEF\xBF\xBD");
    } else {
      storage_.Append(c);
    }
  }
}

void MrkParser::ReadField(absl::string_view line) {
  const auto separator = [&](size_t at) { return at >= line.size() || line[at] == ' '; };
  if (line[0] != '=' || line.size() < 4 || !separator(4) || !separator(5)) {
    if (fields_.empty()) {
      Note(ProblemCode::kMrkLineInvalid, line.data(), line.size(), "=TAG and two blanks", "dropped");
      return;
    }
    Note(ProblemCode::kMrkLineInvalid, line.data(), line.size(), "=TAG and two blanks", "added to the field before");
    storage_.Truncate(storage_.size() - 1);
    storage_.Append(' ');
    Decode(line, 0);
    fields_.back().size = static_cast<uint32_t>(storage_.data() + storage_.size() - fields_.back().data);
    storage_.Append(kFieldTerminator);
    return;
  }
  if (fields_.size() == kFieldsMax) {
    Note(ProblemCode::kRecordTooLong, line.data(), 4, absl::StrCat("at most ", kFieldsMax, " fields"), "rejected");
    too_many_fields_ = true;
    return;
  }
  char tag[3] = {line[1], line[2], line[3]};
  for (char& c : tag) {
    if (IsSubfieldCode(c)) continue;
    Note(ProblemCode::kTagInvalid, line.data() + 1, 3, "three graphic ASCII characters", "read with ?");
    c = '?';
  }
  const absl::string_view content = line.size() > 6 ? line.substr(6) : absl::string_view();
  const size_t before = storage_.size();
  const absl::string_view tag_text(tag, 3);
  if (tag_text == "LDR" || tag_text == "000") {
    Decode(content, content.size());
    leader_.assign(storage_.data() + before, storage_.size() - before);
    storage_.Truncate(before);
    has_leader_ = true;
    if (leader_.size() != kLeaderSize) {
      Note(ProblemCode::kLeaderLengthWrong, line.data(), line.size(), "24 characters",
           leader_.size() < kLeaderSize ? "padded with blanks" : "cut");
      leader_.resize(kLeaderSize, ' ');
    }
    return;
  }
  FieldView field;
  field.packed_tag = PackTag(tag_text);
  Decode(content, field.is_control() ? content.size() : 2);
  field.data = storage_.data() + before;
  field.size = static_cast<uint32_t>(storage_.size() - before);
  fields_.push_back(field);
  storage_.Append(kFieldTerminator);
}

bool MrkParser::Next(RecordView* record) {
  while (true) {
    absl::string_view line;
    problems_.Clear();
    storage_.Clear();
    fields_.clear();
    has_leader_ = too_many_fields_ = false;
    const char* begin = nullptr;
    while (true) {
      const char* start = at_;
      if (!ReadLine(&line)) break;
      if (line.find_first_not_of(" \t") == absl::string_view::npos) {
        if (begin != nullptr) break;
        continue;
      }
      if (begin != nullptr && (has_leader_ || !fields_.empty()) && line.substr(0, 4) == "=LDR") {
        at_ = start;
        break;
      }
      if (begin == nullptr) {
        begin = start;
        ++ordinal_;
      }
      ReadField(line);
    }
    if (begin == nullptr) return false;
    if (FinishRecord(begin, record)) return true;
  }
}

bool MrkParser::FinishRecord(const char* begin, RecordView* record) {
  const absl::string_view raw(begin, static_cast<size_t>(at_ - begin));
  const bool nothing = fields_.empty() && !has_leader_;
  if (!has_leader_) {
    Note(ProblemCode::kLeaderMissing, begin, 16, "=LDR", nothing ? "rejected" : "read with a leader of blanks");
    leader_.assign(kLeaderSize, ' ');
  }
  const TextScan scan = ScanText(storage_.data(), storage_.size());
  if (scan.high && !IsValidUtf8(storage_.view())) {
    Note(ProblemCode::kUtf8Invalid, begin + FindInvalidUtf8(raw), 4, "UTF-8", "kept");
  }
  const bool reject = nothing || too_many_fields_ || (problems_.has_error() && strictness_ == Strictness::kStrict);
  record->Set(leader_.data(), fields_, absl::string_view());
  record->SetText(scan.high, true, false);
  record->SetPlace(ordinal_, byte_offset_ + static_cast<uint64_t>(begin - begin_));
  problems_.ReportTo(record->control_number(), reject, &sink_);
  if (reject) sink_.Reject(raw);
  return !reject;
}

}  // namespace marc
