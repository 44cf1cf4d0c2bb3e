#include "marc/formats/mrk_serializer.h"

#include <algorithm>
#include <cstring>

#include "marc/codec/text_copy.h"

namespace marc {
namespace {

constexpr size_t kPieceBytes = 4096;

char* PutText(char* to, absl::string_view text) {
  memcpy(to, text.data(), text.size());
  return to + text.size();
}

// `blank`: positions where a blank is written as a backslash (M2).
char* PutByte(char* to, unsigned char c, bool blank) {
  constexpr char kHex[] = "0123456789ABCDEF";
  switch (c) {
    case kSubfieldDelimiter:
      *to = '$';
      return to + 1;
    case '$':
      return PutText(to, "{dollar}");
    case '{':
      return PutText(to, "{lcub}");
    case '}':
      return PutText(to, "{rcub}");
    case '\\':
      if (blank) return PutText(to, "{bsol}");
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

void AppendText(absl::string_view text, Buffer* out) {
  while (!text.empty()) {
    const size_t size = std::min(text.size(), kPieceBytes);
    char* to = out->Reserve(size * 8);
    const char* p = text.data();
    const char* end = p + size;
    while (p < end) {
      const size_t plain = CopyPlain<TextKind::kMrkOut>(p, static_cast<size_t>(end - p), to);
      p += plain;
      to += plain;
      if (p < end) to = PutByte(to, static_cast<unsigned char>(*p++), false);
    }
    out->AdvanceTo(to);
    text.remove_prefix(size);
  }
}

void AppendBlanked(absl::string_view text, Buffer* out) {
  char* to = out->Reserve(text.size() * 8);
  for (const char c : text) to = PutByte(to, static_cast<unsigned char>(c), true);
  out->AdvanceTo(to);
}

}  // namespace

bool MrkSerializer::Append(const RecordView& record, Buffer* out) {
  out->Append("=LDR  ");
  AppendBlanked(record.leader().bytes(), out);
  out->Append('\n');
  for (const FieldView& field : record.fields()) {
    out->Append('=');
    AppendBlanked(field.tag(), out);
    out->Append("  ");
    const size_t blanked = field.is_control() ? field.size : std::min<size_t>(field.size, 2);
    AppendBlanked(field.content().substr(0, blanked), out);
    AppendText(field.content().substr(blanked), out);
    out->Append('\n');
  }
  out->Append('\n');
  return true;
}

}  // namespace marc
