// RawDiskCache::Impl: see raw_disk_cache.h. Buffered work is in the engine already, where
// all readers see it; what is counted here is only how much of it awaits a flush.
//
// Threads: thread-safe. No lock is held over calls of the volume or of callbacks.
#ifndef FS_VOLUME_RAW_DISK_CACHE_IMPL_H_
#define FS_VOLUME_RAW_DISK_CACHE_IMPL_H_

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "fs/volume/open_volume.h"
#include "fs/volume/raw_disk_cache.h"

namespace fs {

class RawDiskCache::Impl {
 public:
  // `owned` is empty if the volume is somebody else's.
  Impl(Volume& volume, InodeNumber root, const RawDiskCacheOptions& options, OpenedVolume owned)
      : options_(options),
        owned_(std::move(owned)),
        volume_(volume),
        root_(root),
        opened_ns_(options.clock->MonotonicNs()),
        readers_("cache-read", options.read_threads) {}
  ~Impl() { Close().IgnoreError(); }

  absl::Status Start();
  absl::Status Put(absl::Span<const CacheEntry> entries);
  absl::Status Store(const CacheEntry& entry);
  absl::Status StoreBuffered(absl::Span<const CacheEntry> entries);
  absl::StatusOr<std::string> Lookup(absl::string_view key);
  std::vector<absl::StatusOr<std::string>> LookupBatch(absl::Span<const absl::string_view> keys);
  absl::StatusOr<bool> Remove(absl::string_view key);
  std::vector<absl::StatusOr<bool>> RemoveBatch(absl::Span<const absl::string_view> keys);
  absl::Status Flush(Priority priority);
  void FlushAsync(Priority priority, Done done);
  void StoreAsync(const CacheEntry& entry, Done done);
  void LookupAsync(absl::string_view key, LookupDone done);
  RawDiskCacheStats Stats() const;
  Volume& volume() { return volume_; }
  absl::Status Close();

 private:
  // What is buffered up to now; taken before a flush, settled after it.
  struct Pending {
    uint64_t operations = 0;
    uint64_t bytes = 0;
  };

  int64_t NowNs() const { return options_.clock->MonotonicNs(); }
  absl::StatusOr<InodeNumber> DirectoryOf(absl::Span<const absl::string_view> parts, bool make);
  absl::StatusOr<Attributes> Find(absl::string_view key);
  absl::StatusOr<std::string> ReadWhole(const Attributes& file);
  // From memory alone; none if the disk is needed.
  absl::StatusOr<absl::optional<std::string>> TryLookup(absl::string_view key);
  absl::Status CheckOpen() const;
  absl::StatusOr<FileToStore> Prepare(const CacheEntry& entry);
  // Nothing if there is no such entry.
  absl::StatusOr<absl::optional<FileToStore>> PrepareRemoval(absl::string_view key);
  void NoteBuffered(uint64_t operations, uint64_t bytes, EntryPriority priority) ABSL_LOCKS_EXCLUDED(mutex_);
  Pending TakePending() ABSL_LOCKS_EXCLUDED(mutex_);
  void Settle(const Pending& pending, const absl::Status& status, int64_t start_ns) ABSL_LOCKS_EXCLUDED(mutex_);
  void RunPeriodically() ABSL_LOCKS_EXCLUDED(mutex_);

  // Constant after construction.
  const RawDiskCacheOptions options_;
  OpenedVolume owned_;  // empty on a volume of somebody else's
  Volume& volume_;
  const InodeNumber root_;
  const int64_t opened_ns_;
  const Credentials credentials_;

  std::atomic<uint64_t> stores_{0}, buffered_stores_{0}, removes_{0}, lookups_{0}, hits_{0};
  std::atomic<uint64_t> flushes_{0}, failed_flushes_{0}, flushed_operations_{0};
  std::atomic<bool> closed_{false};
  LatencyCounter store_latency_, buffered_latency_, flush_latency_, lookup_latency_, batch_latency_;

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  uint64_t unflushed_operations_ ABSL_GUARDED_BY(mutex_) = 0;  // since the last flush began
  uint64_t unflushed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t flushing_operations_ ABSL_GUARDED_BY(mutex_) = 0;  // in flushes that run
  uint64_t flushing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t flushes_running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  base::ThreadPool readers_;
  std::thread periodic_;
};

}  // namespace fs

#endif  // FS_VOLUME_RAW_DISK_CACHE_IMPL_H_
