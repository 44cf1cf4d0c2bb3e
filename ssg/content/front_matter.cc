#include "ssg/content/front_matter.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ssg/data/decode.h"

namespace ssg {
namespace {

using tmpl::Value;

constexpr size_t kFrontMatterBytesMax = 1 << 20;

uint32_t CountLines(absl::string_view text) {
  return static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

// `status` with `lines` added to the line its message starts with.
absl::Status ShiftLine(const absl::Status& status, uint32_t lines) {
  const size_t colon = status.message().find(':');
  uint32_t line = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(status.message().substr(0, colon), &line)) return status;
  return absl::Status(status.code(), absl::StrCat(line + lines, status.message().substr(colon)));
}

// The end of the JSON object at the start of `text`, npos if it has none.
size_t JsonEnd(absl::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return absl::string_view::npos;
}

// Where the line after the opening fence starts; 0 if `source` has no such fence.
size_t AfterFence(absl::string_view source, absl::string_view fence) {
  if (!absl::StartsWith(source, fence)) return 0;
  const size_t end = source.find('\n');
  if (end == absl::string_view::npos) return 0;
  const absl::string_view rest = source.substr(fence.size(), end - fence.size());
  return absl::StripAsciiWhitespace(rest).empty() ? end + 1 : 0;
}

// The start of the closing fence line at or after `at`, npos if none.
size_t ClosingFence(absl::string_view source, size_t at, absl::string_view fence) {
  while (at < source.size()) {
    const size_t end = std::min(source.find('\n', at), source.size());
    if (absl::StripTrailingAsciiWhitespace(source.substr(at, end - at)) == fence) return at;
    at = end + 1;
  }
  return absl::string_view::npos;
}

}  // namespace

absl::StatusOr<FrontMatter> ParseFrontMatter(absl::string_view source, tmpl::Arena& arena) {
  const size_t mark = absl::StartsWith(source, "\xEF\xBB\xBF") ? 3 : 0;
  const absl::string_view text = source.substr(mark);
  FrontMatter result;
  result.body_offset = static_cast<uint32_t>(mark);
  size_t begin = 0;
  size_t end = 0;
  size_t body = 0;
  absl::StatusOr<Value> values = Value::None();
  for (const absl::string_view fence : {absl::string_view("---"), absl::string_view("+++")}) {
    begin = AfterFence(text, fence);
    if (begin == 0) continue;
    end = ClosingFence(text, begin, fence);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("1:1: front matter has no closing \"", fence, "\""));
    }
    body = std::min(text.find('\n', end), text.size() - 1) + 1;
    if (end - begin > kFrontMatterBytesMax) return absl::ResourceExhaustedError("1:1: front matter over 1 MiB");
    result.text = text.substr(begin, end - begin);
    values = fence == "---" ? DecodeYaml(result.text, arena) : DecodeToml(result.text, arena);
    if (!values.ok()) return ShiftLine(values.status(), 1);
    result.present = true;
    break;
  }
  if (!result.present && absl::StartsWith(text, "{") && text.size() > 1 &&
      (absl::ascii_isspace(text[1]) || text[1] == '"' || text[1] == '}')) {
    end = JsonEnd(text.substr(0, kFrontMatterBytesMax));
    if (end == absl::string_view::npos)
      return absl::InvalidArgumentError("1:1: JSON front matter has no closing \"}\"");
    result.text = text.substr(0, end);
    values = DecodeJson(result.text, arena);
    if (!values.ok()) return values.status();
    body = end;
    if (body < text.size() && text[body] == '\r') ++body;
    if (body < text.size() && text[body] == '\n') ++body;
    result.present = true;
  }
  if (values->IsNone()) values = Value::Of(tmpl::NewDict(arena));
  if (!values->IsDict()) return absl::InvalidArgumentError("2:1: front matter must be a table of keys and values");
  result.values = *values;
  result.body_offset = static_cast<uint32_t>(mark + body);
  result.body_line = 1 + CountLines(text.substr(0, body));
  return result;
}

uint32_t FrontMatterLine(absl::string_view source, absl::string_view key) {
  uint32_t line = 0;
  for (absl::string_view text : absl::StrSplit(source.substr(0, kFrontMatterBytesMax), '\n')) {
    ++line;
    text = absl::StripLeadingAsciiWhitespace(text);
    if (!text.empty() && (text[0] == '"' || text[0] == '[')) text.remove_prefix(1);
    if (absl::StartsWith(text, key) && text.size() > key.size() && absl::StrContains(" =:\"']", text[key.size()])) {
      return line;
    }
    if (line > 10000) break;
  }
  return 0;
}

}  // namespace ssg
