// YAML, TOML, JSON and CSV to template values.
//
// Shape:   mappings become dicts in the source's order, dates become strings as
//          ISO 8601 writes them, YAML scalars follow the core schema.
// Bounds:  nesting of 64; 1,000,000 values, those that YAML aliases repeat included.
// Errors:  InvalidArgument    "LINE:COLUMN: what is wrong"
//          ResourceExhausted  one of the bounds
// Threads: no state; results live in the arena, which belongs to one thread.
#ifndef SSG_DATA_DECODE_H_
#define SSG_DATA_DECODE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/arena.h"
#include "ssg/template/value.h"

namespace ssg {

absl::StatusOr<tmpl::Value> DecodeYaml(absl::string_view text, tmpl::Arena& arena);
absl::StatusOr<tmpl::Value> DecodeToml(absl::string_view text, tmpl::Arena& arena);
absl::StatusOr<tmpl::Value> DecodeJson(absl::string_view text, tmpl::Arena& arena);
// A list of lists of strings (RFC 4180).
absl::StatusOr<tmpl::Value> DecodeCsv(absl::string_view text, tmpl::Arena& arena);

// By the extension of `path`: .yaml .yml .toml .json .csv. Unimplemented: another one.
absl::StatusOr<tmpl::Value> DecodeByName(absl::string_view path, absl::string_view text, tmpl::Arena& arena);

}  // namespace ssg

#endif  // SSG_DATA_DECODE_H_
