// EngineImpl is the engine behind raw_engine.h. Private to this folder.
//
// One mutex guards tables, buffer and batch; no device I/O happens under it. At most one
// batch is under way (commit_running_) and at most one checkpoint (checkpoint_running_);
// whoever needs a batch committed and finds nobody at it does it on its own thread.
//
// Invariants, quoted by the .cc files:
//   E1  a batch holds every mutation up to its last sequence that no batch before it holds
//   E2  batch n + 1 reaches the device only after the flush of batch n
//   E3  a checkpoint's tree holds everything up to its flip batch, data placed
//   E4  what a submitted batch names is not written again before Release()
//   E5  of the superblock copies one is always valid, and what it needs is kept
// Threads: thread-safe.
// tidy: long-file: one class under one lock; its parts are the .cc files beside it.
#ifndef FS_CACHE_ENGINE_IMPL_H_
#define FS_CACHE_ENGINE_IMPL_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "fs/cache/block_cache.h"
#include "fs/cache/chunk_table.h"
#include "fs/cache/log_scanner.h"
#include "fs/cache/page_tree.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/read_ahead.h"
#include "fs/cache/superblock_store.h"
#include "fs/cache/write_buffer.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/device.h"
#include "fs/format/extent_row.h"
#include "fs/format/log_batch.h"

namespace fs {

// Data that goes to the device as one write: pieces of blobs, zeros between them.
struct EarlyWrite {
  uint64_t address = 0;
  std::shared_ptr<Blob> blob;
  uint64_t flush_failures = 0;  // when it was begun
  // Guarded by the engine's lock.
  std::vector<bool> placed;  // blocks that a batch names
  // Guarded by early_mutex_.
  bool done = false;
  absl::Status status;
  uint64_t flushes_begun = 0;  // when it was done
};

struct DataWrite {
  struct Piece {
    std::shared_ptr<Blob> blob;
    uint32_t blob_offset;
    uint32_t length;
    uint32_t at;  // in the write
  };
  uint64_t address = 0;
  uint32_t bytes = 0;   // whole blocks
  bool direct = false;  // one piece that can be written from where it is
  std::shared_ptr<EarlyWrite> early;  // it is written already, or under way
  bool flushed = false;               // and a flush has covered it
  std::vector<Piece> pieces;
  AlignedBuffer gathered;
  const uint8_t* data = nullptr;  // what is written: `gathered`, or a blob's own memory
};

class EngineImpl final : public RawEngine {
 public:
  EngineImpl(Device& device, const EngineOptions& options, SuperblockStore superblocks);
  ~EngineImpl() override;

  // Loads the tree, replays the log and fences it. Once, before anything else.
  absl::Status Recover() ABSL_LOCKS_EXCLUDED(mutex_);
  void StartThreads();

  absl::StatusOr<bool> Get(absl::string_view key, std::string* value) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Scan(absl::string_view first, absl::string_view last,
                    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Sequence> Apply(const Mutation& mutation) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool WouldWait(InodeNumber inode, uint64_t offset, uint64_t length) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Commit(Sequence sequence, Priority priority) override ABSL_LOCKS_EXCLUDED(mutex_);
  void CommitAsync(Sequence sequence, Priority priority, std::function<void(absl::Status)> done) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  Sequence last_sequence() override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ReadData(const DataRead& read) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool TryReadData(const DataRead& read) override ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadDataBatch(absl::Span<const DataRead> reads,
                     absl::FunctionRef<void(size_t index, absl::Status)> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<uint64_t> Seek(InodeNumber inode, uint64_t offset, bool hole) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<absl::optional<uint32_t>> ContentCrc32c(InodeNumber inode, uint64_t size) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t AllocatedBytes(InodeNumber inode) override ABSL_LOCKS_EXCLUDED(mutex_);
  SpaceUsage space() override ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t mount_epoch() const override { return mount_epoch_; }
  bool read_only() const override { return read_only_.load(); }
  absl::Status Close() override ABSL_LOCKS_EXCLUDED(mutex_);

  EngineStats stats() override ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<ChunkInfo> chunks() override ABSL_LOCKS_EXCLUDED(mutex_);
  Superblock superblock() override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Checkpoint() override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<bool> Step() override ABSL_LOCKS_EXCLUDED(mutex_);
  size_t row_bytes_max() const override { return RowBytesMax(page_bytes_); }

 private:
  using Rows = absl::flat_hash_map<std::string, absl::optional<std::string>>;
  struct ForgetRange {
    InodeNumber inode;
    uint64_t offset;
    uint64_t length;
  };
  // What the next batch will hold.
  struct OpenBatch {
    Rows rows;
    std::vector<ForgetRange> forgets;
    uint64_t row_bytes = 0;  // at most, encoded
    uint64_t mutations = 0;
  };
  struct InlineRun {
    InodeNumber inode;
    uint64_t offset;
    uint32_t length;
    std::shared_ptr<Blob> blob;
    uint32_t blob_offset;
    Placement placement;
  };
  struct Batch {
    uint64_t number = 0;
    uint64_t durable_batch = 0;
    Sequence last_sequence = 0;
    Rows rows;
    std::vector<ForgetRange> forgets;
    std::vector<InlineRun> inlines;
    std::vector<DataWrite> writes;
    std::vector<InodeNumber> inodes;  // with sealed runs
    uint64_t mutations = 0;
    bool flip = false;
    PageTree::Frozen frozen;  // flip
    // Set while writing.
    uint64_t epoch = 0;
    uint64_t log_offset = 0;
    uint64_t log_space = 0;
    uint32_t previous_crc = 0;
    uint64_t log_bytes = 0;
    uint32_t crc = 0;
    std::vector<uint64_t> failed_addresses;
  };
  struct CommitKind {
    bool flip = false;   // place everything and freeze the tree behind it
    bool place = false;  // place dirty and logged data
  };
  struct OpenPack {
    uint32_t chunk = 0;
    uint32_t fill = 0;           // bytes
    uint32_t summary_block = 0;  // of the last summary; 0: none yet
    std::vector<PackOwner> owners;  // since then
  };
  // A run, or what follows it without a gap, on its way to the device.
  struct Unplaced {
    InodeNumber inode;
    uint64_t offset;
    Placement placement;
  };
  // A part of a read that the device has to answer: whole units of one extent.
  struct DevicePiece {
    size_t read;       // index
    uint64_t address;  // of the first unit
    uint32_t bytes;    // stored
    std::vector<uint32_t> crcs;
    uint32_t skip;  // bytes of the first unit that are not wanted
    absl::Span<uint8_t> out;
    InodeNumber inode;
    uint64_t offset;  // in the file, of the first unit
  };
  // One read of the device for pieces [first, last).
  struct Transfer {
    uint64_t begin, end;  // whole blocks
    size_t first, last;
    AlignedBuffer buffer;
    absl::Status status;
  };
  // The old contents of units that a write covers in part, read before the lock is taken.
  struct UnitContents {
    uint64_t address;
    uint32_t crc;
    std::string bytes;
  };
  using UnitMap = std::map<std::pair<InodeNumber, uint64_t>, UnitContents>;

  // The batch that frees are counted for, and the era of readers: never goes back.
  uint64_t FreeTag() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return std::max(next_batch_, free_tag_); }

  // --- apply.cc
  absl::Status CheckMutation(const Mutation& mutation) const;
  absl::Status MakeRoom(const Mutation& mutation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FindMissingUnits(const Mutation& mutation, const UnitMap& have, std::vector<DevicePiece>* missing,
                        std::vector<std::string>* buffers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NeedUnit(InodeNumber inode, uint64_t unit_offset, uint32_t wanted_from, const UnitMap& have, std::vector<DevicePiece>* missing,
                std::vector<std::string>* buffers) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status ReadMissingUnits(std::vector<DevicePiece>& missing, std::vector<std::string>& buffers, uint64_t era,
                                UnitMap* have) ABSL_LOCKS_EXCLUDED(mutex_);
  std::string OldUnit(InodeNumber inode, uint64_t unit_offset, const UnitMap& units)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyWrite(const Mutation::Data& data, const UnitMap& units) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyPunch(InodeNumber inode, uint64_t offset, uint64_t length, const UnitMap& units)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutUnits(InodeNumber inode, uint64_t offset, absl::Span<const uint8_t> bytes, const Placement& placement)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyNow(const Mutation& mutation, const UnitMap& units) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t DirtyBytesMax() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void CarveBuffer(InodeNumber inode, uint64_t begin, uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- extents.cc: the tree's rows, and the batch that will hold their changes
  void PutRow(absl::string_view key, absl::string_view value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeleteRow(absl::string_view key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Extents that overlap [begin, end), in order. `visit` must not change the tree.
  absl::Status VisitExtents(InodeNumber inode, uint64_t begin, uint64_t end,
                            absl::FunctionRef<bool(uint64_t offset, const ExtentView& extent)> visit) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasExtent(InodeNumber inode, uint64_t begin, uint64_t end) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Edits the owner row of an extent in an EXT chunk: the tree's alone, like chunk rows.
  std::string OwnerKeyOf(uint64_t address) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void PutOwner(uint64_t address, const ExtentOwner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeleteOwner(uint64_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes [begin, end) away from extents; whole units.
  void CarveExtents(InodeNumber inode, uint64_t begin, uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts an extent in place of whatever was there.
  void PlaceExtent(InodeNumber inode, uint64_t offset, ExtentKind kind, uint32_t length, uint64_t address,
                   absl::Span<const uint32_t> crcs) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Damage(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t ExtentUnitsMax() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // --- seal.cc
  absl::Status Seal(CommitKind kind, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SealInline(Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SealTiny(InodeNumber inode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SealPlaced(bool with_logged, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsSmallFile(InodeNumber inode, const WriteBuffer::File& file) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status PlacePacked(const Unplaced& object, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PlaceLarge(InodeNumber inode, bool with_logged, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PlaceSpan(InodeNumber inode, uint64_t begin, uint64_t end, Batch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<OpenPack*> PackFor(uint32_t policy, uint32_t length, Batch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SummarizePack(OpenPack& pack, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ClosePack(OpenPack& pack, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LogChunk(uint32_t chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndPackRuns() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddPiece(uint64_t address, const WriteBuffer::Run& run, uint32_t skip, uint32_t length, Batch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteChunkRows() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- early.cc
  void BeginEarly(const Mutation& mutation, std::vector<IoRequest>* requests) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginEarlyRun(InodeNumber inode, uint64_t offset, std::vector<IoRequest>* requests) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishEarly(EarlyWrite& early, uint64_t bytes, const absl::Status& status) ABSL_LOCKS_EXCLUDED(early_mutex_);
  absl::Status WaitEarly(const EarlyWrite& early) ABSL_LOCKS_EXCLUDED(early_mutex_);
  void WaitAllEarly() ABSL_LOCKS_EXCLUDED(early_mutex_);
  bool IsFlushed(const EarlyWrite& early) ABSL_LOCKS_EXCLUDED(early_mutex_);
  bool KeepEarly(WriteBuffer::Run& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PlaceEarly(InodeNumber inode, uint64_t offset, WriteBuffer::Run& run, Batch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SweepEarly() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- commit.cc
  // Commits one batch of everything so far. The caller's thread does the work, unless
  // another one is at it: then waits for that one only.
  absl::Status CommitOnce(CommitKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitBatch(CommitKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteBatch(Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t GatherWrites(Batch& batch, std::vector<IoRequest>* requests) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WriteRequests(std::vector<IoRequest> requests, Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  void MeasureWrites(const Batch& batch, absl::Duration took) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  AlignedBuffer EncodeLog(Batch& batch, bool with_manifest) ABSL_LOCKS_EXCLUDED(mutex_);
  void AddLogRequests(uint64_t offset, absl::Span<const uint8_t> bytes, std::vector<IoRequest>* requests) const;
  void Complete(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t OpenBytes() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool LogIsTight() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Release(uint64_t batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteMarker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts a batch that did not become durable back into the open one and voids it.
  absl::Status Revert(Batch& batch, const absl::Status& cause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool LogFailed(const Batch& batch) const;
  uint64_t VoidBytes() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return superblocks_.current().void_bytes; }
  void Fail(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunAsync() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- checkpoint.cc
  absl::Status RunCheckpoint() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FinishCheckpoint() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WritePages(PageTree::Frozen& frozen, uint64_t generation, std::vector<uint64_t>* addresses)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CheckpointIsDue() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status WriteSuperblock(absl::FunctionRef<void(Superblock*)> edit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Flush(uint64_t failures) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- recovery.cc
  absl::Status LoadTables() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Replay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReplayBatch(const LogScanner::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReplayExtent(const LogRecord& record, bool add) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReplayChunk(const LogRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ResumePacks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Fence() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- read.cc
  // Fills what memory has and lists what the device has.
  absl::Status Resolve(size_t index, const DataRead& read, std::vector<DevicePiece>* pieces)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status ResolveGap(size_t index, const DataRead& read, uint64_t begin, uint64_t end,
                          std::vector<DevicePiece>* pieces) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void ReadPieces(const std::vector<DevicePiece>& pieces, absl::FunctionRef<void(const DevicePiece&, absl::Status)> failed)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadFromCache(std::vector<DevicePiece>* pieces);
  bool ReadCached(const DevicePiece& piece);
  // As ReadCached(), from what was read ahead.
  bool ReadFetched(const DevicePiece& piece, bool wait);
  void NoteReads(absl::Span<const DevicePiece> pieces);
  AlignedBuffer TakeBuffer(uint64_t bytes);
  void GiveBuffer(AlignedBuffer buffer);
  void Submit(std::vector<Transfer>& transfers);
  absl::Status Verify(const DevicePiece& piece, const uint8_t* stored) const;
  uint64_t EnterReader() ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void LeaveReader(uint64_t era);
  uint64_t OldestReader();

  // --- space.cc
  uint32_t MetaChunks() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  uint32_t DeleteChunks() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // For deletes and for the cleaner.
  uint32_t ReservedChunks() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // What `mutation` has to leave alone.
  uint32_t ReserveFor(const Mutation& mutation) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  int64_t SpareChunks(uint64_t more_blocks, uint64_t more_rows, uint32_t reserve, uint64_t dirty_pages) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasRoom(uint64_t blocks, uint64_t rows, uint32_t reserve) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Something that may give space back: a commit, a checkpoint, the cleaner. False if all
  // was tried since the last success.
  struct RoomSearch {
    uint64_t blocks = 0;
    uint64_t rows = 0;
    uint32_t reserve = 0;
    bool must_try = false;  // even if all was tried without success since
    int attempt = 0;
    uint64_t most_blocks = 0;
    int rounds_without_gain = 0;
  };
  absl::StatusOr<bool> FindRoom(RoomSearch* search) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t FreeSignature() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // --- cleaner.cc
  // Empties the sparsest chunk, if one is worth it. True if it did anything.
  absl::StatusOr<bool> CleanOne(bool urgent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::optional<uint32_t> ChooseVictim(bool urgent) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  std::vector<ExtentOwner> FindOwners(uint32_t chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<DevicePiece> FindResidents(uint32_t chunk, const std::vector<ExtentOwner>& owners)
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void AddResident(InodeNumber inode, uint64_t offset, const ExtentView& extent, std::vector<DevicePiece>* residents) const;

  // --- threads
  void CommitLoop();
  void BackgroundLoop();
  absl::StatusOr<bool> StepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DiscardSome() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Report(const EngineWork& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (options_.on_work) options_.on_work(work);
  }
  uint64_t NowNs() { return static_cast<uint64_t>(clock_.MonotonicNs()); }

  // Constant after construction, or after Recover().
  Device& device_;
  const EngineOptions options_;
  base::Clock& clock_;
  const uint32_t page_bytes_;
  const uint64_t volume_id_;
  const uint64_t log_address_;
  const uint64_t log_bytes_;
  const uint64_t chunks_begin_;
  const uint32_t chunk_bytes_;
  uint64_t mount_epoch_ = 0;

  std::atomic<bool> read_only_{false};
  std::atomic<uint64_t> flushes_{0};
  std::atomic<uint64_t> flush_failures_{0};
  std::atomic<uint64_t> flushes_begun_{0};
  std::atomic<uint64_t> good_flush_{0};  // flushes_begun_ of the last good one

  base::Mutex early_mutex_;
  base::CondVar early_done_;
  uint64_t early_under_way_ ABSL_GUARDED_BY(early_mutex_) = 0;  // bytes

  BlockCache cache_;                 // thread-safe
  ReadAhead ahead_;                  // thread-safe
  BufferPool buffers_{1 << 20, 16};  // thread-safe

  base::Mutex readers_mutex_;
  std::map<uint64_t, int> readers_ ABSL_GUARDED_BY(readers_mutex_);  // by era: the open batch when they began

  base::Mutex mutex_;
  base::CondVar changed_;  // a commit or checkpoint ended, or the state changed
  base::CondVar work_;     // for the threads
  SuperblockStore superblocks_ ABSL_GUARDED_BY(mutex_);
  PageTree tree_;      // guarded by mutex_, but for Encode()
  ChunkTable chunks_ ABSL_GUARDED_BY(mutex_);
  WriteBuffer buffer_ ABSL_GUARDED_BY(mutex_);
  OpenBatch open_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, OpenPack> packs_ ABSL_GUARDED_BY(mutex_);     // by policy
  std::map<uint32_t, OpenPack> replayed_ ABSL_GUARDED_BY(mutex_);  // while replaying, by chunk
  std::vector<std::shared_ptr<EarlyWrite>> early_ ABSL_GUARDED_BY(mutex_);  // whose blocks are not all placed or given back
  double write_bytes_per_second_ ABSL_GUARDED_BY(mutex_) = 1e9;             // of the device, lately
  std::array<uint64_t, 3> waiting_ ABSL_GUARDED_BY(mutex_) = {};            // callers of Commit(), by priority
  uint64_t next_batch_ ABSL_GUARDED_BY(mutex_) = 1;             // the open one's number
  uint64_t durable_batch_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t log_epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t log_head_ ABSL_GUARDED_BY(mutex_) = 0;  // offset of the next batch
  uint64_t log_used_ ABSL_GUARDED_BY(mutex_) = 0;  // from tail to head
  uint32_t log_chain_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t free_tag_ ABSL_GUARDED_BY(mutex_) = 0;  // the highest number that a reverted batch had
  uint64_t released_ ABSL_GUARDED_BY(mutex_) = 0;  // batches whose frees may be used again
  bool marked_ ABSL_GUARDED_BY(mutex_) = true;  // the last batch is known durable on the device
  Sequence last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  Sequence durable_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  bool commit_running_ ABSL_GUARDED_BY(mutex_) = false;
  bool checkpoint_running_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t frozen_pages_ ABSL_GUARDED_BY(mutex_) = 0;  // of a checkpoint under way, not yet placed
  Batch frozen_batch_ ABSL_GUARDED_BY(mutex_);         // the flip batch of a checkpoint under way
  uint64_t log_head_at_flip_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t log_used_at_flip_ ABSL_GUARDED_BY(mutex_) = 0;
  bool superblock_busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t exhausted_at_ ABSL_GUARDED_BY(mutex_) = 0;  // FreeSignature() when nothing more could be found
  uint64_t last_checkpoint_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // sticky: no commit ever succeeds again
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  struct Async {
    Sequence sequence;
    std::function<void(absl::Status)> done;
  };
  std::vector<Async> async_ ABSL_GUARDED_BY(mutex_);
  EngineStats stats_ ABSL_GUARDED_BY(mutex_);

  // Counted without the lock.
  std::atomic<uint64_t> reads_{0}, buffer_hits_{0}, device_reads_{0}, device_bytes_read_{0}, checksum_errors_{0};
  std::atomic<uint64_t> cache_hits_{0}, cache_lookups_{0};
  LatencyCounter commit_latency_;
  LatencyCounter device_read_latency_;
  std::vector<std::atomic<uint32_t>> chunk_reads_;  // by index; constant size

  std::thread commit_thread_;
  std::thread background_thread_;
};

}  // namespace fs

#endif  // FS_CACHE_ENGINE_IMPL_H_
