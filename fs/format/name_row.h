// NameRow and OrderRow: the two rows of one name in a directory.
//
// Shape:   the name row is found by the keyed hash of the name, the order row
// by the
//          creation index; each holds the name and what the other lacks.
// Errors:  Decode():  DataLoss  cut off, trailing bytes, a name that cannot be
// Threads: plain values, thread-compatible.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_FORMAT_NAME_ROW_H_
#define FS_FORMAT_NAME_ROW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/format/key.h"

namespace fs {

// Whether `name` may stand in a directory: 1..255 bytes, no '/' or NUL, not "."
// or "..".
bool IsEntryName(absl::string_view name);

struct NameRow {
  InodeNumber child = 0;
  uint64_t index = 0;
  std::string name;
  bool operator==(const NameRow&) const = default;

  std::string Encode() const;
  static absl::StatusOr<NameRow> Decode(absl::string_view bytes);
  std::string DebugString() const;
  static std::vector<NameRow> TestInstances();
};

struct OrderRow {
  InodeNumber child = 0;
  uint8_t type = 0;  // S_IFMT >> 12, which is DT_*
  std::string name;
  bool operator==(const OrderRow&) const = default;

  std::string Encode() const;
  static absl::StatusOr<OrderRow> Decode(absl::string_view bytes);
  std::string DebugString() const;
  static std::vector<OrderRow> TestInstances();
};

}  // namespace fs

#endif  // FS_FORMAT_NAME_ROW_H_
