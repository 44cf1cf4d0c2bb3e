// Keys of the one ordered table: (inode, type, suffix), sorted as bytes.
//
// Shape:   inode u64 big-endian | type u8 | suffix, by type:
//            kInode          -                        -> inode row
//            kBackReference  parent u64, index u64    -> - (one for each name)
//            kXattr          name bytes               -> value
//            kExtent         file offset u64          -> extent row (the engine's own)
//            kName           name hash u64, n u32     -> child, index, name
//            kOrder          creation index u64       -> child, type, name
//          Rows of the volume as a whole have inode 0 and types from kOrphan on:
//            kOrphan         inode u64                -> -
//            kExpiry         minute u64, inode u64    -> -
//            kPolicy         policy id u32            -> policy
//            kUsage          policy id u32            -> bytes and files used
//            kChunk          chunk index u32          -> chunk state (the engine's own)
//            kSharedExtent   device address u64       -> count (reserved)
//            kOwner          chunk u32, block u32     -> the extent there (the engine's own)
//            kCounter        counter id u32           -> u64
//          So an inode lies next to all that belongs to it.
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_FORMAT_KEY_H_
#define FS_FORMAT_KEY_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "base/endian.h"

namespace fs {

using InodeNumber = uint64_t;

// 0 is reserved; the numbers are on disk and never change their meaning.
enum class RowType : uint8_t {
  kInode = 1,
  kBackReference = 2,
  kXattr = 3,
  kExtent = 4,
  kName = 5,
  kOrder = 6,
  kOrphan = 16,
  kExpiry = 17,
  kPolicy = 18,
  kUsage = 19,
  kChunk = 20,
  kSharedExtent = 21,
  kCounter = 22,
  kOwner = 23,
};

constexpr size_t kKeyHeaderBytes = 9;

// (inode, type) without a suffix: the first possible key of that type.
inline std::string RowKey(InodeNumber inode, RowType type) {
  std::string key(kKeyHeaderBytes, '\0');
  base::StoreBig<uint64_t>(key.data(), inode);
  key[8] = static_cast<char>(type);
  return key;
}

inline std::string RowKey(InodeNumber inode, RowType type, absl::string_view suffix) {
  std::string key = RowKey(inode, type);
  key.append(suffix.data(), suffix.size());
  return key;
}

inline std::string RowKey(InodeNumber inode, RowType type, uint64_t first) {
  char suffix[8];
  base::StoreBig<uint64_t>(suffix, first);
  return RowKey(inode, type, absl::string_view(suffix, sizeof suffix));
}

inline std::string RowKey(InodeNumber inode, RowType type, uint64_t first, uint64_t second) {
  char suffix[16];
  base::StoreBig<uint64_t>(suffix, first);
  base::StoreBig<uint64_t>(suffix + 8, second);
  return RowKey(inode, type, absl::string_view(suffix, sizeof suffix));
}

// The key just past every row of (inode, type): the end of a scan.
inline std::string RowEnd(InodeNumber inode, RowType type) {
  std::string key = RowKey(inode, type);
  key[8] = static_cast<char>(static_cast<uint8_t>(type) + 1);
  return key;
}

// Parts of a key that was read back. REQUIRES: key.size() >= kKeyHeaderBytes.
inline InodeNumber KeyInode(absl::string_view key) { return base::LoadBig<uint64_t>(key.data()); }
inline RowType KeyType(absl::string_view key) { return static_cast<RowType>(static_cast<uint8_t>(key[8])); }
inline absl::string_view KeySuffix(absl::string_view key) { return key.substr(kKeyHeaderBytes); }

}  // namespace fs

#endif  // FS_FORMAT_KEY_H_
