#include "fs/cache/raw_engine.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/cache/engine_impl.h"
#include "fs/cache/superblock_store.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/format/foreign.h"

namespace fs {
namespace {

// So many at a time are kept from whoever wants a chunk.
constexpr uint32_t kDiscardChunks = 16;

// Looks for anything that somebody may miss.
absl::Status RefuseForeign(Device& device) {
  for (const SuperblockStore::Copy& copy : SuperblockStore::ReadCopies(device)) {
    if (copy.status.ok() || copy.status.code() == absl::StatusCode::kUnimplemented) {
      return absl::FailedPreconditionError(absl::StrFormat("a cachefs volume already; %s", device.name()));
    }
  }
  AlignedBuffer head(std::min<uint64_t>(kForeignProbeBytes, device.size_bytes()));
  RETURN_IF_ERROR(device.Read(0, head.span()));
  AlignedBuffer tail(std::min<uint64_t>(kForeignTailBytes, device.size_bytes()));
  RETURN_IF_ERROR(device.Read(device.size_bytes() - tail.size(), tail.span()));
  const std::string found = FindForeignSignature(head.span(), tail.span());
  if (!found.empty()) {
    return absl::FailedPreconditionError(absl::StrFormat("holds %s; %s", found, device.name()));
  }
  return absl::OkStatus();
}

// The mark of a boot sector is two bytes, which a torn write of superblock 0 may have left as
// well: only with a table of partitions before it does it say something.
bool HasPartitionTable(absl::Span<const uint8_t> head) {
  for (size_t at = 446; at < 510; at += 16) {
    if (head[at] != 0 && head[at] != 0x80) return false;
  }
  return true;
}

absl::Status RefuseOverwritten(Device& device) {
  AlignedBuffer head(kForeignProbeBytes);
  RETURN_IF_ERROR(device.Read(0, head.span()));
  const std::string found = FindForeignSignature(head.span(), {});
  if (found.empty() || found == kUnknownData) return absl::OkStatus();
  if (absl::StrContains(found, "MBR") && !HasPartitionTable(head.span())) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("holds %s, and under it what is left of a cachefs volume, which can be opened read-only; %s",
                      found, device.name()));
}

absl::Status WriteZeros(Device& device, uint64_t address, uint64_t bytes, const std::function<void(uint64_t, uint64_t)>& progress) {
  const AlignedBuffer zeros(std::min<uint64_t>(bytes, 1 << 20));
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t step = std::min<uint64_t>(zeros.size(), bytes - done);
    RETURN_IF_ERROR(device.Write(address + done, absl::MakeConstSpan(zeros.data(), step)));
    done += step;
    if (progress) progress(done, bytes);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Mkfs(Device& device, const MkfsOptions& options) {
  if (device.read_only()) return absl::FailedPreconditionError(absl::StrFormat("read-only device; %s", device.name()));
  GeometryOptions geometry;
  geometry.device_bytes = device.size_bytes();
  geometry.page_bytes = options.page_bytes;
  geometry.chunk_bytes = options.chunk_bytes;
  geometry.log_bytes = options.log_bytes;
  absl::StatusOr<Superblock> laid_out = LayOut(geometry);
  if (!laid_out.ok()) return base::Annotate(laid_out.status(), device.name());
  Superblock superblock = *std::move(laid_out);
  if (!options.force) RETURN_IF_ERROR(RefuseForeign(device));
  std::random_device entropy;
  std::mt19937_64 random(options.seed != 0 ? options.seed : uint64_t{entropy()} << 32 | entropy());
  for (uint8_t& byte : superblock.uuid) byte = static_cast<uint8_t>(random());
  superblock.uuid[6] = static_cast<uint8_t>((superblock.uuid[6] & 0x0f) | 0x40);  // RFC 4122, version 4
  superblock.uuid[8] = static_cast<uint8_t>((superblock.uuid[8] & 0x3f) | 0x80);
  while (superblock.header.volume_id == 0) superblock.header.volume_id = random();
  superblock.header.generation = 1;
  superblock.tail_batch = 1;
  superblock.created_ns = static_cast<uint64_t>((options.clock != nullptr ? *options.clock : base::Clock::Real()).NowNs());
  std::memcpy(superblock.label.data(), options.label.data(), std::min(options.label.size(), superblock.label.size()));
  // What other programs would find first goes first, with the old superblocks; a crash from
  // here on leaves no volume at all.
  RETURN_IF_ERROR(WriteZeros(device, 0, superblock.log_address, nullptr));
  const uint64_t last = SuperblockAddress(2, superblock.device_bytes);
  RETURN_IF_ERROR(WriteZeros(device, last, std::min<uint64_t>(device.size_bytes() - last, kSuperblockSpacing) / kBlockBytes * kBlockBytes, nullptr));
  if (options.write_log) RETURN_IF_ERROR(WriteZeros(device, superblock.log_address, superblock.log_bytes, options.progress));
  RETURN_IF_ERROR(device.Flush());
  return SuperblockStore::WriteAll(device, superblock);
}

absl::Status EngineOptions::Validate() const {
  if (dirty_bytes_max < kBlockBytes) return absl::InvalidArgumentError("dirty_bytes_max below one block");
  if (inline_bytes_max > (1 << 20)) return absl::InvalidArgumentError("inline_bytes_max above 1 MiB");
  if (read_ahead_bytes_max > (8 << 20)) return absl::InvalidArgumentError("read_ahead_bytes_max above 8 MiB");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RawEngine>> OpenEngine(Device& device, const EngineOptions& options) {
  RETURN_IF_ERROR(options.Validate());
  absl::StatusOr<SuperblockStore> superblocks = SuperblockStore::Open(device);
  RETURN_IF_ERROR(superblocks.status());
  // Another filesystem was made here since, and spared a copy: repairing the others would harm it.
  if (!options.read_only && !superblocks->notes().empty()) RETURN_IF_ERROR(RefuseOverwritten(device));
  if (superblocks->current().features_ro_compat != 0 && !options.read_only) {
    return absl::UnimplementedError(absl::StrFormat("needs unknown features %x for writing; open it read-only; %s",
                                                    superblocks->current().features_ro_compat, device.name()));
  }
  if (device.read_only() && !options.read_only) {
    return absl::FailedPreconditionError(absl::StrFormat("read-only device; open it read-only; %s", device.name()));
  }
  auto engine = std::make_unique<EngineImpl>(device, options, *std::move(superblocks));
  RETURN_IF_ERROR(engine->Recover());
  engine->StartThreads();
  return std::unique_ptr<RawEngine>(std::move(engine));
}

EngineImpl::EngineImpl(Device& device, const EngineOptions& options, SuperblockStore superblocks)
    : device_(device),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : base::Clock::Real()),
      page_bytes_(superblocks.current().page_bytes),
      volume_id_(superblocks.current().header.volume_id),
      log_address_(superblocks.current().log_address),
      log_bytes_(superblocks.current().log_bytes),
      chunks_begin_(superblocks.current().ChunkAddress(0)),
      chunk_bytes_(superblocks.current().chunk_bytes),
      cache_(options.block_cache_bytes),
      ahead_(device, cache_, {options.read_merge_gap, options.read_ahead_bytes_max,
                              superblocks.current().ChunkAddress(superblocks.current().chunk_count)}),
      superblocks_(std::move(superblocks)),
      tree_(page_bytes_),
      chunks_(superblocks_.current()),
      chunk_reads_(chunks_.chunk_count()) {}

EngineImpl::~EngineImpl() {
  // What is not committed is lost, as in a crash; Close() is the way to keep it.
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    work_.SignalAll();
    changed_.SignalAll();
  }
  if (commit_thread_.joinable()) commit_thread_.join();
  if (background_thread_.joinable()) background_thread_.join();
  WaitAllEarly();
}

void EngineImpl::StartThreads() {
  if (options_.manual) return;
  commit_thread_ = std::thread([this] { CommitLoop(); });
  if (!options_.read_only) background_thread_ = std::thread([this] { BackgroundLoop(); });
}

// Serves CommitAsync(), and commits what has grown old or large.
void EngineImpl::CommitLoop() {
  base::MutexLock lock(&mutex_);
  while (!stopping_) {
    RunAsync();
    if (stopping_) break;
    const bool wanted = std::any_of(async_.begin(), async_.end(), [this](const Async& async) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return async.sequence > durable_sequence_;
    });
    const bool healthy = failure_.ok() && !read_only_ && !closed_;
    if (wanted && healthy) {
      static_cast<void>(CommitOnce({}));  // failure_ tells whoever waits
    } else if (healthy && waiting_[static_cast<size_t>(Priority::kSync)] == 0 && buffer_.dirty_bytes() >= options_.background_bytes) {
      static_cast<void>(CommitOnce({.flip = false, .place = true}));
    } else if (async_.empty()) {
      const bool idle = healthy && !HasWork();
      const bool expired = work_.WaitWithTimeout(&mutex_, HasWork() ? options_.dirty_age_max : absl::Seconds(1));
      if (!expired || stopping_ || !failure_.ok() || read_only_ || closed_) continue;
      if (HasWork()) {
        static_cast<void>(CommitOnce({}));
      } else if (idle) {
        static_cast<void>(WriteMarker());
      }
    }
  }
}

void EngineImpl::BackgroundLoop() {
  base::MutexLock lock(&mutex_);
  while (!stopping_) {
    if (!failure_.ok() || closed_) {
      work_.Wait(&mutex_);
      continue;
    }
    const absl::StatusOr<bool> worked = StepLocked();
    if (worked.ok() && *worked) continue;
    if (work_.WaitWithTimeout(&mutex_, absl::Seconds(1))) ahead_.Trim();
  }
}

absl::StatusOr<bool> EngineImpl::StepLocked() {
  if (CheckpointIsDue()) {
    RETURN_IF_ERROR(RunCheckpoint());
    return true;
  }
  if (waiting_[static_cast<size_t>(Priority::kSync)] > 0) return false;  // their batches come first
  if (buffer_.logged_bytes() > options_.logged_bytes_max) {
    RETURN_IF_ERROR(CommitOnce({.flip = false, .place = true}));
    return true;
  }
  ASSIGN_OR_RETURN(const bool cleaned, CleanOne(false));
  return cleaned || DiscardSome();
}

// FREE chunks were freed by batches that are durable, so nothing can need them again.
bool EngineImpl::DiscardSome() {
  if (!options_.discard || !device_.can_discard() || read_only_ || chunks_.free_chunks() < MetaChunks() + ReservedChunks() + kDiscardChunks) {
    return false;
  }
  const std::vector<uint32_t> chunks = chunks_.BeginDiscard(kDiscardChunks);
  if (chunks.empty()) return false;
  std::vector<IoRequest> requests;
  for (const uint32_t chunk : chunks) requests.push_back(IoRequest::Discard(chunks_.ChunkAddress(chunk), chunks_.chunk_bytes()));
  mutex_.Unlock();
  const absl::Status status = device_.SubmitAndWait(absl::MakeSpan(requests));
  mutex_.Lock();
  chunks_.EndDiscard(chunks);
  if (status.ok()) stats_.discarded_bytes += chunks.size() * uint64_t{chunks_.chunk_bytes()};
  return status.ok();
}

absl::StatusOr<bool> EngineImpl::Step() {
  base::MutexLock lock(&mutex_);
  if (read_only_) return false;
  RunAsync();
  for (size_t i = 0; i < async_.size() && failure_.ok(); ++i) {
    if (async_[i].sequence > durable_sequence_) static_cast<void>(CommitOnce({}));
  }
  RunAsync();
  ASSIGN_OR_RETURN(const bool worked, StepLocked());
  if (!worked && !HasWork()) RETURN_IF_ERROR(WriteMarker());
  return worked;
}

Sequence EngineImpl::last_sequence() {
  base::ReaderMutexLock lock(&mutex_);
  return last_sequence_;
}

bool EngineImpl::WouldWait(InodeNumber inode, uint64_t offset, uint64_t length) {
  base::MutexLock lock(&mutex_);
  if (buffer_.total_bytes() > DirtyBytesMax() || OpenBytes() > log_bytes_ / 8) return true;
  Mutation mutation;
  std::vector<DevicePiece> missing;
  std::vector<std::string> buffers;
  mutation.Punch(inode, offset, length);  // needs the same units as a write of the range
  if (FindMissingUnits(mutation, {}, &missing, &buffers)) return true;
  return !HasRoom(length / kBlockBytes + 2, 4, ReservedChunks());
}

absl::Status EngineImpl::Close() {
  absl::Status status;
  {
    base::MutexLock lock(&mutex_);
    if (closed_) return absl::OkStatus();
    if (!read_only_) {
      closing_ = true;
      const uint64_t before = stats_.checkpoints;
      while (status.ok() && stats_.checkpoints == before) {
        status = RunCheckpoint();
      }
    } else {
      status = failure_;
    }
    closed_ = true;
    read_only_ = true;
    RunAsync();
    stopping_ = true;
    work_.SignalAll();
    changed_.SignalAll();
  }
  if (commit_thread_.joinable()) commit_thread_.join();
  if (background_thread_.joinable()) background_thread_.join();
  WaitAllEarly();
  return status;
}

std::vector<ChunkInfo> EngineImpl::chunks() {
  base::ReaderMutexLock lock(&mutex_);
  std::vector<ChunkInfo> chunks(chunks_.chunk_count());
  for (uint32_t i = 0; i < chunks.size(); ++i) {
    chunks[i] = {chunks_.ChunkAddress(i), chunks_.type(i), chunks_.policy(i), chunks_.used_bytes(i), chunk_reads_[i]};
  }
  return chunks;
}

Superblock EngineImpl::superblock() {
  base::ReaderMutexLock lock(&mutex_);
  return superblocks_.current();
}

EngineStats EngineImpl::stats() {
  base::ReaderMutexLock lock(&mutex_);
  EngineStats stats = stats_;
  stats.commit_latency = commit_latency_.Snapshot();
  stats.device_read_latency = device_read_latency_.Snapshot();
  stats.pending_mutations = last_sequence_ - durable_sequence_;
  stats.cache_lookups = cache_lookups_;
  stats.read_ahead_used_bytes = cache_.ahead_used_bytes() + ahead_.used_bytes();
  stats.read_ahead_wasted_bytes = cache_.ahead_wasted_bytes() + ahead_.wasted_bytes();
  stats.cache_bytes_max = cache_.capacity_bytes();
  stats.dirty_bytes_max = options_.dirty_bytes_max;
  stats.checkpoint_age = absl::Nanoseconds(static_cast<int64_t>(NowNs() - last_checkpoint_ns_));
  stats.flushes = flushes_;
  stats.reads = reads_;
  stats.buffer_hits = buffer_hits_;
  stats.device_reads = device_reads_ + ahead_.reads();
  stats.cache_hits = cache_hits_;
  stats.read_ahead_bytes = ahead_.bytes();
  stats.cache_bytes = cache_.size_bytes();
  stats.device_bytes_read = device_bytes_read_ + ahead_.bytes();
  stats.checksum_errors = checksum_errors_;
  stats.dirty_bytes = buffer_.dirty_bytes() + buffer_.sealed_bytes();
  stats.logged_bytes = buffer_.logged_bytes();
  stats.log_bytes_used = log_used_;
  stats.log_bytes_total = log_bytes_;
  stats.tree_pages = tree_.page_count();
  stats.dirty_pages = tree_.dirty_count();
  stats.tree_height = static_cast<uint64_t>(tree_.height());
  const std::vector<uint32_t> types = chunks_.CountTypes();
  stats.chunks_by_type.assign(types.begin(), types.end());
  return stats;
}

}  // namespace fs
