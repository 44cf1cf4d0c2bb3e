// A Snapshot is how a tree looked: every directory with the fingerprints of its
// entries. Comparing with one tells what changed without reading any file.
//
// Shape:   header (64 bytes), blocks, all little-endian. A block is one directory, in the
//          order of the walk:
//            block size u32 | entry count u32 | inode u64 | device u64 | mtime i64 |
//            ctime i64 | path size u16 | flags u16 | zero u32 | path NUL | entries
//          an entry: inode u64 | size u64 | mtime i64 | ctime i64 | name size u16 |
//            kind u8 | name NUL, in the order of Listing::Sort().
//          The header holds the magic, the time it was taken, the CRC-32C of the
//          options it was taken with, the size, and the CRC-32C of all blocks.
// Errors:  DataLoss  damaged or cut short: as good as none
// Threads: thread-safe once open.
#ifndef HASHCACHE_WALK_SNAPSHOT_H_
#define HASHCACHE_WALK_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "hashcache/os/guarded_map.h"
#include "hashcache/tree.h"

namespace hashcache {

constexpr size_t kSnapshotEntrySize = 35;  // encoded, before the name

struct SnapshotEntry {
  uint64_t inode = 0, size_bytes = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  EntryKind kind = EntryKind::kFile;
  absl::string_view name;  // followed by a NUL

  bool SameFile(const SnapshotEntry& other) const {
    return inode == other.inode && size_bytes == other.size_bytes && mtime_ns == other.mtime_ns &&
           ctime_ns == other.ctime_ns && kind == other.kind;
  }
};

struct SnapshotDirectory {
  absl::string_view path;  // "" or "a/b", followed by a NUL
  uint64_t inode = 0, device = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  uint32_t entry_count = 0;
  bool unreadable = false;
  absl::string_view entries;  // encoded
  absl::string_view block;    // all of it, to be copied
};

// Calls `visit` for each entry of encoded `entries`; stops at what does not decode.
void ForEachEntry(absl::string_view entries, absl::FunctionRef<void(const SnapshotEntry&)> visit);
void AppendEntry(const SnapshotEntry& entry, std::string* entries);
// The block of `directory` with `entries` (encoded, `entry_count` of them).
std::string EncodeDirectory(const SnapshotDirectory& directory, absl::string_view entries);
// The first block of `bytes`; nullopt if there is no whole one.
absl::optional<SnapshotDirectory> DecodeDirectory(absl::string_view bytes);

class Snapshot {
 public:
  Snapshot() = default;  // of nothing
  // Errors: FailedPrecondition  taken with other options
  static absl::StatusOr<Snapshot> Open(const std::string& path, uint32_t options_crc);
  // Writes one made of `blocks`, in order.
  static absl::Status Write(const std::string& path, uint32_t options_crc, int64_t taken_at_ns,
                            const std::vector<absl::string_view>& blocks);

  int64_t taken_at_ns() const { return taken_at_ns_; }
  // nullptr if there was no such directory.
  const SnapshotDirectory* Find(absl::string_view path) const;
  // All directories, in the order of the walk.
  const std::vector<SnapshotDirectory>& directories() const { return directories_; }
  bool faulted() const { return map_.faulted(); }

 private:
  GuardedMap map_;
  int64_t taken_at_ns_ = 0;
  std::vector<SnapshotDirectory> directories_;
  absl::flat_hash_map<absl::string_view, uint32_t> index_;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_SNAPSHOT_H_
