#include "marc/formats/marcxml_serializer.h"

#include <cstring>

#include "marc/formats/text_writer.h"

namespace marc {
namespace {

using internal::Put;

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

char* PutText(char* to, unsigned char c) { return PutEscaped(to, c, false); }

// 24 bytes without padding behind them.
void AppendLeader(absl::string_view leader, Buffer* out) {
  char* to = out->Reserve(kLeaderSize * 8);
  for (const char c : leader) to = PutAttribute(to, c);
  out->AdvanceTo(to);
}

struct Xml {
  static constexpr TextKind kKind = TextKind::kXmlOut;
  static constexpr size_t kExpansionMax = 48;
  static char* PutByte(char* to, unsigned char c) { return PutText(to, c); }
  static char* PutCode(char* to, unsigned char c) { return PutAttribute(to, static_cast<char>(c)); }
  static char* PutStart(char* to) { return Put(to, "    <subfield code=\""); }
  static char* PutData(char* to) { return Put(to, "\">"); }
  static char* PutEnd(char* to, bool /*more*/) { return Put(to, "</subfield>\n"); }
};

void AppendField(const FieldView& field, size_t end_max, Buffer* out) {
  const char* tag = reinterpret_cast<const char*>(&field.packed_tag);
  const bool as_data = IsPresentedAsData(field);
  char* to = out->Reserve(256);
  to = as_data ? Put(to, "  <datafield tag=\"") : Put(to, "  <controlfield tag=\"");
  for (int i = 0; i < 3; ++i) to = PutAttribute(to, tag[i]);
  if (!as_data) {
    out->AdvanceTo(Put(to, "\">"));
    internal::AppendText<TextKind::kXmlOut, 8>(field.content(), PutText, end_max, out);
    out->Append("</controlfield>\n");
    return;
  }
  to = PutAttribute(Put(to, "\" ind1=\""), field.data[0]);
  to = PutAttribute(Put(to, "\" ind2=\""), field.data[1]);
  out->AdvanceTo(Put(to, "\">\n"));
  internal::AppendSubfields<Xml>(field.data + 2, field.data + field.size, end_max, out);
  out->Append("  </datafield>\n");
}

}  // namespace

absl::string_view MarcXmlSerializer::header() const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<collection xmlns=\"http://www.loc.gov/MARC21/slim\">\n";
}

absl::string_view MarcXmlSerializer::footer() const { return "</collection>\n"; }

bool MarcXmlSerializer::Append(const RecordView& original, Buffer* out) {
  const RecordView& record = presenter_.Present(original);
  const size_t start = out->size();
  const size_t end_max = start + internal::kTextRecordMax;
  out->Append("<record>\n  <leader>");
  AppendLeader(record.leader().bytes(), out);
  out->Append("</leader>\n");
  for (const FieldView& field : record.fields()) {
    if (out->size() > end_max) break;
    AppendField(field, end_max, out);
  }
  out->Append("</record>\n");
  return internal::EndTextRecord(original, start, out, &sink_);
}

}  // namespace marc
