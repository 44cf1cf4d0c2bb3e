// A RawDiskCache keeps values under path-like keys on one raw disk: the batched cache as a
// library. What it stores is the file that a mount of the same disk shows at that path.
//
// Keys:    "a/b/c": components of 1..255 bytes, no "." or "..", no NUL; directories on the
//          way are made. A key whose path is a directory: FailedPrecondition.
// Reads:   see every Store() and StoreBuffered() that returned before, at once.
// Atomic:  an entry is seen whole or not at all, after a crash too.
// Durable: Store() when it returns OK. StoreBuffered() after the next FlushWrites() that
//          began later, or after an automatic flush: at `flush_operations` or
//          `flush_bytes` of buffered work, or every `flush_interval`. After a crash the
//          cache holds exactly the changes up to some moment, in the order of the calls.
// Expiry:  by the entry's TTL, else the cache's. An expired entry is NotFound at once.
// Bounds:  values of at most `value_bytes_max`; with `quota_bytes` never more than that
//          below the root: the least used entries go (S3-FIFO). A full disk evicts too.
// Errors:  InvalidArgument    the key or an option can never work
//          NotFound           no such entry, or it has expired
//          ResourceExhausted  full, and nothing may be evicted
//          DataLoss           a checksum is wrong: names the address
//          FailedPrecondition a foreign disk (see `force`), closed, read-only
//          Unavailable        in use by another; or a flush failed and could not be made good
//          A failed flush loses nothing that was acknowledged and keeps the buffer.
// Threads: thread-safe. Callbacks of the asynchronous forms run without locks, on the
//          calling thread or one of the cache's; they must not wait for the cache.
// Source:  docs/tuning.md says which call to use when.
//
// Example: fs/volume/raw_disk_cache_example.cc
#ifndef FS_VOLUME_RAW_DISK_CACHE_H_
#define FS_VOLUME_RAW_DISK_CACHE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "fs/cache/latency.h"
#include "fs/volume/volume.h"

namespace fs {

enum class EntryPriority : uint8_t { kBackground, kNormal, kUrgent };

struct RawDiskCacheOptions {
  std::string path;                 // a block device, or an image file
  uint64_t size_bytes = 0;          // makes an image of this size if there is none; 0 = it must exist
  uint32_t block_bytes = 16 << 10;  // of the tree, at creation: a power of two, 4 KiB to 64 KiB
  bool force = false;               // over foreign contents
  bool read_only = false;
  absl::Duration ttl = absl::InfiniteDuration();  // of entries that name none
  uint64_t quota_bytes = 0;                       // 0 = the disk is the limit
  uint64_t value_bytes_max = uint64_t{1} << 30;
  uint64_t flush_operations = 32;                    // StoreBuffered() flushes by itself at this many,
  uint64_t flush_bytes = 4 << 20;                    //   or this many bytes; 0 = never by number
  absl::Duration flush_interval = absl::Seconds(5);  // Infinite: only by number or by hand
  size_t read_threads = 4;                           // for LookupAsync()
  base::Clock* clock = &base::Clock::Real();

  absl::Status Validate() const;
};

struct EntryOptions {
  absl::Duration ttl = absl::ZeroDuration();  // zero = the cache's
  EntryPriority priority = EntryPriority::kNormal;
};

struct RawDiskCacheStats {
  uint64_t pending_writes = 0;  // buffered and not yet known to be durable
  uint64_t buffered_bytes = 0;
  uint64_t stores = 0;
  uint64_t buffered_stores = 0;
  uint64_t removes = 0;
  uint64_t lookups = 0;
  uint64_t hits = 0;
  uint64_t flushes = 0;
  uint64_t failed_flushes = 0;
  double batch_operations_average = 0;  // stores for each flush
  double flushes_per_second = 0;
  double buffer_utilisation = 0;  // of flush_bytes or flush_operations, whichever is fuller
  LatencySnapshot store_latency;  // durable
  LatencySnapshot buffered_store_latency;
  LatencySnapshot flush_latency;
  LatencySnapshot lookup_latency;
  LatencySnapshot batch_lookup_latency;  // of whole batches
  uint64_t evicted_entries = 0;
  uint64_t expired_entries = 0;
  VolumeStat space;

  double hit_ratio() const { return lookups == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(lookups); }
};

struct CacheEntry {
  absl::string_view key;
  absl::string_view value;
  EntryOptions options;
};

class RawDiskCache {
 public:
  using Done = std::function<void(absl::Status)>;
  using LookupDone = std::function<void(absl::StatusOr<std::string>)>;

  static absl::StatusOr<std::unique_ptr<RawDiskCache>> Open(const RawDiskCacheOptions& options);
  // On a volume that is open already, below one of its directories. `path`, `size_bytes`,
  // `block_bytes` and `force` do not count. `volume` must outlive the cache.
  static absl::StatusOr<std::unique_ptr<RawDiskCache>> OnVolume(Volume& volume, InodeNumber root,
                                                                const RawDiskCacheOptions& options);
  ~RawDiskCache();  // as Close(), without an answer
  RawDiskCache(const RawDiskCache&) = delete;
  RawDiskCache& operator=(const RawDiskCache&) = delete;

  // --- one entry
  absl::Status Store(absl::string_view key, absl::string_view value, const EntryOptions& options = {});
  absl::Status StoreBuffered(absl::string_view key, absl::string_view value, const EntryOptions& options = {});
  absl::StatusOr<std::string> Lookup(absl::string_view key);
  // True if there was one. Buffered, as StoreBuffered().
  absl::StatusOr<bool> Remove(absl::string_view key);

  // --- many. Answers are in the order of the question, each with its own status.
  // All entries appear at one moment or none does; buffered.
  absl::Status StoreBatch(absl::Span<const CacheEntry> entries);
  std::vector<absl::StatusOr<std::string>> LookupBatch(absl::Span<const absl::string_view> keys);
  // All that are there go at one moment; buffered.
  std::vector<absl::StatusOr<bool>> RemoveBatch(absl::Span<const absl::string_view> keys);

  // Everything that was stored or removed before is durable when it returns OK: one flush
  // of the device, shared with whoever else waits.
  absl::Status FlushWrites();

  // --- asynchronous forms. `done` is called once.
  // The value is taken over before the call returns; `done` tells when it is durable.
  void StoreAsync(absl::string_view key, absl::string_view value, const EntryOptions& options, Done done);
  void LookupAsync(absl::string_view key, LookupDone done);
  void FlushWritesAsync(Done done);

  RawDiskCacheStats Stats() const;
  Volume& volume();
  // Everything is durable and the disk is let go after OK.
  absl::Status Close();

 private:
  class Impl;
  explicit RawDiskCache(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fs

#endif  // FS_VOLUME_RAW_DISK_CACHE_H_
