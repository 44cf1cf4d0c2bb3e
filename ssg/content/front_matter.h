// Splits a content file into front matter and body, and decodes the former.
//
//   ---         +++          {
//   YAML        TOML           "json": true
//   ---         +++          }
//
// Errors:  InvalidArgument    "LINE:COLUMN: ..." in the file: no end, not a table,
//                             syntax
//          ResourceExhausted  bounds of data/decode.h; front matter over 1 MiB
// Threads: no state.
#ifndef SSG_CONTENT_FRONT_MATTER_H_
#define SSG_CONTENT_FRONT_MATTER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/arena.h"
#include "ssg/template/value.h"

namespace ssg {

struct FrontMatter {
  tmpl::Value values;      // a dict; empty without front matter
  absl::string_view text;  // as written, without fences
  uint32_t body_offset = 0;
  uint32_t body_line = 1;  // 1-based line of the body's first line
  bool present = false;
};

absl::StatusOr<FrontMatter> ParseFrontMatter(absl::string_view source, tmpl::Arena& arena);

// The 1-based line of `key` at the start of a line of front matter, 0 if not found.
uint32_t FrontMatterLine(absl::string_view source, absl::string_view key);

}  // namespace ssg

#endif  // SSG_CONTENT_FRONT_MATTER_H_
