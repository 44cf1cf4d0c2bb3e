// Template values to JSON text, to a compact binary form and to a hash.
//
// The binary form is for our own cache only, whose bytes are checksummed;
// DecodeBinary still never reads past its input.
// Threads: no state.
#ifndef SSG_DATA_ENCODE_H_
#define SSG_DATA_ENCODE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/arena.h"
#include "ssg/template/value.h"

namespace ssg {

// A JSON string literal. "<" is written as an escape, fit for <script>.
void AppendJsonString(absl::string_view text, std::string* out);
// `indent` 0 = on one line. Objects and undefined values become null.
void AppendJson(const tmpl::Value& value, size_t indent, std::string* out);

void AppendBinary(const tmpl::Value& value, std::string* out);
// Takes one value off the front of `*bytes`; its strings are views of it.
// Errors: DataLoss  not something AppendBinary made
absl::StatusOr<tmpl::Value> TakeBinary(absl::string_view* bytes, tmpl::Arena& arena);

// Little-endian base-128 numbers and counted strings, the parts of the binary form.
void AppendVarint(uint64_t number, std::string* out);
bool TakeVarint(absl::string_view* bytes, uint64_t* number);
void AppendCounted(absl::string_view text, std::string* out);
bool TakeCounted(absl::string_view* bytes, absl::string_view* text);

}  // namespace ssg

#endif  // SSG_DATA_ENCODE_H_
