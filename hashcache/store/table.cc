#include "hashcache/store/table.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace hashcache {
namespace {

constexpr char kMagic[8] = {'H', 'C', 'B', 'A', 'S', 'E', '0', '1'};
constexpr size_t kRecordCountMax = size_t{1} << 31;
// A run of used slots this long happens only in a damaged table.
constexpr size_t kProbesMax = 4096;

uint64_t Hash(uint64_t inode) {
  // The finaliser of splitmix64: inodes come in runs.
  inode ^= inode >> 30;
  inode *= 0xbf58476d1ce4e5b9u;
  inode ^= inode >> 27;
  inode *= 0x94d049bb133111ebu;
  return inode ^ inode >> 31;
}

uint64_t Slot(uint64_t hash, uint64_t index) { return hash << 32 | (index + 1); }
bool TagMatches(uint64_t slot, uint64_t hash) { return slot >> 32 == (hash & 0xffffffff); }

// Where looking for `inode` begins in a table. Eight inodes in a row, as the files of
// a directory often have them, share a cache line of slots.
size_t HomeSlot(uint64_t inode, int log2_slots) {
  constexpr int kLog2PerLine = 3;
  return (Hash(inode >> kLog2PerLine) >> (64 - log2_slots + kLog2PerLine)) << kLog2PerLine | (inode & 7);
}

int Log2Slots(size_t count) {
  int log2 = 4;
  while ((size_t{1} << log2) < 2 * count) ++log2;
  return log2;
}

void EncodeHeader(absl::string_view filesystem_id, uint64_t generation, const Session& session, size_t count,
                  uint8_t* out) {
  std::memset(out, 0, kHeaderSize);
  std::memcpy(out, kMagic, sizeof kMagic);
  base::StoreLittle<uint64_t>(out + 8, generation);
  base::StoreLittle<uint64_t>(out + 16, count);
  base::StoreLittle<uint32_t>(out + 24, static_cast<uint32_t>(Log2Slots(count)));
  base::StoreLittle<uint32_t>(out + 28, Crc32c(filesystem_id.data(), filesystem_id.size()));
  base::StoreLittle<uint32_t>(out + 32, session.boot_tag);
  base::StoreLittle<uint64_t>(out + 40, static_cast<uint64_t>(session.now_ns));
  base::StoreLittle<uint64_t>(out + 48, static_cast<uint64_t>(session.clock_offset_ns));
  base::StoreLittle<uint32_t>(out + kHeaderSize - 4, Crc32c(out, kHeaderSize - 4));
}

}  // namespace

absl::StatusOr<BaseTable> BaseTable::Open(int fd, absl::string_view filesystem_id, uint64_t generation) {
  struct stat attributes;
  if (fstat(fd, &attributes) != 0) return base::ErrnoStatus(errno, "fstat");
  const auto size = static_cast<uint64_t>(attributes.st_size);
  if (size < kHeaderSize) return absl::DataLossError("shorter than a header");
  BaseTable table;
  ASSIGN_OR_RETURN(table.map_, GuardedMap::Map(fd, 0, size));
  const uint8_t* const header = table.map_.bytes().data();
  if (std::memcmp(header, kMagic, sizeof kMagic) != 0 ||
      base::LoadLittle<uint32_t>(header + kHeaderSize - 4) != Crc32c(header, kHeaderSize - 4)) {
    return absl::DataLossError("not a base table, or its header is damaged");
  }
  const uint64_t count = base::LoadLittle<uint64_t>(header + 16);
  if (base::LoadLittle<uint64_t>(header + 8) != generation ||
      base::LoadLittle<uint32_t>(header + 28) != Crc32c(filesystem_id.data(), filesystem_id.size()) ||
      count > kRecordCountMax) {
    return absl::DataLossError("a base table of another generation or filesystem");
  }
  table.count_ = count;
  table.log2_slots_ = Log2Slots(count);
  const uint64_t slots_size = uint64_t{8} << table.log2_slots_;
  if (base::LoadLittle<uint32_t>(header + 24) != static_cast<uint32_t>(table.log2_slots_) ||
      size != kHeaderSize + slots_size + count * kRecordSize) {
    return absl::DataLossError(
        absl::StrCat("a base table of ", size, " bytes cannot hold ", count, " records"));
  }
  table.slots_ = header + kHeaderSize;
  table.records_ = table.slots_ + slots_size;
  table.session_.boot_tag = base::LoadLittle<uint32_t>(header + 32);
  table.session_.now_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(header + 40));
  table.session_.clock_offset_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(header + 48));
  return table;
}

const uint8_t* BaseTable::Find(uint64_t inode) const {
  if (count_ == 0) return nullptr;
  const uint64_t hash = Hash(inode);
  const size_t mask = (size_t{1} << log2_slots_) - 1;
  size_t at = HomeSlot(inode, log2_slots_);
  for (size_t probes = 0; probes < kProbesMax; ++probes, at = (at + 1) & mask) {
    const uint64_t slot = base::LoadLittle<uint64_t>(slots_ + 8 * at);
    if (slot == 0) return nullptr;
    const uint64_t index = (slot & 0xffffffff) - 1;
    if (!TagMatches(slot, hash) || index >= count_) continue;
    const uint8_t* const record = At(index);
    if (RecordInode(record) == inode) return record;
  }
  return nullptr;
}

absl::Status WriteBaseTable(int fd, absl::string_view filesystem_id, uint64_t generation,
                            const Session& session, size_t count, absl::FunctionRef<const uint8_t*()> next) {
  std::string header(kHeaderSize, '\0');
  EncodeHeader(filesystem_id, generation, session, count, reinterpret_cast<uint8_t*>(header.data()));
  const int log2 = Log2Slots(count);
  const size_t mask = (size_t{1} << log2) - 1;
  std::vector<uint64_t> slots(mask + 1);
  constexpr size_t kBuffer = kRecordSize * 4096;
  std::string buffer;
  buffer.reserve(kBuffer);
  uint64_t offset = kHeaderSize + 8 * slots.size();
  for (size_t index = 0; index < count; ++index) {
    const uint8_t* const record = next();
    buffer.append(reinterpret_cast<const char*>(record), kRecordSize);
    const uint64_t hash = Hash(RecordInode(record));
    size_t at = HomeSlot(RecordInode(record), log2);
    while (slots[at] != 0) at = (at + 1) & mask;
    base::StoreLittle<uint64_t>(&slots[at], Slot(hash, index));
    if (buffer.size() >= kBuffer || index + 1 == count) {
      RETURN_IF_ERROR(base::PWriteFull(fd, buffer, offset));
      offset += buffer.size();
      buffer.clear();
    }
  }
  const absl::string_view slot_bytes(reinterpret_cast<const char*>(slots.data()), 8 * slots.size());
  RETURN_IF_ERROR(base::PWriteFull(fd, slot_bytes, kHeaderSize));
  return base::PWriteFull(fd, header, 0);
}

JournalTable::JournalTable() : chunks_(kRecordsMax / kChunk) {
  all_slots_.push_back(std::make_unique<Slots>(8));
  slots_ = all_slots_.back().get();
}

JournalTable::~JournalTable() {
  for (std::atomic<uint8_t*>& chunk : chunks_) delete[] chunk.load();
}

size_t JournalTable::Find(uint64_t inode) const {
  const Slots& slots = *slots_.load(std::memory_order_acquire);
  const uint64_t hash = Hash(inode);
  const size_t mask = slots.slots.size() - 1;
  for (size_t at = HomeSlot(inode, slots.log2);; at = (at + 1) & mask) {
    const uint64_t slot = slots.slots[at].load(std::memory_order_acquire);
    if (slot == 0) return kNone;
    if (!TagMatches(slot, hash)) continue;
    const size_t index = (slot & 0xffffffff) - 1;
    if (RecordInode(At(index)) == inode) return index;
  }
}

void JournalTable::Place(Slots* slots, const JournalTable& table, uint64_t inode, uint32_t index) {
  const uint64_t hash = Hash(inode);
  const size_t mask = slots->slots.size() - 1;
  for (size_t at = HomeSlot(inode, slots->log2);; at = (at + 1) & mask) {
    const uint64_t slot = slots->slots[at].load(std::memory_order_relaxed);
    const bool same =
        slot != 0 && TagMatches(slot, hash) && RecordInode(table.At((slot & 0xffffffff) - 1)) == inode;
    if (slot != 0 && !same) continue;
    slots->slots[at].store(Slot(hash, index), std::memory_order_release);
    return;
  }
}

bool JournalTable::Insert(const uint8_t* record) {
  const size_t index = count_.load(std::memory_order_relaxed);
  if (index >= kRecordsMax) return false;
  std::atomic<uint8_t*>& chunk = chunks_[index / kChunk];
  if (chunk.load(std::memory_order_relaxed) == nullptr) {
    chunk.store(new uint8_t[kChunk * kRecordSize], std::memory_order_release);
  }
  std::memcpy(chunk.load(std::memory_order_relaxed) + index % kChunk * kRecordSize, record, kRecordSize);
  Slots* slots = slots_.load(std::memory_order_relaxed);
  // Counts replaced records too: at worst the table grows early.
  if (2 * ++used_slots_ > slots->slots.size()) {
    auto larger = std::make_unique<Slots>(slots->log2 + 2);
    for (size_t i = 0; i < index; ++i) Place(larger.get(), *this, RecordInode(At(i)), static_cast<uint32_t>(i));
    slots = larger.get();
    all_slots_.push_back(std::move(larger));
    slots_.store(slots, std::memory_order_release);
  }
  Place(slots, *this, RecordInode(record), static_cast<uint32_t>(index));
  count_.store(index + 1, std::memory_order_release);
  return true;
}

std::vector<uint32_t> JournalTable::Newest() const {
  std::vector<std::pair<uint64_t, uint32_t>> by_inode;
  const Slots& slots = *slots_.load(std::memory_order_acquire);
  for (const std::atomic<uint64_t>& atomic_slot : slots.slots) {
    const uint64_t slot = atomic_slot.load(std::memory_order_acquire);
    if (slot == 0) continue;
    const auto index = static_cast<uint32_t>((slot & 0xffffffff) - 1);
    by_inode.emplace_back(RecordInode(At(index)), index);
  }
  std::sort(by_inode.begin(), by_inode.end());
  std::vector<uint32_t> newest;
  newest.reserve(by_inode.size());
  for (const auto& [inode, index] : by_inode) newest.push_back(index);
  return newest;
}

}  // namespace hashcache
