// The engine on a raw device: making a volume, opening one, and what it tells about itself.
//
// Errors:  Mkfs, OpenEngine: FailedPrecondition  foreign or damaged contents, read-only device
//                            InvalidArgument     options that can never work
//                            DataLoss            no valid superblock, damaged tree or log
//                            Unimplemented       a newer format
// Threads: thread-safe.
// Source:  fs/format/FORMAT.md.
//
// Example:
//   RETURN_IF_ERROR(Mkfs(device, MkfsOptions()));
//   ASSIGN_OR_RETURN(std::unique_ptr<RawEngine> engine, OpenEngine(device, EngineOptions()));
#ifndef FS_CACHE_RAW_ENGINE_H_
#define FS_CACHE_RAW_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "fs/cache/engine.h"
#include "fs/cache/latency.h"
#include "fs/disk/device.h"
#include "fs/format/chunk_row.h"
#include "fs/format/superblock.h"

namespace fs {

struct MkfsOptions {
  uint32_t page_bytes = 16 << 10;
  uint32_t chunk_bytes = 1 << 20;
  uint64_t log_bytes = 0;  // 0: about 1 % of the device
  std::string label;
  uint64_t seed = 0;    // of volume id and uuid; 0: random
  bool force = false;   // over foreign contents and older volumes
  bool write_log = true;  // writes the log's blocks once, so that fsync is fast from the start
  base::Clock* clock = nullptr;  // null: the real one
  std::function<void(uint64_t done, uint64_t total)> progress;
};

// Makes an empty volume. Refuses a device that holds something else, naming it.
absl::Status Mkfs(Device& device, const MkfsOptions& options);

// A piece of work that the engine has done for more than one caller.
struct EngineWork {
  const char* what;  // "commit", "checkpoint", "clean"
  int64_t begin_ns;  // of the engine's clock
  int64_t end_ns;
  uint64_t number;   // of the batch, generation or chunk
  uint64_t items;    // mutations, pages or extents
  uint64_t bytes;    // written, or moved
};

struct EngineOptions {
  bool read_only = false;
  // No threads: background work happens inside Commit() where it must, else in Step().
  bool manual = false;
  uint64_t dirty_bytes_max = 256 << 20;
  absl::Duration dirty_age_max = absl::Seconds(5);
  // A batch with more dirty data than this is placed at once instead of logged.
  uint32_t inline_bytes_max = 32 << 10;
  // Logged data beyond this is placed in the background.
  uint64_t logged_bytes_max = 1 << 20;
  // Commits in the background when this much is dirty.
  uint64_t background_bytes = 8 << 20;
  // A run of data this long goes to the device before its batch is sealed; 0: none does.
  uint32_t early_write_bytes = 1 << 20;
  // Tells the device which chunks are not needed any more. Off: on an image file it costs
  // what writing them for the first time costs, again and again.
  bool discard = false;
  uint64_t checkpoint_log_bytes = 0;  // 0: min(half the log, 256 MiB)
  absl::Duration checkpoint_interval = absl::Seconds(30);
  uint64_t block_cache_bytes = 64 << 20;
  uint32_t read_merge_gap = 32 << 10;
  uint32_t read_ahead_bytes_max = 1 << 20;
  base::Clock* clock = nullptr;  // null: the real one
  // Called under the engine's lock: be quick, and do not call it. May be null.
  std::function<void(const EngineWork& work)> on_work;

  absl::Status Validate() const;
};

struct EngineStats {
  // work
  uint64_t mutations = 0;
  uint64_t commits = 0;           // batches made durable
  uint64_t commit_waits = 0;      // callers that waited for one
  uint64_t flushes = 0;
  uint64_t checkpoints = 0;
  uint64_t checkpoint_pages = 0;
  uint64_t cleaned_chunks = 0;
  uint64_t moved_bytes = 0;
  // bytes to the device
  uint64_t user_bytes = 0;  // given to Apply()
  uint64_t log_bytes_written = 0;
  uint64_t data_bytes_written = 0;
  uint64_t early_bytes_written = 0;  // of the data
  uint64_t page_bytes_written = 0;
  uint64_t discarded_bytes = 0;
  // reads
  uint64_t reads = 0;
  uint64_t buffer_hits = 0;
  uint64_t cache_lookups = 0;
  uint64_t cache_hits = 0;
  uint64_t device_reads = 0;
  uint64_t device_bytes_read = 0;
  uint64_t read_ahead_bytes = 0;
  uint64_t read_ahead_used_bytes = 0;
  uint64_t read_ahead_wasted_bytes = 0;  // went from memory before anybody asked
  LatencySnapshot device_read_latency;   // of what is submitted together
  uint64_t checksum_errors = 0;
  // failures that were made good
  uint64_t failed_flushes = 0;
  uint64_t failed_writes = 0;
  uint64_t retired_chunks = 0;
  // state
  uint64_t pending_mutations = 0;  // not durable yet
  uint64_t dirty_bytes = 0;
  uint64_t dirty_bytes_max = 0;
  uint64_t logged_bytes = 0;
  uint64_t log_bytes_used = 0;
  uint64_t log_bytes_total = 0;
  uint64_t tree_pages = 0;
  uint64_t dirty_pages = 0;
  uint64_t tree_height = 0;
  uint64_t cache_bytes = 0;
  uint64_t cache_bytes_max = 0;
  absl::Duration checkpoint_age;  // since the last one, or since opening
  std::vector<uint64_t> chunks_by_type;  // index: ChunkType
  // since opening
  LatencySnapshot commit_latency;  // of a batch: its writes and its flush
  absl::Duration recovery_time;
  uint64_t recovered_batches = 0;
  bool recovery_cut = false;   // the newest batch was incomplete, and so not acknowledged
  std::vector<std::string> notes;  // what was repaired or is wrong, for people
};

struct ChunkInfo {
  uint64_t address = 0;
  ChunkType type{};
  uint32_t policy = 0;
  uint64_t used_bytes = 0;  // that files or the tree need
  uint64_t reads = 0;       // of the device since opening, but for what was read ahead
};

class RawEngine : public Engine {
 public:
  virtual EngineStats stats() = 0;
  virtual std::vector<ChunkInfo> chunks() = 0;
  virtual Superblock superblock() = 0;
  // Writes a checkpoint now.
  virtual absl::Status Checkpoint() = 0;
  // Places logged data, cleans and checkpoints as far as limits and ages ask for it; what
  // the threads do otherwise. True if it did anything; if not, the log's end is marked.
  virtual absl::StatusOr<bool> Step() = 0;
  // The longest key and value together that Apply() takes.
  virtual size_t row_bytes_max() const = 0;
};

// `device` and the clock must outlive the engine.
absl::StatusOr<std::unique_ptr<RawEngine>> OpenEngine(Device& device, const EngineOptions& options);

}  // namespace fs

#endif  // FS_CACHE_RAW_ENGINE_H_
