#include "marc/formats/marcxml_serializer.h"

#include <algorithm>
#include <cstring>

#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {
namespace {

// Fixed text, padded so that one copy of known size moves it.
template <size_t N>
inline char* Put(char* to, const char (&text)[N]) {
  memcpy(to, text, N - 1);
  return to + N - 1;
}

// What one byte may become: the end of a subfield and the start of the next.
constexpr size_t kExpansionMax = 48;
constexpr size_t kPieceBytes = 4096;

// `c` as text or attribute value. CR, and TAB and LF in attributes, would not
// survive reading otherwise.
char* PutEscaped(char* to, unsigned char c, bool attribute) {
  switch (c) {
    case '<':
      return Put(to, "&lt;");
    case '>':
      return Put(to, "&gt;");
    case '&':
      return Put(to, "&amp;");
    case '\r':
      return Put(to, "&#13;");
    case '"':
      if (attribute) return Put(to, "&quot;");
      break;
    case '\t':
      if (attribute) return Put(to, "&#9;");
      break;
    case '\n':
      if (attribute) return Put(to, "&#10;");
      break;
    default:
      break;
  }
  *to = static_cast<char>(c);
  return to + 1;
}

inline bool IsPlainAttribute(char c) { return c > 0x1F && c < 0x7F && c != '<' && c != '&' && c != '"' && c != '>'; }

inline char* PutAttribute(char* to, char c) {
  if (IsPlainAttribute(c)) {
    *to = c;
    return to + 1;
  }
  return PutEscaped(to, static_cast<unsigned char>(c), true);
}

// Text without delimiters.
void AppendText(absl::string_view text, Buffer* out) {
  while (!text.empty()) {
    const size_t size = std::min(text.size(), kPieceBytes);
    char* to = out->Reserve(size * 8);
    const char* p = text.data();
    const char* end = p + size;
    while (p < end) {
      const size_t plain = CopyPlain<TextKind::kXmlOut>(p, static_cast<size_t>(end - p), to);
      p += plain;
      to += plain;
      if (p < end) to = PutEscaped(to, static_cast<unsigned char>(*p++), false);
    }
    out->AdvanceTo(to);
    text.remove_prefix(size);
  }
}

// 24 bytes without padding behind them.
void AppendLeader(absl::string_view leader, Buffer* out) {
  char* to = out->Reserve(kLeaderSize * 8);
  for (const char c : leader) to = PutAttribute(to, c);
  out->AdvanceTo(to);
}

// Behind a delimiter: the code, and the start of the element. A code may be
// one character of several bytes (SPEC T5).
inline const char* PutSubfieldStart(const char* p, const char* end, char** to) {
  char* at = Put(*to, "    <subfield code=\"");
  if (p == end) {
    *to = Put(at, "\">");
    return p;
  }
  if (static_cast<unsigned char>(*p) < 0x80) {
    at = PutAttribute(at, *p++);
  } else {
    const size_t length =
        std::max<size_t>(1, Utf8SequenceLength(absl::string_view(p, static_cast<size_t>(end - p)), 0));
    memcpy(at, p, length);
    at += length;
    p += length;
  }
  *to = Put(at, "\">");
  return p;
}

void AppendSubfields(const char* p, const char* end, Buffer* out) {
  // The first byte is a delimiter.
  bool open = false;
  while (p < end) {
    const char* piece_end = p + std::min<size_t>(static_cast<size_t>(end - p), kPieceBytes);
    char* to = out->Reserve(kPieceBytes * kExpansionMax);
    while (p < piece_end) {
      if (*p == kSubfieldDelimiter) {
        if (open) to = Put(to, "</subfield>\n");
        open = true;
        p = PutSubfieldStart(p + 1, end, &to);
        continue;
      }
      const size_t plain = CopyPlain<TextKind::kXmlOut>(p, static_cast<size_t>(piece_end - p), to);
      p += plain;
      to += plain;
      if (p < piece_end && *p != kSubfieldDelimiter) to = PutEscaped(to, static_cast<unsigned char>(*p++), false);
    }
    out->AdvanceTo(to);
  }
  if (open) out->Append("</subfield>\n");
}

void AppendField(const FieldView& field, Buffer* out) {
  const char* tag = reinterpret_cast<const char*>(&field.packed_tag);
  const bool as_data = IsPresentedAsData(field);
  char* to = out->Reserve(256);
  to = as_data ? Put(to, "  <datafield tag=\"") : Put(to, "  <controlfield tag=\"");
  for (int i = 0; i < 3; ++i) to = PutAttribute(to, tag[i]);
  if (!as_data) {
    out->AdvanceTo(Put(to, "\">"));
    AppendText(field.content(), out);
    out->Append("</controlfield>\n");
    return;
  }
  to = PutAttribute(Put(to, "\" ind1=\""), field.data[0]);
  to = PutAttribute(Put(to, "\" ind2=\""), field.data[1]);
  out->AdvanceTo(Put(to, "\">\n"));
  AppendSubfields(field.data + 2, field.data + field.size, out);
  out->Append("  </datafield>\n");
}

}  // namespace

absl::string_view MarcXmlSerializer::header() const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<collection xmlns=\"http://www.loc.gov/MARC21/slim\">\n";
}

absl::string_view MarcXmlSerializer::footer() const { return "</collection>\n"; }

bool MarcXmlSerializer::Append(const RecordView& original, Buffer* out) {
  const RecordView& record = presenter_.Present(original);
  out->Append("<record>\n  <leader>");
  AppendLeader(record.leader().bytes(), out);
  out->Append("</leader>\n");
  for (const FieldView& field : record.fields()) AppendField(field, out);
  out->Append("</record>\n");
  return true;
}

}  // namespace marc
