#include "ssg/markdown/html.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace ssg {
namespace {

struct Entity {
  const char* name;
  const char* text;
};

constexpr Entity kEntities[] = {
#include "ssg/markdown/entities.inc"
};

// 0 = plain; otherwise an index into kReplacements.
constexpr std::array<uint8_t, 256> MakeEscapeTable() {
  std::array<uint8_t, 256> table{};
  table['&'] = 1;
  table['<'] = 2;
  table['>'] = 3;
  table['"'] = 4;
  return table;
}
constexpr std::array<uint8_t, 256> kEscape = MakeEscapeTable();
constexpr absl::string_view kReplacements[] = {"", "&amp;", "&lt;", "&gt;", "&quot;"};

constexpr std::array<bool, 256> MakeUrlTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c :
       {'~', '-', '_', '.', '+', '!', '*', '(', ')', ',', '%', '#', '@', '?', '=', ';', ':', '/', '$', '\''}) {
    table[static_cast<uint8_t>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kUrlSafe = MakeUrlTable();

}  // namespace

void AppendHtmlEscaped(absl::string_view text, std::string* out) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  for (const char* at = begin; at != end; ++at) {
    const uint8_t kind = kEscape[static_cast<uint8_t>(*at)];
    if (kind == 0) continue;
    out->append(begin, at - begin);
    out->append(kReplacements[kind].data(), kReplacements[kind].size());
    begin = at + 1;
  }
  out->append(begin, end - begin);
}

void AppendUrlEscaped(absl::string_view url, std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const char* begin = url.data();
  const char* const end = begin + url.size();
  for (const char* at = begin; at != end; ++at) {
    const uint8_t byte = static_cast<uint8_t>(*at);
    if (kUrlSafe[byte]) continue;
    out->append(begin, at - begin);
    begin = at + 1;
    if (byte == '&') {
      out->append("&amp;");
    } else {
      const char encoded[3] = {'%', kHex[byte >> 4], kHex[byte & 15]};
      out->append(encoded, 3);
    }
  }
  out->append(begin, end - begin);
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point == 0 || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    code_point = 0xFFFD;
  }
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
    return;
  }
  char bytes[4];
  size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
  for (size_t i = size; i-- > 1;) {
    bytes[i] = static_cast<char>(0x80 | (code_point & 0x3F));
    code_point >>= 6;
  }
  static constexpr uint8_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  bytes[0] = static_cast<char>(kLead[size] | code_point);
  out->append(bytes, size);
}

bool AppendDecodedEntity(absl::string_view reference, std::string* out) {
  if (reference.size() < 3 || reference.front() != '&' || reference.back() != ';') return false;
  absl::string_view name = reference.substr(1, reference.size() - 2);
  if (name.front() == '#') {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const absl::string_view digits = name.substr(hex ? 2 : 1);
    if (digits.empty() || digits.size() > 7) return false;
    uint32_t value = 0;
    for (const char c : digits) {
      uint32_t digit;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (hex && (c | 32) >= 'a' && (c | 32) <= 'f') {
        digit = (c | 32) - 'a' + 10;
      } else {
        return false;
      }
      value = value * (hex ? 16 : 10) + digit;
    }
    AppendUtf8(value, out);
    return true;
  }
  const Entity* found = std::lower_bound(
      std::begin(kEntities), std::end(kEntities), name,
      [](const Entity& entity, absl::string_view key) { return absl::string_view(entity.name) < key; });
  if (found == std::end(kEntities) || name != found->name) return false;
  out->append(found->text);
  return true;
}

std::string HtmlToText(absl::string_view html) {
  std::string text;
  text.reserve(html.size());
  for (size_t at = 0; at < html.size();) {
    if (html[at] == '<') {
      const size_t close = html.find('>', at);
      if (close == absl::string_view::npos) break;
      at = close + 1;
    } else if (html[at] == '&') {
      const size_t close = html.substr(0, std::min(html.size(), at + 40)).find(';', at);
      if (close != absl::string_view::npos && AppendDecodedEntity(html.substr(at, close + 1 - at), &text)) {
        at = close + 1;
      } else {
        text.push_back(html[at++]);
      }
    } else {
      text.push_back(html[at++]);
    }
  }
  return text;
}

}  // namespace ssg
