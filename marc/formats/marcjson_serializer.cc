#include "marc/formats/marcjson_serializer.h"

#include <cstring>

#include "marc/formats/text_writer.h"

namespace marc {
namespace {

using internal::Put;

char* PutEscaped(char* to, unsigned char c) {
  constexpr char kHex[] = "0123456789abcdef";
  if (c == '"' || c == '\\') {
    to[0] = '\\';
    to[1] = static_cast<char>(c);
    return to + 2;
  }
  if (c == '\n') return Put(to, "\\n");
  if (c == '\t') return Put(to, "\\t");
  if (c == '\r') return Put(to, "\\r");
  if (c < 0x20) {
    to = Put(to, "\\u00");
    to[0] = kHex[c >> 4];
    to[1] = kHex[c & 15];
    return to + 2;
  }
  *to = static_cast<char>(c);
  return to + 1;
}

struct Json {
  static constexpr TextKind kKind = TextKind::kJson;
  static constexpr size_t kExpansionMax = 24;
  static char* PutByte(char* to, unsigned char c) { return PutEscaped(to, c); }
  static char* PutCode(char* to, unsigned char c) { return PutEscaped(to, c); }
  static char* PutStart(char* to) { return Put(to, "{\""); }
  static char* PutData(char* to) { return Put(to, "\":\""); }
  static char* PutEnd(char* to, bool more) { return more ? Put(to, "\"},") : Put(to, "\"}"); }
};

void AppendField(const FieldView& field, bool first, size_t end_max, Buffer* out) {
  const char* tag = reinterpret_cast<const char*>(&field.packed_tag);
  char* to = out->Reserve(128);
  if (!first) *to++ = ',';
  to = Put(to, "{\"");
  for (int i = 0; i < 3; ++i) to = PutEscaped(to, static_cast<unsigned char>(tag[i]));
  if (!IsPresentedAsData(field)) {
    out->AdvanceTo(Put(to, "\":\""));
    internal::AppendText<TextKind::kJson, 6>(field.content(), PutEscaped, end_max, out);
    out->Append("\"}");
    return;
  }
  to = PutEscaped(Put(to, "\":{\"ind1\":\""), static_cast<unsigned char>(field.data[0]));
  to = PutEscaped(Put(to, "\",\"ind2\":\""), static_cast<unsigned char>(field.data[1]));
  out->AdvanceTo(Put(to, "\",\"subfields\":["));
  internal::AppendSubfields<Json>(field.data + 2, field.data + field.size, end_max, out);
  out->Append("]}}");
}

}  // namespace

bool MarcJsonSerializer::Append(const RecordView& original, Buffer* out) {
  const RecordView& record = presenter_.Present(original);
  const size_t start = out->size();
  const size_t end_max = start + internal::kTextRecordMax;
  out->Append(separator());
  out->Append("{\"leader\":\"");
  char* to = out->Reserve(kLeaderSize * 6);
  for (const char c : record.leader().bytes()) to = PutEscaped(to, static_cast<unsigned char>(c));
  out->AdvanceTo(to);
  out->Append("\",\"fields\":[");
  bool first = true;
  for (const FieldView& field : record.fields()) {
    if (out->size() > end_max) break;
    AppendField(field, first, end_max, out);
    first = false;
  }
  out->Append(shape_ == JsonShape::kArray ? "]}" : "]}\n");
  return internal::EndTextRecord(original, start, out, &sink_);
}

}  // namespace marc
