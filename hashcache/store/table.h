// The two tables that records are found in by inode: BaseTable, an immutable mapped file, and
// JournalTable, what the journal has added since, in memory.
//
// Shape:   a base file is a 128-byte header, 2^k slots of u64 (hash tag in the high half, index + 1
//          in the low one, 0 = free; at most half used, eight inodes in a row in one cache line)
//          and the records in the order of their inodes.
// Errors:  a damaged header does not open (DataLoss); a damaged slot or record is a miss.
// Threads: BaseTable is thread-safe. JournalTable: any number of readers without locks beside one
//          writer at a time.
#ifndef HASHCACHE_STORE_TABLE_H_
#define HASHCACHE_STORE_TABLE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hashcache/os/guarded_map.h"
#include "hashcache/store/record.h"

namespace hashcache {

constexpr size_t kHeaderSize = 128;

// What is known of the clock when the tables were last written.
struct Session {
  uint32_t boot_tag = 0;  // 0 = none yet
  int64_t now_ns = 0;
  int64_t clock_offset_ns = 0;  // now - time since boot
};

class BaseTable {
 public:
  BaseTable() = default;  // empty
  // `filesystem_id` and `generation` must be those it was written with.
  static absl::StatusOr<BaseTable> Open(int fd, absl::string_view filesystem_id, uint64_t generation);

  // The record of `inode`, unchecked but for its inode; nullptr if there is
  // none.
  const uint8_t* Find(uint64_t inode) const;
  size_t count() const { return count_; }
  const uint8_t* At(size_t index) const { return records_ + index * kRecordSize; }
  const Session& session() const { return session_; }
  bool faulted() const { return map_.faulted(); }

 private:
  GuardedMap map_;
  const uint8_t* slots_ = nullptr;
  const uint8_t* records_ = nullptr;
  size_t count_ = 0;
  int log2_slots_ = 0;
  Session session_;
};

// Writes a base file to `fd`. `next` gives `count` records (their encoded
// bytes), in ascending order of inode, one per call.
absl::Status WriteBaseTable(int fd, absl::string_view filesystem_id, uint64_t generation,
                            const Session& session, size_t count, absl::FunctionRef<const uint8_t*()> next);

class JournalTable {
 public:
  static constexpr size_t kRecordsMax = size_t{1} << 24;

  JournalTable();
  ~JournalTable();
  static constexpr size_t kNone = ~size_t{0};
  // The position of the newest record of `inode`, else kNone.
  size_t Find(uint64_t inode) const;
  // Writer only. False if the table is full: compact.
  bool Insert(const uint8_t* record);
  size_t count() const { return count_.load(std::memory_order_acquire); }  // with those replaced
  // Lives as long as the table.
  const uint8_t* At(size_t index) const {
    return chunks_[index / kChunk].load(std::memory_order_acquire) + index % kChunk * kRecordSize;
  }
  // The position of the newest record of each inode, ascending by inode.
  std::vector<uint32_t> Newest() const;

 private:
  static constexpr size_t kChunk = 1024;
  struct Slots {
    explicit Slots(int log2_size) : log2(log2_size), slots(size_t{1} << log2_size) {}
    int log2;
    std::vector<std::atomic<uint64_t>> slots;
  };
  static void Place(Slots* slots, const JournalTable& table, uint64_t inode, uint32_t index);

  std::atomic<size_t> count_{0};
  std::atomic<Slots*> slots_;
  std::vector<std::unique_ptr<Slots>> all_slots_;  // outgrown ones stay for readers
  size_t used_slots_ = 0;
  std::vector<std::atomic<uint8_t*>> chunks_;
};

}  // namespace hashcache

#endif  // HASHCACHE_STORE_TABLE_H_
