#include "marc/formats/marcjson_serializer.h"

#include <algorithm>
#include <cstring>

#include "marc/codec/scan.h"
#include "marc/codec/text_copy.h"

namespace marc {
namespace {

template <size_t N>
inline char* Put(char* to, const char (&text)[N]) {
  memcpy(to, text, N - 1);
  return to + N - 1;
}

constexpr size_t kExpansionMax = 24;  // of one byte: `"},{"x":"` and some
constexpr size_t kPieceBytes = 4096;

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

void AppendText(absl::string_view text, Buffer* out) {
  while (!text.empty()) {
    const size_t size = std::min(text.size(), kPieceBytes);
    char* to = out->Reserve(size * 6);
    const char* p = text.data();
    const char* end = p + size;
    while (p < end) {
      const size_t plain = CopyPlain<TextKind::kJson>(p, static_cast<size_t>(end - p), to);
      p += plain;
      to += plain;
      if (p < end) to = PutEscaped(to, static_cast<unsigned char>(*p++));
    }
    out->AdvanceTo(to);
    text.remove_prefix(size);
  }
}

// Behind a delimiter: {"x":"
inline const char* PutSubfieldStart(const char* p, const char* end, char** to) {
  char* at = Put(*to, "{\"");
  if (p < end && static_cast<unsigned char>(*p) < 0x80) {
    at = PutEscaped(at, static_cast<unsigned char>(*p++));
  } else if (p < end) {
    const size_t length =
        std::max<size_t>(1, Utf8SequenceLength(absl::string_view(p, static_cast<size_t>(end - p)), 0));
    memcpy(at, p, length);
    at += length;
    p += length;
  }
  *to = Put(at, "\":\"");
  return p;
}

void AppendSubfields(const char* p, const char* end, Buffer* out) {
  bool open = false;
  while (p < end) {
    const char* piece_end = p + std::min<size_t>(static_cast<size_t>(end - p), kPieceBytes);
    char* to = out->Reserve(kPieceBytes * kExpansionMax);
    while (p < piece_end) {
      if (*p == kSubfieldDelimiter) {
        if (open) to = Put(to, "\"},");
        open = true;
        p = PutSubfieldStart(p + 1, end, &to);
        continue;
      }
      const size_t plain = CopyPlain<TextKind::kJson>(p, static_cast<size_t>(piece_end - p), to);
      p += plain;
      to += plain;
      if (p < piece_end && *p != kSubfieldDelimiter) to = PutEscaped(to, static_cast<unsigned char>(*p++));
    }
    out->AdvanceTo(to);
  }
  if (open) out->Append("\"}");
}

void AppendField(const FieldView& field, bool first, Buffer* out) {
  const char* tag = reinterpret_cast<const char*>(&field.packed_tag);
  char* to = out->Reserve(128);
  if (!first) *to++ = ',';
  to = Put(to, "{\"");
  for (int i = 0; i < 3; ++i) to = PutEscaped(to, static_cast<unsigned char>(tag[i]));
  if (!IsPresentedAsData(field)) {
    out->AdvanceTo(Put(to, "\":\""));
    AppendText(field.content(), out);
    out->Append("\"}");
    return;
  }
  to = PutEscaped(Put(to, "\":{\"ind1\":\""), static_cast<unsigned char>(field.data[0]));
  to = PutEscaped(Put(to, "\",\"ind2\":\""), static_cast<unsigned char>(field.data[1]));
  out->AdvanceTo(Put(to, "\",\"subfields\":["));
  AppendSubfields(field.data + 2, field.data + field.size, out);
  out->Append("]}}");
}

}  // namespace

bool MarcJsonSerializer::Append(const RecordView& original, Buffer* out) {
  const RecordView& record = presenter_.Present(original);
  out->Append(separator());
  out->Append("{\"leader\":\"");
  char* to = out->Reserve(kLeaderSize * 6);
  for (const char c : record.leader().bytes()) to = PutEscaped(to, static_cast<unsigned char>(c));
  out->AdvanceTo(to);
  out->Append("\",\"fields\":[");
  bool first = true;
  for (const FieldView& field : record.fields()) {
    AppendField(field, first, out);
    first = false;
  }
  out->Append(shape_ == JsonShape::kArray ? "]}" : "]}\n");
  return true;
}

}  // namespace marc
