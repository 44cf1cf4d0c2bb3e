#include "marc/codec/json_text.h"

#include "absl/strings/str_format.h"
#include "marc/codec/scan.h"

namespace marc {

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const size_t length = Utf8SequenceLength(text, i);
    if (length == 0) {
      out->append("\xEF\xBF\xBD");
      ++i;
    } else if (length > 1) {
      out->append(text.data() + i, length);
      i += length;
    } else {
      if (c == '"' || c == '\\') {
        out->push_back('\\');
        out->push_back(c);
      } else if (c == '\n') {
        out->append("\\n");
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned>(c));
      } else {
        out->push_back(c);
      }
      ++i;
    }
  }
  out->push_back('"');
}

}  // namespace marc
