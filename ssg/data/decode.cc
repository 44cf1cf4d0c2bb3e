#include "ssg/data/decode.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ssg {

using tmpl::Value;

namespace {

// Reads one CSV field at `*at`; leaves `*at` on the separator after it.
absl::StatusOr<absl::string_view> TakeField(absl::string_view text, size_t* at, uint32_t* line, tmpl::Arena& arena) {
  if (*at >= text.size() || text[*at] != '"') {
    const size_t end = std::min(text.find_first_of(",\r\n", *at), text.size());
    const absl::string_view field = text.substr(*at, end - *at);
    *at = end;
    return arena.Copy(field);
  }
  const uint32_t begin_line = *line;
  std::string field;
  for (++*at; *at < text.size(); ++*at) {
    if (text[*at] == '"') {
      ++*at;
      if (*at >= text.size() || text[*at] != '"') return arena.Copy(field);
    }
    if (text[*at] == '\n') ++*line;
    field.push_back(text[*at]);
  }
  return absl::InvalidArgumentError(absl::StrCat(begin_line, ":1: quoted field has no end"));
}

}  // namespace

absl::StatusOr<Value> DecodeCsv(absl::string_view text, tmpl::Arena& arena) {
  tmpl::List* rows = tmpl::NewList(arena);
  uint32_t line = 1;
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    tmpl::List* row = tmpl::NewList(arena);
    for (;; ++at) {
      auto field = TakeField(text, &at, &line, arena);
      if (!field.ok()) return field.status();
      tmpl::Append(arena, *row, Value::String(*field));
      if (++count > 1'000'000) return absl::ResourceExhaustedError(absl::StrCat(line, ":1: more than 1000000 fields"));
      if (at >= text.size() || text[at] != ',') break;
    }
    if (at < text.size() && text[at] == '\r') ++at;
    if (at < text.size() && text[at] != '\n') {
      return absl::InvalidArgumentError(absl::StrCat(line, ":1: text after a quoted field"));
    }
    ++at;
    ++line;
    tmpl::Append(arena, *rows, Value::Of(row));
  }
  return Value::Of(rows);
}

absl::StatusOr<Value> DecodeByName(absl::string_view path, absl::string_view text, tmpl::Arena& arena) {
  if (absl::EndsWith(path, ".yaml") || absl::EndsWith(path, ".yml")) return DecodeYaml(text, arena);
  if (absl::EndsWith(path, ".toml")) return DecodeToml(text, arena);
  if (absl::EndsWith(path, ".json")) return DecodeJson(text, arena);
  if (absl::EndsWith(path, ".csv")) return DecodeCsv(text, arena);
  return absl::UnimplementedError("known data files end in .yaml, .yml, .toml, .json or .csv");
}

}  // namespace ssg
