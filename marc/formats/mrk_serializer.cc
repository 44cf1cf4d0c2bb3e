#include "marc/formats/mrk_serializer.h"

#include <algorithm>
#include <cstring>

#include "marc/formats/text_writer.h"

namespace marc {
namespace {

using internal::Put;

// `blank`: positions where a blank is written as a backslash (M2).
char* PutByte(char* to, unsigned char c, bool blank) {
  constexpr char kHex[] = "0123456789ABCDEF";
  switch (c) {
    case kSubfieldDelimiter:
      *to = '$';
      return to + 1;
    case '$':
      return Put(to, "{dollar}");
    case '{':
      return Put(to, "{lcub}");
    case '}':
      return Put(to, "{rcub}");
    case '\\':
      if (blank) return Put(to, "{bsol}");
      break;
    case ' ':
      if (blank) c = '\\';
      break;
    default:
      break;
  }
  if (c < 0x20 || c == 0x7F) {
    to[0] = '{';
    to[1] = kHex[c >> 4];
    to[2] = kHex[c & 15];
    to[3] = '}';
    return to + 4;
  }
  *to = static_cast<char>(c);
  return to + 1;
}

char* PutData(char* to, unsigned char c) { return PutByte(to, c, false); }

void AppendBlanked(absl::string_view text, size_t end_max, Buffer* out) {
  while (!text.empty() && out->size() <= end_max) {
    const absl::string_view piece = text.substr(0, internal::kPieceBytes);
    char* to = out->Reserve(piece.size() * 8);
    for (const char c : piece) to = PutByte(to, static_cast<unsigned char>(c), true);
    out->AdvanceTo(to);
    text.remove_prefix(piece.size());
  }
}

}  // namespace

bool MrkSerializer::Append(const RecordView& record, Buffer* out) {
  const size_t start = out->size();
  const size_t end_max = start + internal::kTextRecordMax;
  out->Append("=LDR  ");
  AppendBlanked(record.leader().bytes(), end_max, out);
  out->Append('\n');
  for (const FieldView& field : record.fields()) {
    if (out->size() > end_max) break;
    out->Append('=');
    AppendBlanked(field.tag(), end_max, out);
    out->Append("  ");
    const size_t blanked = field.is_control() ? field.size : std::min<size_t>(field.size, 2);
    AppendBlanked(field.content().substr(0, blanked), end_max, out);
    internal::AppendText<TextKind::kMrkOut, 8>(field.content().substr(blanked), PutData, end_max, out);
    out->Append('\n');
  }
  out->Append('\n');
  return internal::EndTextRecord(record, start, out, &sink_);
}

}  // namespace marc
