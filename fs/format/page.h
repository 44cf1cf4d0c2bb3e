// A Page is one node of the tree: sorted cells, used in memory as it lies on disk.
//
// Shape:   header 64 B | common prefix of all keys | slots, growing up | free | cells,
//          growing down. A slot is {head u32, offset u16, key bytes u16}, head being the
//          first four bytes of the key after the prefix as a big-endian number, so that a
//          search seldom leaves the slots. A cell is {value bytes u16, key, value}.
//          Leaves (level 0) hold rows; the values of other levels are PageRef, and the
//          key of slot 0 counts as lower than every key.
// Errors:  Verify() tells what cannot be; nothing else looks at unverified bytes.
// Threads: thread-compatible.
// Source:  fs/format/FORMAT.md, "Page"; rules V20 to V27.
#ifndef FS_FORMAT_PAGE_H_
#define FS_FORMAT_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/format/block_header.h"
#include "fs/format/superblock.h"

namespace fs {

struct PageHeader {
  BlockHeader header;  // generation: of the checkpoint that wrote it; length: the page's size
  uint8_t level = 0;
  uint8_t reserved0 = 0;
  uint16_t count = 0;
  uint16_t prefix_bytes = 0;
  uint16_t heap_begin = 0;  // of the lowest cell
  uint16_t dead_bytes = 0;  // of cells that no slot points to
  uint16_t reserved1 = 0;
  uint32_t reserved2 = 0;
  uint64_t reserved3 = 0;
};
constexpr size_t kPageHeaderBytes = 64;
static_assert(sizeof(PageHeader) == kPageHeaderBytes);
static_assert(offsetof(PageHeader, heap_begin) == 46);
static_assert(std::has_unique_object_representations_v<PageHeader>);

// The longest key and value together: four of them fit a page with any prefix.
constexpr size_t RowBytesMax(size_t page_bytes) { return page_bytes / 4 - 64; }
constexpr size_t kKeyBytesMax = 512;

class Page {
 public:
  struct Slot {
    uint32_t head;
    uint16_t offset;
    uint16_t key_bytes;
  };

  // A view of `bytes`, which start at a multiple of 8 and outlive it.
  Page(uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  // Makes an empty page; `prefix` will be that of every key.
  void Init(int level, absl::string_view prefix);

  int level() const { return header().level; }
  int count() const { return header().count; }
  absl::string_view prefix() const { return {chars() + kPageHeaderBytes, header().prefix_bytes}; }
  absl::string_view KeySuffix(int i) const { return {chars() + slots()[i].offset + 2, slots()[i].key_bytes}; }
  absl::string_view Value(int i) const;
  // For changing a value without changing its size.
  char* MutableValue(int i) { return const_cast<char*>(Value(i).data()); }
  std::string Key(int i) const { return std::string(prefix()).append(KeySuffix(i).data(), slots()[i].key_bytes); }

  // The first i whose key is >= `key`, count() if there is none.
  int LowerBound(absl::string_view key, bool* equal) const;
  // Of a page above the leaves: the child that `key` belongs to. REQUIRES: count() > 0.
  int ChildIndex(absl::string_view key) const;

  // False if it does not fit, or `key` does not begin with the prefix: nothing changed.
  // REQUIRES: i == LowerBound(key), which is not equal.
  bool Insert(int i, absl::string_view key, absl::string_view value);
  // False if it does not fit: nothing changed.
  bool Replace(int i, absl::string_view value);
  void Erase(int i);
  // Adds a cell behind all others. False as Insert().
  bool Append(absl::string_view key, absl::string_view value) { return Insert(count(), key, value); }

  // Bytes in use, the header not counted, dead ones neither.
  size_t UsedBytes() const;
  size_t CapacityBytes() const { return size_ - kPageHeaderBytes; }
  static size_t CellBytes(size_t key_suffix_bytes, size_t value_bytes) {
    return sizeof(Slot) + 2 + key_suffix_bytes + value_bytes;
  }

  // Writes the block header and seals it. REQUIRES: every field of the caller's is final.
  void Seal(uint64_t volume_id, uint64_t generation, uint64_t address);

  uint8_t* bytes() { return bytes_; }
  const PageHeader& header() const { return *reinterpret_cast<const PageHeader*>(bytes_); }

 private:
  PageHeader& mutable_header() { return *reinterpret_cast<PageHeader*>(bytes_); }
  const char* chars() const { return reinterpret_cast<const char*>(bytes_); }
  size_t SlotsBegin() const { return (kPageHeaderBytes + header().prefix_bytes + 3) / 4 * 4; }
  const Slot* slots() const { return reinterpret_cast<const Slot*>(bytes_ + SlotsBegin()); }
  Slot* slots() { return reinterpret_cast<Slot*>(bytes_ + SlotsBegin()); }
  size_t SlotsEnd() const { return SlotsBegin() + size_t{header().count} * sizeof(Slot); }
  int Compare(int i, absl::string_view suffix, uint32_t head) const;
  // Makes `size` contiguous bytes free between slots and cells, if they exist at all.
  bool MakeRoom(size_t size);
  void Compact();

  uint8_t* bytes_;
  size_t size_;
};

// Checks a page that came from outside: block header and all V-rules of one page.
// Errors: DataLoss; Unimplemented as CheckBlock()
absl::Status VerifyPage(absl::Span<const uint8_t> bytes, uint64_t volume_id, const PageRef& ref);

std::string DebugString(const Page& page);
std::vector<std::vector<uint8_t>> PageTestInstances(size_t page_bytes, uint64_t volume_id, uint64_t address);

}  // namespace fs

#endif  // FS_FORMAT_PAGE_H_
