// An Engine keeps rows and file data on one Device: checksummed, batched, crash-safe.
// It knows no names and no permissions; fs/volume builds the filesystem on it.
//
// Shape:   rows are ordered byte strings (fs/format/key.h). File data is one sparse
//          array of bytes for each inode number; where it lies is the engine's
//          business (extent rows, which nobody else writes).
// Order:   every Mutation that Apply() took has a Sequence. All readers see it at
//          once. After a crash the volume holds exactly the mutations up to some
//          sequence, none of them in part, file data included.
// Durable: after Commit(s) returned OK every mutation up to `s` survives power loss;
//          one device flush for each commit (two when more than 16 MiB of data are
//          unflushed), shared by all who wait (group commit).
// Bounds:  dirty data at most Options::dirty_bytes_max; Apply() waits above it.
// Errors:  ResourceExhausted   no space was reserved; nothing has changed
//          DataLoss            a checksum or structure is wrong; names the address
//          Unavailable         a flush failed and could not be made good: read-only
//          FailedPrecondition  the engine is read-only by choice or by a failure
//          other               the device's error, with its coordinates added
// Threads: thread-safe. Apply() calls are ordered by the engine's own lock; whoever
//          reads rows to decide on a mutation excludes others by a lock of its own.
// Source:  fs/format/FORMAT.md.
#ifndef FS_CACHE_ENGINE_H_
#define FS_CACHE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "fs/format/key.h"

namespace fs {

using Sequence = uint64_t;

enum class Priority : uint8_t { kBackground, kForeground, kSync };

// Where a file's data would like to lie: small files are packed by (group, order),
// i.e. directory and creation index; `policy` chooses the stream of chunks.
struct Placement {
  uint64_t group = 0;
  uint64_t order = 0;
  uint32_t policy = 0;
};

// Changes that become visible, and durable, together.
//
// Threads: thread-compatible.
class Mutation {
 public:
  struct Row {
    std::string key;
    std::string value;
    bool deleted = false;
  };
  struct Data {
    enum class Kind : uint8_t { kWrite, kPunch, kDrop };
    Kind kind;
    InodeNumber inode;
    uint64_t offset;
    uint64_t length;
    absl::string_view bytes;  // kWrite only
    Placement placement;
  };

  // Rows of type kExtent, kChunk and kOwner are the engine's: never name them here.
  void Put(std::string key, std::string value) { rows_.push_back({std::move(key), std::move(value), false}); }
  void Delete(std::string key) { rows_.push_back({std::move(key), "", true}); }

  // `bytes` are borrowed until Apply() returns, which copies them.
  void Write(InodeNumber inode, uint64_t offset, absl::string_view bytes, const Placement& placement) {
    data_.push_back({Data::Kind::kWrite, inode, offset, bytes.size(), bytes, placement});
  }
  // [offset, offset + length) reads as zeros from now on; UINT64_MAX = to the end.
  void Punch(InodeNumber inode, uint64_t offset, uint64_t length) {
    data_.push_back({Data::Kind::kPunch, inode, offset, length, {}, {}});
  }
  // All data of `inode` goes; the inode number will be used by nobody again.
  void Drop(InodeNumber inode) { data_.push_back({Data::Kind::kDrop, inode, 0, UINT64_MAX, {}, {}}); }

  // May take the space kept for deletes: unlink, truncate, eviction.
  void set_frees_space() { frees_space_ = true; }
  // Writes only over data that is there: as much space goes as comes. May take half of the space
  // kept for deletes until the old data's is free, so that overwriting works on a full device.
  void set_replaces_space() { replaces_space_ = true; }

  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<Data>& data() const { return data_; }
  bool frees_space() const { return frees_space_; }
  bool replaces_space() const { return replaces_space_; }

 private:
  std::vector<Row> rows_;  // later ones win
  std::vector<Data> data_;  // applied in order
  bool frees_space_ = false;
  bool replaces_space_ = false;
};

struct DataRead {
  InodeNumber inode;
  uint64_t offset;
  absl::Span<uint8_t> out;  // filled wholly; holes and what was never written are zeros
};

struct SpaceUsage {
  uint64_t total_bytes = 0;      // what df calls the size
  uint64_t free_bytes = 0;       // with the reserves
  uint64_t available_bytes = 0;  // what a write may still take
};

class Engine {
 public:
  virtual ~Engine() = default;

  // --- rows
  // False if there is no such row; `value` may be null to only ask.
  virtual absl::StatusOr<bool> Get(absl::string_view key, std::string* value) = 0;
  // Rows in [first, last) in order, until `visit` returns false. The views die with
  // the call; `visit` must not call the engine.
  virtual absl::Status Scan(absl::string_view first, absl::string_view last,
                            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) = 0;

  // --- changes
  // May read a 4 KiB unit from the device when a write covers part of one, and may
  // wait for dirty data to drain: see WouldWait().
  virtual absl::StatusOr<Sequence> Apply(const Mutation& mutation) = 0;
  // Whether Apply() of a write of [offset, offset + length) would wait for the device.
  virtual bool WouldWait(InodeNumber inode, uint64_t offset, uint64_t length) = 0;
  // Returns when everything up to `sequence` is durable (at once if it already is).
  virtual absl::Status Commit(Sequence sequence, Priority priority) = 0;
  // As Commit(); `done` is called once, on a thread of the engine's that holds no lock.
  virtual void CommitAsync(Sequence sequence, Priority priority, std::function<void(absl::Status)> done) = 0;
  // The sequence of the last mutation, i.e. what a full barrier has to commit.
  virtual Sequence last_sequence() = 0;

  // --- file data
  virtual absl::Status ReadData(const DataRead& read) = 0;
  // Only from memory: false, with `out` in an undefined state, if the device is needed.
  virtual bool TryReadData(const DataRead& read) = 0;
  // One snapshot, sorted and merged, all submitted at once. `done` gets each index once.
  virtual void ReadDataBatch(absl::Span<const DataRead> reads,
                             absl::FunctionRef<void(size_t index, absl::Status)> done) = 0;
  // The first offset >= `offset` that holds data (or, with `hole`, lies in a hole).
  // NotFound past the last data; a hole always follows it.
  virtual absl::StatusOr<uint64_t> Seek(InodeNumber inode, uint64_t offset, bool hole) = 0;
  // The crc32c of the first `size` bytes from the checksums that are kept anyway; reads nothing of
  // the device. None where that cannot be, as when `size` cuts a unit.
  virtual absl::StatusOr<absl::optional<uint32_t>> ContentCrc32c(InodeNumber inode, uint64_t size) = 0;
  // Bytes of device space that the file's data takes, for st_blocks.
  virtual uint64_t AllocatedBytes(InodeNumber inode) = 0;

  // --- the whole
  virtual SpaceUsage space() = 0;
  // Counts up at every mount for writing; the high part of change versions.
  virtual uint64_t mount_epoch() const = 0;
  virtual bool read_only() const = 0;
  // Commits everything, writes a checkpoint, lets go of the device. Idempotent.
  virtual absl::Status Close() = 0;
};

}  // namespace fs

#endif  // FS_CACHE_ENGINE_H_
