// Varints as rows use them: little-endian groups of seven bits, shortest form
// only.
//
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_FORMAT_VARINT_H_
#define FS_FORMAT_VARINT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fs {

constexpr size_t kVarintBytesMax = 10;

inline void AppendVarint(std::string* out, uint64_t value) {
  char bytes[kVarintBytesMax];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  out->append(bytes, size);
}

// Takes a varint off the front of `*in`. False, with `*in` as it was, if it is
// cut off, longer than 64 bits, or longer than it need be.
inline bool ConsumeVarint(absl::string_view* in, uint64_t* value) {
  uint64_t result = 0;
  for (size_t i = 0; i < in->size() && i < kVarintBytesMax; ++i) {
    const uint64_t byte = static_cast<uint8_t>((*in)[i]);
    if (i == kVarintBytesMax - 1 && byte > 1) return false;
    result |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return false;
      *value = result;
      in->remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

inline bool ConsumeVarint32(absl::string_view* in, uint32_t* value) {
  absl::string_view rest = *in;
  uint64_t wide;
  if (!ConsumeVarint(&rest, &wide) || wide > UINT32_MAX) return false;
  *value = static_cast<uint32_t>(wide);
  *in = rest;
  return true;
}

// Small magnitudes of either sign become small numbers.
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// A string with its size in front.
inline void AppendSized(std::string* out, absl::string_view bytes) {
  AppendVarint(out, bytes.size());
  out->append(bytes.data(), bytes.size());
}
// The view points into `*in`.
inline bool ConsumeSized(absl::string_view* in, size_t size_max, absl::string_view* bytes) {
  absl::string_view rest = *in;
  uint64_t size;
  if (!ConsumeVarint(&rest, &size) || size > size_max || size > rest.size()) return false;
  *bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  *in = rest;
  return true;
}

}  // namespace fs

#endif  // FS_FORMAT_VARINT_H_
