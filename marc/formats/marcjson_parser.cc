// Invariant: what a record puts into storage_ is never more than three times
// its bytes of JSON, so Start() reserves that once and views of finished
// fields stay valid.
#include "marc/formats/marcjson_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/charset/marc8.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {

void MarcJsonParser::Start(const Chunk& chunk) {
  begin_ = at_ = chunk.bytes.data();
  end_ = begin_ + chunk.bytes.size();
  byte_offset_ = chunk.byte_offset;
  ordinal_ = 0;
  storage_.Clear();
  storage_.Reserve(chunk.bytes.size() * 3 + kPaddingBytes);
}

Problem& MarcJsonParser::Note(ProblemCode code, const char* at, size_t count, absl::string_view expected,
                              absl::string_view action) {
  Problem problem = MakeProblem(code, expected, action);
  at = std::min(at, end_);
  problem.record = ordinal_;
  problem.byte_offset = byte_offset_ + static_cast<uint64_t>(at - begin_);
  problem.found = std::string(at, std::min<size_t>(count, static_cast<size_t>(end_ - at)));
  const char* from = at - std::min<ptrdiff_t>(16, at - begin_);
  problem.near = std::string(from, std::min<size_t>(48, static_cast<size_t>(end_ - from)));
  return problems_.Add(std::move(problem));
}

bool MarcJsonParser::Fail(ProblemCode code, absl::string_view expected) {
  Note(code, at_, 16, expected, "rejected");
  return false;
}

char MarcJsonParser::Peek() {
  at_ = SkipJsonSpace(at_, end_);
  return at_ < end_ ? *at_ : '\0';
}

bool MarcJsonParser::Expect(char c) {
  if (Peek() != c || at_ == end_) return Fail(ProblemCode::kJsonMalformed, absl::StrCat("'", std::string(1, c), "'"));
  ++at_;
  return true;
}

bool MarcJsonParser::More(char close, bool* more) {
  const char c = Peek();
  if (at_ == end_ || (c != ',' && c != close)) {
    return Fail(ProblemCode::kJsonMalformed, absl::StrCat("',' or '", std::string(1, close), "'"));
  }
  ++at_;
  *more = c == ',';
  return true;
}

// at_ is behind a backslash.
bool MarcJsonParser::ReadEscape(Buffer* out) {
  const auto hex = [&](const char* p, uint32_t* value) {
    if (end_ - p < 4) return false;
    *value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = p[i];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      *value = *value * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  };
  constexpr absl::string_view kNames = "\"\\/bfnrt";
  constexpr absl::string_view kValues = "\"\\/\b\f\n\r\t";
  if (at_ == end_) return Fail(ProblemCode::kJsonMalformed, "an escape");
  const size_t simple = kNames.find(*at_);
  if (simple != absl::string_view::npos) {
    out->Append(kValues[simple]);
    ++at_;
    return true;
  }
  uint32_t code = 0;
  if (*at_ != 'u' || !hex(at_ + 1, &code)) return Fail(ProblemCode::kJsonMalformed, "an escape of JSON");
  const char* start = at_ - 1;
  at_ += 5;
  if (code >= 0xD800 && code < 0xDC00) {
    uint32_t low = 0;
    if (end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u' && hex(at_ + 2, &low) && low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      at_ += 6;
    }
  }
  if (code >= 0xD800 && code < 0xE000) {
    Note(ProblemCode::kJsonMalformed, start, 6, "a pair of surrogates", "replaced by U+FFFD");
    code = 0xFFFD;
  } else if (code >= 0x1D && code <= 0x1F) {
    Note(ProblemCode::kTerminatorInData, start, 6, "no terminator or delimiter in data", "replaced by U+FFFD");
    code = 0xFFFD;
  }
  AppendUtf8(code, out);
  return true;
}

// A string, quotes included, decoded.
bool MarcJsonParser::ReadString(Buffer* out) {
  if (Peek() != '"' || at_ == end_) return Fail(ProblemCode::kJsonNotMarc, "a string");
  const char* start = at_++;
  while (true) {
    // Escapes never grow and U+FFFD is shorter than its escape: storage_ has
    // room for all that is left. Keys are short: in pieces.
    const size_t left = static_cast<size_t>(end_ - at_);
    const size_t piece = out == &storage_ ? left : std::min<size_t>(left, 256);
    char* to = out == &storage_ ? storage_.data() + storage_.size() : out->Reserve(piece);
    const size_t plain = CopyPlain<TextKind::kJson>(at_, piece, to);
    out->Advance(plain);
    at_ += plain;
    if (plain == piece && piece < left) continue;
    if (at_ == end_) {
      at_ = start;
      return Fail(ProblemCode::kJsonMalformed, "the end of the string");
    }
    const char c = *at_++;
    if (c == '"') return true;
    if (c != '\\') {
      --at_;
      return Fail(ProblemCode::kJsonMalformed, "no control character in a string");
    }
    if (!ReadEscape(out)) return false;
  }
}

bool MarcJsonParser::SkipValue() {
  // Iterative, so that depth costs a counter and not the stack.
  std::string open;
  do {
    const char c = Peek();
    if (at_ == end_) return Fail(ProblemCode::kJsonMalformed, "a value");
    if (c == '"') {
      key_.Clear();
      if (!ReadString(&key_)) return false;
    } else if (c == '{' || c == '[') {
      if (open.size() >= kDepthMax) return Fail(ProblemCode::kJsonTooDeep, absl::StrCat("depth up to ", kDepthMax));
      open.push_back(c == '{' ? '}' : ']');
      ++at_;
    } else if (c == '}' || c == ']') {
      if (open.empty() || open.back() != c) return Fail(ProblemCode::kJsonMalformed, "a value");
      open.pop_back();
      ++at_;
    } else if ((c == ',' || c == ':') && !open.empty()) {
      ++at_;
    } else {
      const char* start = at_;
      while (at_ < end_ && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *at_) != nullptr && *at_ != '\0') ++at_;
      if (at_ == start) return Fail(ProblemCode::kJsonMalformed, "a value");
    }
  } while (!open.empty());
  return true;
}

void MarcJsonParser::SkipBetween() {
  while (at_ < end_) {
    const char c = Peek();
    if (at_ == end_ || c == '{') return;
    if (c == ',' || c == '[' || c == ']') {
      ++at_;
      continue;
    }
    if (byte_offset_ == 0 && at_ == begin_ && end_ - at_ >= 3 && memcmp(at_, "\xEF\xBB\xBF", 3) == 0) {
      at_ += 3;
      continue;
    }
    const char* start = at_;
    const void* next = memchr(at_, '{', static_cast<size_t>(end_ - at_));
    at_ = next == nullptr ? end_ : static_cast<const char*>(next);
    Note(ProblemCode::kJsonMalformed, start, std::min<size_t>(32, static_cast<size_t>(at_ - start)),
         "an object for each record", "skipped")
        .record = ordinal_ + 1;
    problems_.ReportTo("", /*rejected=*/false, &sink_);
  }
}

bool MarcJsonParser::Next(RecordView* record) {
  while (true) {
    problems_.Clear();
    SkipBetween();
    if (at_ == end_) return false;
    const char* begin = at_;
    ++ordinal_;
    storage_.Clear();
    fields_.clear();
    has_leader_ = false;
    if (ReadRecord()) {
      if (FinishRecord(begin, record)) return true;
    } else {
      RejectRecord(begin);
    }
  }
}

void MarcJsonParser::RejectRecord(const char* begin) {
  const absl::string_view rest(begin, static_cast<size_t>(end_ - begin));
  size_t size = FindObjectEnd(rest);
  if (size == absl::string_view::npos) {
    // Not even balanced: the next line that begins with an object.
    const void* line = memmem(begin + 1, rest.size() - 1, "\n{", 2);
    size = line == nullptr ? rest.size() : static_cast<size_t>(static_cast<const char*>(line) - begin);
  }
  at_ = begin + size;
  problems_.ReportTo("", /*rejected=*/true, &sink_);
  sink_.Reject(rest.substr(0, size));
}

bool MarcJsonParser::FinishRecord(const char* begin, RecordView* record) {
  const TextScan scan = ScanText(storage_.data(), storage_.size());
  if (scan.high && !IsValidUtf8(storage_.view())) {
    const absl::string_view raw(begin, static_cast<size_t>(at_ - begin));
    Note(ProblemCode::kUtf8Invalid, begin + FindInvalidUtf8(raw), 4, "UTF-8", "kept");
  }
  if (problems_.has_error() && strictness_ == Strictness::kStrict) {
    RejectRecord(begin);
    return false;
  }
  bool regular = problems_.empty() && !scan.bad_codes && !scan.other_controls;
  for (const FieldView& field : fields_) {
    if (field.is_control()) {
      regular = regular && memchr(field.data, kSubfieldDelimiter, field.size) == nullptr;
    } else {
      regular = regular && field.size > 2 && field.data[2] == kSubfieldDelimiter && IsIndicator(field.data[0]) &&
                IsIndicator(field.data[1]);
    }
  }
  record->Set(leader_.data(), fields_, absl::string_view());
  record->SetText(scan.high, !regular, regular);
  record->SetPlace(ordinal_, byte_offset_ + static_cast<uint64_t>(begin - begin_));
  problems_.ReportTo(record->control_number(), /*rejected=*/false, &sink_);
  return true;
}

}  // namespace marc
