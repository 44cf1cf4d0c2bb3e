// Invariant: what a record puts into storage_ is never more than three times
// its bytes of XML (a byte that is no UTF-8 becomes the three of U+FFFD), so
// Start() reserves that once and views of finished fields stay valid.
#include "marc/formats/marcxml_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "marc/charset/marc8.h"
#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

bool StartsWith(const char* at, const char* end, absl::string_view text) {
  return static_cast<size_t>(end - at) >= text.size() && memcmp(at, text.data(), text.size()) == 0;
}

const char* Find(const char* at, const char* end, absl::string_view text) {
  return static_cast<const char*>(memmem(at, static_cast<size_t>(end - at), text.data(), text.size()));
}

// Whether "…</prefix:record" with its '>' ends at `close`, the position of '>'.
bool IsRecordEndTag(absl::string_view window, size_t close) {
  size_t at = close;
  while (at > 0 && IsSpace(window[at - 1])) --at;
  constexpr absl::string_view kName = "record";
  if (at < kName.size() + 2 || window.substr(at - kName.size(), kName.size()) != kName) return false;
  at -= kName.size();
  if (window[at - 1] == ':') {
    --at;
    while (at > 0 && IsNameByte(window[at - 1]) && window[at - 1] != ':') --at;
  }
  return at >= 2 && window[at - 1] == '/' && window[at - 2] == '<';
}

// Start of a comment or CDATA section that does not end in `text`, else npos.
size_t FindOpenSection(absl::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  // '!' is rare, so that memchr crosses the text at its full speed.
  while (at < end && (at = static_cast<const char*>(memchr(at, '!', static_cast<size_t>(end - at)))) != nullptr) {
    ++at;
    if (at - 1 == text.data() || at[-2] != '<') continue;
    const char* start = at - 2;
    const bool comment = StartsWith(start, end, "<!--");
    if (!comment && !StartsWith(start, end, "<![CDATA[")) continue;
    at = Find(at, end, comment ? "-->" : "]]>");
    if (at == nullptr) return static_cast<size_t>(start - text.data());
  }
  return absl::string_view::npos;
}

}  // namespace

size_t MarcXmlSplitter::Cut(absl::string_view window, bool at_end) {
  if (at_end) return window.size();
  // Backwards to the last end tag of a record. A comment or CDATA section may
  // hold such text: the one that begins last must have ended before the cut.
  size_t limit = window.size();
  while (true) {
    const void* found = limit == 0 ? nullptr : memrchr(window.data(), '>', limit);
    if (found == nullptr) return 0;
    const size_t close = static_cast<size_t>(static_cast<const char*>(found) - window.data());
    limit = close;
    if (!IsRecordEndTag(window, close)) continue;
    const size_t open = FindOpenSection(window.substr(0, close + 1));
    if (open == absl::string_view::npos) return close + 1;
    limit = open;
  }
}

void MarcXmlParser::Start(const Chunk& chunk) {
  begin_ = at_ = chunk.bytes.data();
  end_ = begin_ + chunk.bytes.size();
  byte_offset_ = chunk.byte_offset;
  at_end_ = chunk.at_end;
  stopped_ = false;
  ordinal_ = 0;
  storage_.Clear();
  storage_.Reserve(chunk.bytes.size() * 3 + kPaddingBytes);
  if (byte_offset_ == 0) stopped_ = !CheckProlog();
}

Problem& MarcXmlParser::Note(ProblemCode code, const char* at, size_t count, absl::string_view expected,
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

bool MarcXmlParser::Fail(ProblemCode code, const char* at, absl::string_view expected) {
  Note(code, at, 16, expected, "rejected");
  return false;
}

bool MarcXmlParser::CheckProlog() {
  if (StartsWith(at_, end_, "\xEF\xBB\xBF")) at_ += 3;
  if (StartsWith(at_, end_, "\xFF\xFE") || StartsWith(at_, end_, "\xFE\xFF")) {
    sink_.Report(Note(ProblemCode::kXmlMalformed, at_, 2, "XML in UTF-8", "input refused: UTF-16"));
    problems_.Clear();
    return false;
  }
  if (!StartsWith(at_, end_, "<?xml")) return true;
  const char* close = Find(at_, end_, "?>");
  if (close == nullptr) return true;
  const absl::string_view declaration(at_, static_cast<size_t>(close - at_));
  const size_t key = declaration.find("encoding");
  if (key == absl::string_view::npos) return true;
  const size_t quote = declaration.find_first_of("\"'", key);
  if (quote == absl::string_view::npos) return true;
  const size_t last = declaration.find(declaration[quote], quote + 1);
  std::string name(declaration.substr(quote + 1, last == absl::string_view::npos ? last : last - quote - 1));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii") return true;
  sink_.Report(Note(ProblemCode::kXmlMalformed, at_ + quote + 1, name.size(), "XML in UTF-8",
                    absl::StrCat("input refused: declared as ", name)));
  problems_.Clear();
  return false;
}

// Comments, CDATA outside text, processing instructions, DOCTYPE. at_ is at '<'
// followed by '!' or '?'.
bool MarcXmlParser::SkipMarkup() {
  const char* close = nullptr;
  size_t size = 0;
  if (StartsWith(at_, end_, "<!--")) {
    close = Find(at_ + 4, end_, "-->");
    size = 3;
  } else if (StartsWith(at_, end_, "<?")) {
    close = Find(at_ + 2, end_, "?>");
    size = 2;
  } else if (StartsWith(at_, end_, "<![CDATA[")) {
    close = Find(at_ + 9, end_, "]]>");
    size = 3;
  } else {
    stopped_ = true;
    const bool doctype = StartsWith(at_, end_, "<!DOCTYPE");
    Note(doctype ? ProblemCode::kXmlDoctypeRefused : ProblemCode::kXmlMalformed, at_, 16,
         doctype ? "no document type declaration" : "an element", "input refused from here");
    return false;
  }
  if (close == nullptr) {
    Note(ProblemCode::kXmlMalformed, at_, 16, "its end", "read to the end");
    at_ = end_;
    return false;
  }
  at_ = close + size;
  return true;
}

// at_ is at '<' of a start or end tag.
bool MarcXmlParser::ReadTag(Tag* tag) {
  const char* start = at_;
  tag->start = at_;
  const char* p = at_ + 1;
  tag->is_end = p < end_ && *p == '/';
  if (tag->is_end) ++p;
  const char* name = p;
  while (p < end_ && IsNameByte(*p)) {
    if (*p == ':') name = p + 1;
    ++p;
  }
  tag->name = absl::string_view(name, static_cast<size_t>(p - name));
  if (tag->name.empty()) return Fail(ProblemCode::kXmlMalformed, start, "an element name behind '<'");
  const char* attributes = p;
  char quote = 0;
  while (p < end_ && (quote != 0 || *p != '>')) {
    if (quote != 0) {
      if (*p == quote) quote = 0;
      if (*p == '<') break;
    } else if (*p == '"' || *p == '\'') {
      quote = *p;
    } else if (*p == '<') {
      break;
    }
    ++p;
  }
  if (p >= end_ || *p != '>') return Fail(ProblemCode::kXmlMalformed, start, "'>' at the end of the tag");
  tag->is_empty = !tag->is_end && p[-1] == '/' && p > attributes;
  tag->attributes = absl::string_view(attributes, static_cast<size_t>(p - attributes) - (tag->is_empty ? 1 : 0));
  at_ = p + 1;
  return true;
}

// The next tag, past white space, comments and instructions.
MarcXmlParser::Token MarcXmlParser::NextToken(Tag* tag) {
  while (true) {
    while (at_ < end_ && IsSpace(*at_)) ++at_;
    if (at_ >= end_) return Token::kEnd;
    if (*at_ != '<') return Token::kText;
    if (at_ + 1 < end_ && (at_[1] == '!' || at_[1] == '?')) {
      if (!SkipMarkup()) return Token::kError;
      continue;
    }
    return ReadTag(tag) ? Token::kTag : Token::kError;
  }
}

bool MarcXmlParser::FindRecordStart(Tag* tag) {
  while (!stopped_) {
    const void* found = memchr(at_, '<', static_cast<size_t>(end_ - at_));
    at_ = found == nullptr ? end_ : static_cast<const char*>(found);
    if (at_ == end_) return false;
    const char* start = at_;
    if (NextToken(tag) != Token::kTag) {
      problems_.ReportTo("", /*rejected=*/false, &sink_);
      if (at_ == start) ++at_;
      continue;
    }
    if (!tag->is_end && tag->name == "record") return true;
  }
  return false;
}

// The value of the attribute, decoded.
bool MarcXmlParser::Attribute(const Tag& tag, absl::string_view name, std::string* value) {
  value->clear();
  const char* p = tag.attributes.data();
  const char* end = p + tag.attributes.size();
  while (true) {
    while (p < end && IsSpace(*p)) ++p;
    if (p == end) return false;
    const char* key = p;
    while (p < end && IsNameByte(*p)) ++p;
    const absl::string_view key_text(key, static_cast<size_t>(p - key));
    while (p < end && IsSpace(*p)) ++p;
    if (key_text.empty() || p == end || *p != '=') {
      return Fail(ProblemCode::kXmlMalformed, key, "name=\"value\" for each attribute");
    }
    ++p;
    while (p < end && IsSpace(*p)) ++p;
    if (p == end || (*p != '"' && *p != '\'')) {
      return Fail(ProblemCode::kXmlMalformed, p, "a quoted attribute value");
    }
    const char* close = static_cast<const char*>(memchr(p + 1, *p, static_cast<size_t>(end - p - 1)));
    if (close == nullptr) return Fail(ProblemCode::kXmlMalformed, p, "a closing quote");
    if (key_text == name) {
      const absl::string_view raw(p + 1, static_cast<size_t>(close - p - 1));
      for (size_t i = 0; i < raw.size();) {
        size_t length = 1;
        if (raw[i] != '&' || !DecodeReference(raw.substr(i), &length, value)) {
          value->push_back(IsSpace(raw[i]) ? ' ' : raw[i]);
          length = 1;
        }
        i += length;
      }
      return true;
    }
    p = close + 1;
  }
}

// "&name;" or "&#...;" at the start of `text`, appended to `value`.
bool MarcXmlParser::DecodeReference(absl::string_view text, size_t* length, std::string* value) {
  static constexpr struct {
    absl::string_view name;
    char c;
  } kEntities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  for (const auto& entity : kEntities) {
    if (text.substr(0, entity.name.size()) != entity.name) continue;
    value->push_back(entity.c);
    *length = entity.name.size();
    return true;
  }
  const size_t semicolon = text.substr(0, 64).find(';');
  const bool complete = semicolon != absl::string_view::npos && semicolon > 1;
  if (!complete || text.substr(0, 2) != "&#") {
    Note(complete ? ProblemCode::kXmlEntityUnknown : ProblemCode::kXmlMalformed, text.data(),
         complete ? semicolon + 1 : 8, "one of the five entities of XML", "kept as text");
    return false;
  }
  const bool hex = text[2] == 'x';
  uint32_t code = 0;
  bool valid = semicolon > (hex ? 3u : 2u);
  for (size_t i = hex ? 3 : 2; i < semicolon && valid; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'          ? c - '0'
                      : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : -1;
    valid = digit >= 0 && code <= 0x10FFFF;
    code = code * (hex ? 16 : 10) + static_cast<uint32_t>(std::max(digit, 0));
  }
  const bool legal = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xD800) ||
                     (code >= 0xE000 && code <= 0x10FFFF && code != 0xFFFE && code != 0xFFFF);
  if (!valid || !legal) {
    Note(ProblemCode::kXmlMalformed, text.data(), semicolon + 1, "a reference to a character of XML",
         "replaced by U+FFFD");
    code = 0xFFFD;
  }
  Buffer utf8;
  AppendUtf8(code, &utf8);
  value->append(utf8.data(), utf8.size());
  *length = semicolon + 1;
  return true;
}

// at_ is at '&'.
bool MarcXmlParser::ReadReference() {
  size_t length = 1;
  std::string value;
  if (!DecodeReference(absl::string_view(at_, static_cast<size_t>(end_ - at_)), &length, &value)) value = "&";
  at_ += length;
  storage_.Append(value);
  return true;
}

}  // namespace marc
