#include "fs/format/page.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"

namespace fs {
namespace {

// The first four bytes as a number that sorts like them, zeros where there are none.
uint32_t Head(absl::string_view suffix) {
  if (suffix.size() >= 4) return base::LoadBig<uint32_t>(suffix.data());
  char bytes[4] = {};
  std::memcpy(bytes, suffix.data(), suffix.size());
  return base::LoadBig<uint32_t>(bytes);
}

absl::Status Bad(const char* rule, int slot) {
  return absl::DataLossError(absl::StrFormat("page rule %s broken; slot %d", rule, slot));
}

}  // namespace

void Page::Init(int level, absl::string_view prefix) {
  std::memset(bytes_, 0, kPageHeaderBytes);
  PageHeader& h = mutable_header();
  h.level = static_cast<uint8_t>(level);
  h.prefix_bytes = static_cast<uint16_t>(prefix.size());
  h.heap_begin = static_cast<uint16_t>(size_);
  std::memcpy(bytes_ + kPageHeaderBytes, prefix.data(), prefix.size());
  std::memset(bytes_ + kPageHeaderBytes + prefix.size(), 0, SlotsBegin() - kPageHeaderBytes - prefix.size());
}

absl::string_view Page::Value(int i) const {
  const Slot& slot = slots()[i];
  const char* cell = chars() + slot.offset;
  return {cell + 2 + slot.key_bytes, base::LoadLittle<uint16_t>(cell)};
}

int Page::Compare(int i, absl::string_view suffix, uint32_t head) const {
  const Slot& slot = slots()[i];
  if (slot.head != head) return slot.head < head ? -1 : 1;
  return KeySuffix(i).compare(suffix);
}

int Page::LowerBound(absl::string_view key, bool* equal) const {
  *equal = false;
  const absl::string_view own = prefix();
  if (!absl::StartsWith(key, own)) return key.compare(own) < 0 ? 0 : count();
  const absl::string_view suffix = key.substr(own.size());
  const uint32_t head = Head(suffix);
  int low = 0, high = count();
  while (low < high) {
    const int middle = (low + high) / 2;
    const int order = Compare(middle, suffix, head);
    if (order == 0) {
      *equal = true;
      return middle;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int Page::ChildIndex(absl::string_view key) const {
  bool equal;
  const int i = LowerBound(key, &equal);
  return equal || i == 0 ? i : i - 1;
}

size_t Page::UsedBytes() const {
  return SlotsEnd() - kPageHeaderBytes + (size_ - header().heap_begin - header().dead_bytes);
}

void Page::Compact() {
  std::vector<uint8_t> old(bytes_, bytes_ + size_);
  size_t at = size_;
  for (int i = 0; i < count(); ++i) {
    Slot& slot = slots()[i];
    const size_t cell = 2 + size_t{slot.key_bytes} + base::LoadLittle<uint16_t>(old.data() + slot.offset);
    at -= cell;
    std::memcpy(bytes_ + at, old.data() + slot.offset, cell);
    slot.offset = static_cast<uint16_t>(at);
  }
  mutable_header().heap_begin = static_cast<uint16_t>(at);
  mutable_header().dead_bytes = 0;
}

bool Page::MakeRoom(size_t size) {
  const size_t gap = header().heap_begin - SlotsEnd();
  if (gap >= size) return true;
  if (gap + header().dead_bytes < size) return false;
  Compact();
  return true;
}

bool Page::Insert(int i, absl::string_view key, absl::string_view value) {
  if (!absl::StartsWith(key, prefix())) return false;
  const absl::string_view suffix = key.substr(header().prefix_bytes);
  if (!MakeRoom(CellBytes(suffix.size(), value.size()))) return false;
  const size_t cell_bytes = 2 + suffix.size() + value.size();
  const size_t at = header().heap_begin - cell_bytes;
  uint8_t* cell = bytes_ + at;
  base::StoreLittle<uint16_t>(cell, static_cast<uint16_t>(value.size()));
  std::memcpy(cell + 2, suffix.data(), suffix.size());
  if (!value.empty()) std::memcpy(cell + 2 + suffix.size(), value.data(), value.size());
  Slot* all = slots();
  std::memmove(all + i + 1, all + i, (count() - i) * sizeof(Slot));
  all[i] = {Head(suffix), static_cast<uint16_t>(at), static_cast<uint16_t>(suffix.size())};
  mutable_header().heap_begin = static_cast<uint16_t>(at);
  ++mutable_header().count;
  return true;
}

bool Page::Replace(int i, absl::string_view value) {
  const absl::string_view old = Value(i);
  if (old.size() == value.size()) {
    if (!value.empty()) std::memcpy(MutableValue(i), value.data(), value.size());
    return true;
  }
  // Whether it fits once the old cell is gone; only then may that go.
  const size_t key_bytes = slots()[i].key_bytes;
  const size_t room = header().heap_begin - SlotsEnd() + header().dead_bytes + 2 + key_bytes + old.size();
  if (room < 2 + key_bytes + value.size()) return false;
  const std::string key = Key(i);
  Erase(i);
  return Insert(i, key, value);
}

void Page::Erase(int i) {
  Slot* all = slots();
  const size_t cell_bytes = 2 + size_t{all[i].key_bytes} + Value(i).size();
  if (all[i].offset == header().heap_begin) {
    mutable_header().heap_begin = static_cast<uint16_t>(header().heap_begin + cell_bytes);
  } else {
    mutable_header().dead_bytes = static_cast<uint16_t>(header().dead_bytes + cell_bytes);
  }
  std::memmove(all + i, all + i + 1, (count() - i - 1) * sizeof(Slot));
  if (--mutable_header().count == 0) {
    mutable_header().heap_begin = static_cast<uint16_t>(size_);
    mutable_header().dead_bytes = 0;
  }
}

void Page::Seal(uint64_t volume_id, uint64_t generation, uint64_t address) {
  BlockHeader& h = mutable_header().header;
  h = BlockHeader();
  h.type = BlockType::kPage;
  h.volume_id = volume_id;
  h.generation = generation;
  h.address = address;
  h.length = static_cast<uint32_t>(size_);
  // What lies between slots and cells is left over from old cells; no need to keep it.
  std::memset(bytes_ + SlotsEnd(), 0, header().heap_begin - SlotsEnd());
  SealBlock(absl::MakeSpan(bytes_, size_));
}

absl::Status VerifyPage(absl::Span<const uint8_t> bytes, uint64_t volume_id, const PageRef& ref) {
  RETURN_IF_ERROR(CheckBlock(bytes, {BlockType::kPage, volume_id, ref.address}));
  PageHeader h;
  std::memcpy(&h, bytes.data(), sizeof h);
  if (h.header.length != bytes.size()) return Bad("V20", -1);
  if (h.header.generation != ref.generation || h.header.crc32c != ref.crc32c) {
    return absl::DataLossError(absl::StrFormat(
        "V21: stale page; its parent names generation %d crc %08x, it is generation %d crc %08x", ref.generation,
        ref.crc32c, h.header.generation, h.header.crc32c));
  }
  const size_t slots_begin = (kPageHeaderBytes + h.prefix_bytes + 3) / 4 * 4;
  const size_t slots_end = slots_begin + size_t{h.count} * sizeof(Page::Slot);
  if (h.prefix_bytes > kKeyBytesMax || slots_end > h.heap_begin || h.heap_begin > bytes.size()) return Bad("V22", -1);
  if (h.level > 15) return Bad("V23", -1);
  size_t used = 0;
  const auto* slots = reinterpret_cast<const Page::Slot*>(bytes.data() + slots_begin);
  const char* chars = reinterpret_cast<const char*>(bytes.data());
  absl::string_view previous;
  for (int i = 0; i < h.count; ++i) {
    const Page::Slot& slot = slots[i];
    if (slot.offset < h.heap_begin || size_t{slot.offset} + 2 + slot.key_bytes > bytes.size()) return Bad("V24", i);
    const size_t value_bytes = base::LoadLittle<uint16_t>(chars + slot.offset);
    const size_t cell_bytes = 2 + slot.key_bytes + value_bytes;
    if (slot.offset + cell_bytes > bytes.size()) return Bad("V24", i);
    if (h.level > 0 && value_bytes != sizeof(PageRef)) return Bad("V25", i);
    if (size_t{h.prefix_bytes} + slot.key_bytes > kKeyBytesMax) return Bad("V26", i);
    const absl::string_view suffix(chars + slot.offset + 2, slot.key_bytes);
    if (slot.head != Head(suffix)) return Bad("V26", i);
    if (i > 0 && previous >= suffix) return Bad("V26", i);
    previous = suffix;
    used += cell_bytes;
  }
  if (used + h.dead_bytes != bytes.size() - h.heap_begin) return Bad("V27", -1);
  return absl::OkStatus();
}

std::string DebugString(const Page& page) {
  const PageHeader& h = page.header();
  return absl::StrFormat("%s level=%d count=%d prefix_bytes=%d used=%d dead=%d", DebugString(h.header), h.level, h.count,
                         h.prefix_bytes, page.UsedBytes(), h.dead_bytes);
}

std::vector<std::vector<uint8_t>> PageTestInstances(size_t page_bytes, uint64_t volume_id, uint64_t address) {
  std::vector<std::vector<uint8_t>> instances;
  for (int kind = 0; kind < 3; ++kind) {
    std::vector<uint8_t> bytes(page_bytes);
    Page page(bytes.data(), bytes.size());
    page.Init(kind == 2 ? 1 : 0, kind == 0 ? "" : "pre");
    for (int i = 0; kind > 0 && i < 20; ++i) {
      const std::string value = kind == 2 ? std::string(sizeof(PageRef), 'r') : std::string(i * 3, 'v');
      page.Append(absl::StrFormat("pre%03d", i), value);
    }
    if (kind == 1) page.Erase(5), page.Erase(0);
    page.Seal(volume_id, 3, address);
    instances.push_back(std::move(bytes));
  }
  return instances;
}

}  // namespace fs
