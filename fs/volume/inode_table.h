// InodeTable: the inodes that somebody holds: the kernel, by references, or a call, by pins.
//
// Shape:   one Inode per number. It is made by the first pin and goes with the last pin
//          and reference; its row is loaded by the first pin and may be dropped when no
//          call uses it, so that inodes that are merely known cost little memory.
// Life:    an orphan that nobody holds any more waits in the table for NextOrphan().
// Bounds:  rows of at most kIdleRowsMax inodes stay without being pinned.
// Errors:  Pin():  Aborted (ESTALE)  no such inode
//                  other             the loader's error
// Threads: thread-safe. The table's own lock and Inode::row_mutex_ are leaves.
#ifndef FS_VOLUME_INODE_TABLE_H_
#define FS_VOLUME_INODE_TABLE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "base/mutex.h"
#include "fs/cache/engine.h"
#include "fs/format/inode_row.h"
#include "fs/format/key.h"

namespace fs {

// One of the names of an inode: where it stands.
struct Home {
  InodeNumber parent = 0;  // 0 = has no name
  uint64_t index = 0;
};

class Inode {
 public:
  explicit Inode(InodeNumber number) : number_(number) {}
  Inode(const Inode&) = delete;
  Inode& operator=(const Inode&) = delete;

  InodeNumber number() const { return number_; }
  // Held by whoever changes an inode that is no directory, over its whole change.
  // Two at once: by ascending number.
  base::Mutex& mutex() const ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  // REQUIRES: pinned.
  InodeRow row() const ABSL_LOCKS_EXCLUDED(row_mutex_);
  uint32_t mode() const ABSL_LOCKS_EXCLUDED(row_mutex_);
  uint64_t size_bytes() const ABSL_LOCKS_EXCLUDED(row_mutex_);
  // Calls `read` with the row, without copying it. `read` must take no lock.
  template <typename Function>
  auto WithRow(Function read) const ABSL_LOCKS_EXCLUDED(row_mutex_) {
    base::MutexLock lock(&row_mutex_);
    return read(static_cast<const InodeRow&>(*row_));
  }
  void set_row(InodeRow row) ABSL_LOCKS_EXCLUDED(row_mutex_);

  // None if it was not asked for yet.
  absl::optional<Home> home() const ABSL_LOCKS_EXCLUDED(row_mutex_);
  void set_home(absl::optional<Home> home) ABSL_LOCKS_EXCLUDED(row_mutex_);

  // The engine's sequence of the last change.
  std::atomic<Sequence> last_sequence{0};
  // The generation of subtree versions in which all ancestors were marked as changed.
  std::atomic<uint64_t> mark{0};
  // Made by O_TMPFILE: may be linked although it has no name.
  std::atomic<bool> linkable{false};
  // Its row is gone; whoever still pins it gets ESTALE.
  std::atomic<bool> removed{false};

 private:
  friend class InodeTable;

  const InodeNumber number_;
  mutable base::Mutex mutex_;
  mutable base::Mutex row_mutex_;
  std::unique_ptr<InodeRow> row_ ABSL_GUARDED_BY(row_mutex_);  // null = not loaded
  bool home_known_ ABSL_GUARDED_BY(row_mutex_) = false;
  Home home_ ABSL_GUARDED_BY(row_mutex_);
  // Guarded by the table's mutex.
  uint64_t references_ = 0;
  uint32_t pins_ = 0;
  bool orphan_ = false;
  bool queued_ = false;     // in the table's orphans_
  bool holds_row_ = false;  // in the table's row_holders_
};

class InodeTable;

// A pin: keeps the inode and its row in memory.
//
// Threads: thread-compatible.
class InodePin {
 public:
  InodePin() = default;
  InodePin(InodePin&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)), inode_(std::exchange(other.inode_, nullptr)) {}
  InodePin& operator=(InodePin&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(inode_, other.inode_);
    return *this;
  }
  ~InodePin();

  Inode& operator*() const { return *inode_; }
  Inode* operator->() const { return inode_; }
  explicit operator bool() const { return inode_ != nullptr; }

 private:
  friend class InodeTable;
  InodePin(InodeTable* table, Inode* inode) : table_(table), inode_(inode) {}

  InodeTable* table_ = nullptr;
  Inode* inode_ = nullptr;
};

class InodeTable {
 public:
  static constexpr size_t kIdleRowsMax = 16384;
  // ESTALE (base::ErrnoOf) for what is not there.
  using Loader = std::function<absl::StatusOr<InodeRow>(InodeNumber)>;

  explicit InodeTable(Loader load) : load_(std::move(load)) {}
  ~InodeTable();

  absl::StatusOr<InodePin> Pin(InodeNumber number) ABSL_LOCKS_EXCLUDED(mutex_);
  // A new inode. REQUIRES: `number` was never used.
  InodePin Insert(InodeNumber number, InodeRow row) ABSL_LOCKS_EXCLUDED(mutex_);

  void TakeReference(Inode& inode) ABSL_LOCKS_EXCLUDED(mutex_);
  // True if an orphan waits to be removed now.
  bool Forget(InodeNumber number, uint64_t count) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetOrphan(Inode& inode, bool orphan) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether nobody holds `inode` but the caller, by one pin.
  bool IsHeldOnlyHere(const Inode& inode) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsReferenced(const Inode& inode) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsReferenced(InodeNumber number) const ABSL_LOCKS_EXCLUDED(mutex_);
  // An orphan that nobody holds; each is given once.
  absl::StatusOr<absl::optional<InodePin>> NextOrphan() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasOrphans() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The highest last_sequence of the inodes that have left the table.
  Sequence forgotten_sequence() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class InodePin;

  void Unpin(Inode* inode) ABSL_LOCKS_EXCLUDED(mutex_);
  // After a pin or a reference went.
  void ReleaseIfIdle(Inode* inode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldRows() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadRow(Inode* inode) ABSL_LOCKS_EXCLUDED(mutex_);

  // Constant after construction.
  const Loader load_;

  mutable base::Mutex mutex_;
  absl::flat_hash_map<InodeNumber, std::unique_ptr<Inode>> inodes_ ABSL_GUARDED_BY(mutex_);
  std::vector<InodeNumber> orphans_ ABSL_GUARDED_BY(mutex_);
  std::deque<InodeNumber> row_holders_ ABSL_GUARDED_BY(mutex_);
  Sequence forgotten_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fs

#endif  // FS_VOLUME_INODE_TABLE_H_
