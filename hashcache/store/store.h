// A Store remembers the digests of one filesystem's files across runs.
//
// Shape:   a directory with `state` (which generation counts), `base.<generation>` (immutable,
//          mapped), `log.<generation>` (records appended since) and `lock`.
// Durable: what Flush() wrote survives the process. Nothing is synced on the way: after power loss
//          records may be missing, which costs a re-hash. Compaction syncs and renames. A process
//          may be killed between any two calls.
// Trust:   every record has its own checksum; whatever does not check is a miss.
// Errors:  reading never fails, it misses. Flush and Compact: the file's errno. A store that cannot
//          be written at all is used read-only, with problem().
// Threads: thread-safe; Find and MayHave take no lock. Any number of processes.
#ifndef HASHCACHE_STORE_STORE_H_
#define HASHCACHE_STORE_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/os/file.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/store/record.h"
#include "hashcache/store/table.h"

namespace hashcache {

struct StoreOptions {
  std::string directory;                                 // made if absent
  std::string filesystem_id;                             // whose files these are; another id finds nothing
  base::Clock* clock = nullptr;                          // nullptr = the real one
  Filesystem* filesystem = nullptr;                      // for the time since boot
  int entry_days_max = 90;                               // unseen for longer: dropped at compaction
  size_t journal_memory_max = 32 << 20;                  // compacts at once when the journal is larger
  std::function<void(absl::string_view step)> on_write;  // before each change on disk; for tests
};

struct StoreStats {
  uint64_t generation = 0;
  uint64_t base_records = 0, journal_records = 0, racy_records = 0;
  uint64_t bytes_on_disk = 0;
  uint64_t damaged_records = 0;  // only counted by Verify()
};

class Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options);
  ~Store();  // flushes

  // False: certainly nothing about `inode`.
  bool MayHave(uint64_t inode) const;
  // With `racy` set where the clock was set back since (R6).
  absl::optional<Record> Find(uint64_t inode) const;
  // Kept in memory until 64 KiB are gathered or Flush().
  void Put(const Record& record) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes a new generation without what is outdated; `drop_all`: an empty one.
  absl::Status Compact(bool drop_all = false) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the journal has outgrown a quarter of the base.
  bool WantsCompaction() const;

  StoreStats Stats() const;
  // Reads every record. DataLoss if any is damaged; `stats` counts them.
  absl::Status Verify(StoreStats* stats) const;
  const std::string& filesystem_id() const { return options_.filesystem_id; }
  // Why nothing can be written, else OK.
  absl::Status problem() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct ClockStep {
    int64_t from_ns, to_ns;
    size_t journal_count;  // journal records from here on came after the step
  };
  // One generation as loaded; replaced as a whole.
  struct Generation {
    uint64_t number = 0;
    BaseTable base;
    JournalTable journal;
    std::vector<ClockStep> steps;
    Session last;
    uint64_t log_bytes_read = 0;
    size_t damaged = 0;
  };

  explicit Store(StoreOptions options);
  uint64_t CurrentNumber() const;
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void ReadLog(int fd, absl::string_view filesystem_id, Generation* generation);
  static void Apply(const uint8_t* bytes, Generation* generation);
  Session NowSession() const;
  absl::optional<Record> StepSince(const Session& last, const Session& now) const;
  absl::Status FlushLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendLocked(absl::string_view records) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenLog(uint64_t number, bool create) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CompactLocked(bool drop_all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteBase(uint64_t number, bool drop_all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteState(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveOthers(uint64_t keep) const;
  void Step(absl::string_view name) const {
    if (options_.on_write) options_.on_write(name);
  }
  std::string Path(absl::string_view kind, uint64_t number) const;
  std::string Path(absl::string_view name) const;
  static bool InStep(const Generation& generation, const Record& record, size_t journal_index);

  const StoreOptions options_;
  base::Clock& clock_;
  Filesystem& filesystem_;
  std::atomic<Generation*> current_{nullptr};

  mutable base::Mutex mutex_;
  std::vector<std::unique_ptr<Generation>> generations_ ABSL_GUARDED_BY(mutex_);  // old ones stay for readers
  base::Fd log_ ABSL_GUARDED_BY(mutex_);
  uint64_t log_number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string pending_ ABSL_GUARDED_BY(mutex_);  // encoded, not yet appended
  bool session_written_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status problem_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hashcache

#endif  // HASHCACHE_STORE_STORE_H_
