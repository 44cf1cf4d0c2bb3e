// Names and strings in manifests, both ways.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {

std::string EscapeName(absl::string_view name, bool* escaped) {
  *escaped = name.find_first_of("\\\n\r") != absl::string_view::npos;
  if (!*escaped) return std::string(name);
  std::string text;
  for (const char c : name) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      text += c;
    }
  }
  return text;
}

absl::StatusOr<std::string> UnescapeName(absl::string_view name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      text += name[i];
      continue;
    }
    const char next = ++i < name.size() ? name[i] : '\0';
    if (next != '\\' && next != 'n' && next != 'r') return absl::InvalidArgumentError("a \\ that escapes nothing");
    text += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
  }
  return text;
}

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    uint32_t code = size == 1 ? lead : lead & (0xff >> (size + 1));
    for (size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    if ((size == 3 && code < 0x800) || (size == 4 && (code < 0x10000 || code > 0x10ffff)) ||
        (code >= 0xd800 && code < 0xe000)) {
      return false;
    }
    i += size;
  }
  return true;
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      json += c;
    }
  }
  return json + "\"";
}

std::string JsonPath(absl::string_view path) {
  if (IsUtf8(path)) return absl::StrCat("\"path\":", JsonString(path));
  return absl::StrCat("\"path_hex\":\"",
                      ToHex({reinterpret_cast<const uint8_t*>(path.data()), path.size()}), "\"");
}

}  // namespace hashcache
