// The rows of a volume as a whole (inode 0): counters, use of policies, orphans.
//
// Errors:  Decode...():  DataLoss  cut off or trailing bytes
// Threads: plain values, thread-compatible.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_FORMAT_VOLUME_ROW_H_
#define FS_FORMAT_VOLUME_ROW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/format/key.h"

namespace fs {

constexpr uint32_t kNoPolicy = 0;    // keep, without a limit
constexpr uint64_t kFirstIndex = 3;  // of names; 0, 1 and 2 are the cookies of the start, "." and ".."

// The numbers are on disk and never change their meaning.
enum class Counter : uint32_t {
  kNextInode = 1,   // the first inode number that no run holds
  kHashKeyLow = 2,  // the key of the hash of names
  kHashKeyHigh = 3,
  kVersion = 4,     // every change up to this version is part of the volume
  kCleanEnd = 5,    // the last version before a clean end; absent while mounted
  kNextPolicy = 6,  // the next policy id
  kLostAfter = 7,   // versions between these two may have been shown
  kLostBefore = 8,  //   and then undone by a crash
};

std::string CounterKey(Counter counter);
std::string UsageKey(uint32_t policy);
std::string PolicyKey(uint32_t policy);
std::string OrphanKey(InodeNumber inode);
// Expiry rows stand under the minute, so that what is due lies together.
std::string ExpiryKey(int64_t expiry_seconds, InodeNumber inode);
// A value that does not fit into the inode's row lies in parts of kXattrPartBytes, the
// last one short or full, at least one, in rows of its own: xattr name, 0 byte, number
// of the part u16.
constexpr size_t kXattrPartBytes = 2048;
std::string XattrKey(InodeNumber inode, absl::string_view name, uint16_t part);
// The key past all parts of the value.
std::string XattrEnd(InodeNumber inode, absl::string_view name);
// The name in the suffix of such a key, and which part it is; false if it is none.
bool ParseXattrSuffix(absl::string_view suffix, absl::string_view* name, uint16_t* part);

std::string EncodeCounter(uint64_t value);
absl::StatusOr<uint64_t> DecodeCounter(absl::string_view bytes);

// What the inodes of one policy use. Bytes are counted for policies only.
struct UsageRow {
  uint64_t files = 0;
  uint64_t bytes = 0;
  bool operator==(const UsageRow&) const = default;

  std::string Encode() const;
  static absl::StatusOr<UsageRow> Decode(absl::string_view bytes);
  std::string DebugString() const;
  static std::vector<UsageRow> TestInstances();
};

// The policy of a directory tree. A field that was not set has its default.
struct PolicyRow {
  enum Kind : uint8_t { kKeep = 1, kLru = 2, kFifo = 3 };
  enum Compression : uint8_t { kNone = 1, kLz4 = 2, kZstd = 3 };
  enum Field : uint8_t { kKindField = 1, kTtlField = 2, kQuotaField = 4, kCompressionField = 8, kDigestField = 16 };

  InodeNumber root = 0;
  uint8_t fields = 0;  // the Fields that were set
  Kind kind = kKeep;
  uint64_t ttl_seconds = 0;  // 0 = entries do not expire
  uint64_t quota_bytes = 0;  // 0 = no limit
  Compression compression = kNone;
  uint32_t digests = 0;  // bit 1 << DigestType: computed without being asked for
  bool operator==(const PolicyRow&) const = default;

  // Whether files may be removed to make room for others.
  bool is_evictable() const { return kind != kKeep; }

  std::string Encode() const;
  static absl::StatusOr<PolicyRow> Decode(absl::string_view bytes);
  std::string DebugString() const;
  static std::vector<PolicyRow> TestInstances();
};

}  // namespace fs

#endif  // FS_FORMAT_VOLUME_ROW_H_
