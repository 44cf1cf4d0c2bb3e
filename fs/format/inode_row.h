// InodeRow: what the volume keeps of an inode besides its names and its data.
//
// Shape:   see FORMAT.md, "Rows": format u8 | mode | presence bits | the
// present fields,
//          all varints. Absent means zero (times: equal to the change time), so
//          a plain file takes about 40 bytes.
// Errors:  Decode():  DataLoss       cut off, trailing bytes, a value out of
// its range
//                     Unimplemented  a newer format or unknown presence bits
// Threads: plain value, thread-compatible.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_FORMAT_INODE_ROW_H_
#define FS_FORMAT_INODE_ROW_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fs {

struct Timestamp {
  int64_t seconds = 0;       // since 1970
  uint32_t nanoseconds = 0;  // < 10^9

  static Timestamp FromNs(int64_t ns) {
    int64_t seconds = ns / 1'000'000'000;
    int64_t rest = ns % 1'000'000'000;
    if (rest < 0) {
      rest += 1'000'000'000;
      --seconds;
    }
    return {seconds, static_cast<uint32_t>(rest)};
  }
  // Saturates outside the years 1678 to 2262.
  int64_t ToNs() const {
    __int128 ns = static_cast<__int128>(seconds) * 1'000'000'000 + nanoseconds;
    if (ns > INT64_MAX) return INT64_MAX;
    if (ns < INT64_MIN) return INT64_MIN;
    return static_cast<int64_t>(ns);
  }
  // The next later one.
  Timestamp Next() const {
    if (nanoseconds < 999'999'999) return {seconds, nanoseconds + 1};
    return {seconds == INT64_MAX ? seconds : seconds + 1, 0};
  }
  bool is_zero() const { return seconds == 0 && nanoseconds == 0; }
  auto operator<=>(const Timestamp&) const = default;
};

struct InlineXattr {
  std::string name;
  std::string value;
  bool operator==(const InlineXattr&) const = default;
};

struct InodeRow {
  static constexpr uint8_t kFormat = 1;
  // Bounds that Encode() asserts and Decode() enforces, so that a row fits a
  // page.
  static constexpr size_t kSymlinkBytesMax = 1024;      // longer ones are kept as an xattr
  static constexpr size_t kInlineXattrBytesMax = 1024;  // names and values together
  static constexpr size_t kDigestBytesMax = 256;

  uint32_t mode = 0;  // S_IFMT and permissions
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t link_count = 0;
  uint32_t device = 0;
  uint32_t policy = 0;
  uint64_t size_bytes = 0;
  Timestamp access_time;
  Timestamp modify_time;
  Timestamp change_time;
  Timestamp birth_time;
  Timestamp expiry_time;         // zero = never
  uint64_t version = 0;          // of the last change of any kind
  uint64_t data_version = 0;     // <= version
  uint64_t subtree_version = 0;  // directories: of a change below, see FORMAT.md
  uint32_t xattr_row_count = 0;  // xattrs that are rows of their own
  uint64_t entry_count = 0;      // directories: names in it
  uint64_t next_index = 0;       // directories: creation index of the next name
  uint64_t run_next = 0;         // directories: inode numbers in [run_next, run_end)
  uint64_t run_end = 0;          //   are kept for its next children
  std::string symlink_target;
  std::vector<InlineXattr> xattrs;
  std::string digests;        // of the content, as fs/volume/digest.h keeps them
  bool has_expiring = false;  // directories: an entry may have an expiry time

  bool operator==(const InodeRow&) const = default;

  // REQUIRES: within the bounds above.
  std::string Encode() const;
  static absl::StatusOr<InodeRow> Decode(absl::string_view bytes);
  std::string DebugString() const;
  static std::vector<InodeRow> TestInstances();
};

}  // namespace fs

#endif  // FS_FORMAT_INODE_ROW_H_
