// MemEngine: a correct and simple Engine in memory, for tests of what stands on it.
//
// Shape:   rows in a std::map; data as a map of 4 KiB blocks. What is durable is kept
//          apart, with the mutations since, so that a power cut can be played at any
//          sequence: CutPower(s) gives a new engine with exactly the mutations up to s.
// Bounds:  `capacity_bytes` counts data blocks and row bytes; a twentieth of it is kept
//          for mutations that free space.
// Errors:  as Engine; FailNextApply() and FailCommits() play the device's errors.
// Threads: thread-safe. CommitAsync() answers on the calling thread, or, after
//          HoldCommits(), on the one that calls ReleaseCommits().
#ifndef FS_CACHE_TESTING_MEM_ENGINE_H_
#define FS_CACHE_TESTING_MEM_ENGINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/units.h"
#include "fs/cache/engine.h"

namespace fs {

class MemEngine : public Engine {
 public:
  explicit MemEngine(uint64_t capacity_bytes = base::kTiB);
  ~MemEngine() override;

  // --- what the machine does
  // What a mount finds after a power cut that kept the mutations up to `kept`, which
  // is at least what was committed. The mount epoch is one higher.
  std::unique_ptr<MemEngine> CutPower(Sequence kept);
  std::unique_ptr<MemEngine> Reopen() { return CutPower(last_sequence()); }
  Sequence durable_sequence();

  // --- what tests arrange
  void set_would_wait(bool would_wait);  // the answer to WouldWait(); Apply() never waits
  void set_cold(bool cold);              // TryReadData() finds nothing in memory
  void set_read_only(bool read_only);
  void FailNextApply(absl::Status status);
  void FailCommits(absl::Status status);  // OK ends it
  void HoldCommits();
  void ReleaseCommits();
  uint64_t apply_count();
  uint64_t commit_count();

  // --- Engine
  absl::StatusOr<bool> Get(absl::string_view key, std::string* value) override;
  absl::Status Scan(absl::string_view first, absl::string_view last,
                    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) override;
  absl::StatusOr<Sequence> Apply(const Mutation& mutation) override;
  bool WouldWait(InodeNumber inode, uint64_t offset, uint64_t length) override;
  absl::Status Commit(Sequence sequence, Priority priority) override;
  void CommitAsync(Sequence sequence, Priority priority, std::function<void(absl::Status)> done) override;
  Sequence last_sequence() override;
  absl::Status ReadData(const DataRead& read) override;
  bool TryReadData(const DataRead& read) override;
  void ReadDataBatch(absl::Span<const DataRead> reads,
                     absl::FunctionRef<void(size_t index, absl::Status)> done) override;
  absl::StatusOr<uint64_t> Seek(InodeNumber inode, uint64_t offset, bool hole) override;
  // None: it keeps no checksums.
  absl::StatusOr<absl::optional<uint32_t>> ContentCrc32c(InodeNumber, uint64_t) override {
    return absl::optional<uint32_t>();
  }
  uint64_t AllocatedBytes(InodeNumber inode) override;
  SpaceUsage space() override;
  uint64_t mount_epoch() const override { return mount_epoch_; }
  bool read_only() const override;
  absl::Status Close() override;

 private:
  using Blocks = std::map<uint64_t, std::string>;  // by offset / kBlockBytes

  struct State {
    std::map<std::string, std::string, std::less<>> rows;
    std::map<InodeNumber, Blocks> files;
    uint64_t used_bytes = 0;
  };

  // A mutation that owns its bytes.
  struct LogEntry {
    Sequence sequence;
    Mutation mutation;
    std::vector<std::string> bytes;
  };

  static void ApplyTo(const Mutation& mutation, State* state);
  static void ApplyData(const Mutation::Data& data, State* state);
  static uint64_t GrowthMax(const Mutation& mutation, const State& state);
  absl::Status CommitLocked(Sequence sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadLocked(const DataRead& read) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const uint64_t capacity_bytes_;
  uint64_t mount_epoch_ = 1;

  mutable base::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_);
  State durable_ ABSL_GUARDED_BY(mutex_);
  std::vector<LogEntry> log_ ABSL_GUARDED_BY(mutex_);  // applied, not yet durable
  Sequence last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  Sequence durable_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t apply_count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t commit_count_ ABSL_GUARDED_BY(mutex_) = 0;
  bool would_wait_ ABSL_GUARDED_BY(mutex_) = false;
  bool cold_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_only_ ABSL_GUARDED_BY(mutex_) = false;
  bool hold_commits_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status apply_failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status commit_failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Sequence, std::function<void(absl::Status)>>> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_CACHE_TESTING_MEM_ENGINE_H_
