// A Listing is the content of one directory: names and kinds, in the order of the bytes of full
// paths (a directory sorts as if its name ended in '/').
//
// Bounds:  about 24 bytes and the name for each entry.
// Threads: thread-safe once made.
#ifndef HASHCACHE_WALK_LISTING_H_
#define HASHCACHE_WALK_LISTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hashcache/tree.h"

namespace hashcache {

class Listing {
 public:
  struct Entry {
    uint64_t inode;
    uint32_t name_offset;
    uint16_t name_size;
    EntryKind kind;
    bool kind_known;  // false: ask stat
  };

  // Reads the directory `fd` to its end, with `buffer` to work in; -errno or 0.
  int Read(int fd, absl::Span<char> buffer);
  void Sort();
  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // NUL-terminated in memory.
  absl::string_view Name(const Entry& entry) const {
    return absl::string_view(names_.data() + entry.name_offset, entry.name_size);
  }
  // The entry called `name`, else nullptr; before Sort() too.
  const Entry* Find(absl::string_view name) const;

 private:
  std::string names_;
  std::vector<Entry> entries_;
};

}  // namespace hashcache

#endif  // HASHCACHE_WALK_LISTING_H_
