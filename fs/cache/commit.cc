// The part of EngineImpl that makes batches durable.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

// Above this, data is flushed before the log batch that names it: recovery would have to
// read more than it is worth.
constexpr uint64_t kManifestBytesMax = 16 << 20;

constexpr uint64_t kCachedObjectMax = 16 << 10;

}  // namespace

absl::Status EngineImpl::Commit(Sequence sequence, Priority priority) {
  base::MutexLock lock(&mutex_);
  if (durable_sequence_ >= sequence) return absl::OkStatus();
  ++stats_.commit_waits;
  const auto level = static_cast<size_t>(priority);
  ++waiting_[level];
  const absl::Cleanup leave = [this, level]() ABSL_NO_THREAD_SAFETY_ANALYSIS { --waiting_[level]; };
  while (durable_sequence_ < sequence) {
    if (!failure_.ok()) return failure_;
    if (sequence > last_sequence_) {
      return absl::InvalidArgumentError(absl::StrFormat("sequence %d does not exist; the last one is %d", sequence, last_sequence_));
    }
    if (closed_) return absl::FailedPreconditionError("the engine is closed");
    // Whoever is more urgent is at it, and his batch takes this along.
    const bool waits = std::any_of(waiting_.begin() + static_cast<ptrdiff_t>(level) + 1, waiting_.end(), [](uint64_t count) { return count > 0; });
    if (waits && commit_running_) {
      changed_.Wait(&mutex_);
      continue;
    }
    RETURN_IF_ERROR(CommitOnce({}));
  }
  return absl::OkStatus();
}

void EngineImpl::CommitAsync(Sequence sequence, Priority priority, std::function<void(absl::Status)> done) {
  if (options_.manual) return done(Commit(sequence, priority));  // there is nobody else to do it
  base::MutexLock lock(&mutex_);
  async_.push_back({sequence, std::move(done)});
  work_.SignalAll();
}

// Calls back whoever has its sequence durable, or never will. Drops the lock meanwhile.
void EngineImpl::RunAsync() {
  std::vector<std::pair<Async, absl::Status>> ready;
  for (size_t i = 0; i < async_.size();) {
    absl::Status status;
    if (durable_sequence_ < async_[i].sequence) {
      if (!failure_.ok()) {
        status = failure_;
      } else if (closed_) {
        status = absl::FailedPreconditionError("the engine is closed");
      } else {
        ++i;
        continue;
      }
    }
    ready.emplace_back(std::move(async_[i]), status);
    async_.erase(async_.begin() + static_cast<ptrdiff_t>(i));
  }
  if (ready.empty()) return;
  mutex_.Unlock();
  for (auto& [async, status] : ready) async.done(status);
  mutex_.Lock();
}

// What the open batch would take in the log with everything placed.
uint64_t EngineImpl::OpenBytes() const {
  const uint64_t extent_row = kLogRowOverhead + kKeyHeaderBytes + 8 + kExtentHeaderBytes + kLogForgetBytes;
  return open_.row_bytes + buffer_.run_count() * extent_row + buffer_.unplaced_blocks() * sizeof(uint32_t);
}

bool EngineImpl::HasWork() const {
  return open_.mutations > 0 || !open_.rows.empty() || !open_.forgets.empty() || buffer_.dirty_bytes() > 0;
}

// The last quarter is kept for the batch that a checkpoint flips at.
bool EngineImpl::LogIsTight() const {
  const uint64_t inline_bytes = std::min<uint64_t>(buffer_.dirty_bytes() + kLogInlineOverhead * 64, log_bytes_ / 8);
  return log_used_ + OpenBytes() + inline_bytes + 2 * kBlockBytes > log_bytes_ - log_bytes_ / 4;
}

absl::Status EngineImpl::CommitOnce(CommitKind kind) {
  if (!kind.flip && LogIsTight()) return RunCheckpoint();
  if (commit_running_) {
    changed_.Wait(&mutex_);
    return failure_;
  }
  commit_running_ = true;
  const absl::Status status = CommitBatch(kind);
  commit_running_ = false;
  changed_.SignalAll();
  if (!async_.empty()) work_.SignalAll();
  return status;
}

// REQUIRES: commit_running_ is the caller's. A batch that fails is tried once more.
absl::Status EngineImpl::CommitBatch(CommitKind kind) {
  for (int attempt = 0;; ++attempt) {
    if (!failure_.ok()) return failure_;
    Batch batch;
    if (const absl::Status status = Seal(kind, &batch); !status.ok()) {
      Fail(status);
      return failure_;
    }
    batch.epoch = log_epoch_;
    batch.log_offset = log_head_;
    batch.log_space = log_bytes_ - log_used_;
    batch.previous_crc = log_chain_;
    const int64_t begin_ns = clock_.MonotonicNs();
    mutex_.Unlock();
    const absl::Status status = WriteBatch(batch);
    if (!status.ok()) WaitAllEarly();  // blocks are given back below
    mutex_.Lock();
    if (status.ok()) {
      const int64_t end_ns = clock_.MonotonicNs();
      commit_latency_.Add(end_ns - begin_ns);
      MeasureWrites(batch, absl::Nanoseconds(end_ns - begin_ns));
      Complete(batch);
      uint64_t bytes = batch.log_bytes;
      for (const DataWrite& write : batch.writes) bytes += write.bytes;
      Report({"commit", begin_ns, end_ns, batch.number, batch.mutations, bytes});
      if (batch.flip) {
        log_head_at_flip_ = log_head_;
        log_used_at_flip_ = log_used_;
        frozen_batch_ = std::move(batch);
      }
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(Revert(batch, status));
    if (attempt > 0) {
      Fail(base::Annotate(absl::UnavailableError("a commit failed twice; the volume is read-only now"), status.message()));
      return failure_;
    }
  }
}

AlignedBuffer EngineImpl::EncodeLog(Batch& batch, bool with_manifest) {
  LogBatchBuilder builder;
  // In order, so that replay walks the tree instead of jumping about in it.
  std::vector<const Rows::value_type*> rows;
  rows.reserve(batch.rows.size());
  for (const Rows::value_type& row : batch.rows) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(), [](const Rows::value_type* a, const Rows::value_type* b) { return a->first < b->first; });
  for (const Rows::value_type* row : rows) {
    if (row->second) {
      builder.Put(row->first, *row->second);
    } else {
      builder.Delete(row->first);
    }
  }
  for (const ForgetRange& forget : batch.forgets) builder.Forget(forget.inode, forget.offset, forget.length);
  for (const InlineRun& run : batch.inlines) {
    LogRecord record;
    record.inode = run.inode;
    record.offset = run.offset;
    record.group = run.placement.group;
    record.order = run.placement.order;
    record.policy = run.placement.policy;
    record.value = absl::string_view(reinterpret_cast<const char*>(run.blob->data() + run.blob_offset), run.length);
    builder.Inline(record);
  }
  for (const DataWrite& write : batch.writes) {
    if (with_manifest && !write.flushed) builder.Manifest(write.address, write.bytes, Crc32c(write.data, write.bytes));
  }
  batch.log_bytes = builder.TotalBytes();
  AlignedBuffer out = AlignedBuffer::Uninitialized(batch.log_bytes);
  LogBatchHeader header;
  header.header.volume_id = volume_id_;
  header.header.generation = batch.number;
  header.header.address = log_address_ + batch.log_offset;
  header.previous_crc = batch.previous_crc;
  header.epoch = batch.epoch;
  header.last_sequence = batch.last_sequence;
  header.first_sequence = batch.last_sequence + 1 - batch.mutations;
  header.durable_batch = batch.durable_batch;
  batch.crc = builder.Finish(header, out.span());
  return out;
}

// A batch that reaches the ring's end goes on at its start.
void EngineImpl::AddLogRequests(uint64_t offset, absl::Span<const uint8_t> bytes, std::vector<IoRequest>* requests) const {
  const size_t first = std::min<uint64_t>(bytes.size(), log_bytes_ - offset);
  requests->push_back(IoRequest::Write(log_address_ + offset, bytes.subspan(0, first)));
  if (first < bytes.size()) requests->push_back(IoRequest::Write(log_address_, bytes.subspan(first)));
}

// Submits all at once and remembers what failed.
absl::Status EngineImpl::WriteRequests(std::vector<IoRequest> requests, Batch& batch) {
  base::Mutex failed_mutex;
  for (IoRequest& request : requests) {
    request.done = [&batch, &failed_mutex, offset = request.offset](const absl::Status& status) {
      if (status.ok()) return;
      base::MutexLock lock(&failed_mutex);
      batch.failed_addresses.push_back(offset);
    };
  }
  return device_.SubmitAndWait(absl::MakeSpan(requests));
}

// Lists what has to be written; returns the bytes of data that no flush has covered yet.
uint64_t EngineImpl::GatherWrites(Batch& batch, std::vector<IoRequest>* requests) {
  uint64_t data_bytes = 0;
  for (DataWrite& write : batch.writes) {
    if (write.direct) {
      write.data = write.pieces[0].blob->data() + write.pieces[0].blob_offset;
    } else {
      write.gathered = TakeBuffer(write.bytes);
      uint32_t at = 0;
      for (const DataWrite::Piece& piece : write.pieces) {
        std::memset(write.gathered.data() + at, 0, piece.at - at);
        std::memcpy(write.gathered.data() + piece.at, piece.blob->data() + piece.blob_offset, piece.length);
        at = piece.at + piece.length;
      }
      std::memset(write.gathered.data() + at, 0, write.bytes - at);
      write.data = write.gathered.data();
    }
    if (write.early != nullptr) {
      if (IsFlushed(*write.early)) {
        write.flushed = true;
      } else {
        data_bytes += write.bytes;
      }
      continue;
    }
    data_bytes += write.bytes;
    // Small objects are likely to be read soon; what was here before is not.
    if (write.bytes / write.pieces.size() > kCachedObjectMax) {
      cache_.Erase(write.address, write.bytes);
    } else {
      cache_.Insert(write.address, absl::MakeConstSpan(write.data, write.bytes));
    }
    requests->push_back(IoRequest::Write(write.address, absl::MakeConstSpan(write.data, write.bytes)));
  }
  return data_bytes;
}

absl::Status EngineImpl::WriteBatch(Batch& batch) {
  const uint64_t failures = flush_failures_.load();
  std::vector<IoRequest> requests;
  const uint64_t data_bytes = GatherWrites(batch, &requests);
  const auto wait_early = [&batch, this] {
    absl::Status status;
    for (const DataWrite& write : batch.writes) {
      if (write.early == nullptr) continue;
      const absl::Status written = WaitEarly(*write.early);
      if (!written.ok()) batch.failed_addresses.push_back(write.address);
      status.Update(written);
      // E7. A flush that failed since it was begun may have taken it along.
      if (!write.flushed && write.early->flush_failures != flush_failures_.load()) {
        status.Update(absl::UnavailableError("a flush failed since data was written early"));
      }
    }
    return status;
  };
  const bool data_first = data_bytes > kManifestBytesMax;
  if (data_first) {
    RETURN_IF_ERROR(WriteRequests(std::move(requests), batch));
    RETURN_IF_ERROR(wait_early());
    RETURN_IF_ERROR(Flush(failures));
    requests.clear();
  }
  const AlignedBuffer log = EncodeLog(batch, !data_first);
  if (batch.log_bytes > batch.log_space) {
    return absl::ResourceExhaustedError(absl::StrFormat("log full; batch of %d bytes, %d left", batch.log_bytes, batch.log_space));
  }
  AddLogRequests(batch.log_offset, log.span(), &requests);
  RETURN_IF_ERROR(WriteRequests(std::move(requests), batch));
  RETURN_IF_ERROR(wait_early());
  return Flush(failures);
}

// Of batches long enough to tell.
void EngineImpl::MeasureWrites(const Batch& batch, absl::Duration took) {
  uint64_t bytes = 0;
  for (const DataWrite& write : batch.writes) bytes += write.early == nullptr ? write.bytes : 0;
  const double seconds = absl::ToDoubleSeconds(took);
  if (bytes < (4 << 20) || seconds <= 0) return;
  write_bytes_per_second_ += (static_cast<double>(bytes) / seconds - write_bytes_per_second_) / 4;
}

// The batch is durable: runs leave the buffer or count as logged, freed blocks may go.
void EngineImpl::Complete(Batch& batch) {
  for (const InodeNumber inode : batch.inodes) {
    WriteBuffer::File* file = buffer_.Find(inode);
    if (file == nullptr) continue;
    std::vector<uint64_t> placed;
    for (auto& [offset, run] : file->runs) {
      if (run.state != WriteBuffer::State::kSealed) continue;
      if (run.is_inline) {
        buffer_.SetState(inode, run, WriteBuffer::State::kLogged);
      } else {
        placed.push_back(offset);
      }
    }
    for (const uint64_t offset : placed) buffer_.Remove(inode, offset);
  }
  log_head_ = (log_head_ + batch.log_bytes) % log_bytes_;
  log_used_ += batch.log_bytes;
  log_chain_ = batch.crc;
  durable_batch_ = batch.number;
  durable_sequence_ = batch.last_sequence;
  marked_ = false;
  // E4: the header of this batch, durable now, says so of all up to batch.durable_batch.
  Release(batch.durable_batch);
  ++stats_.commits;
  stats_.log_bytes_written += batch.log_bytes;
  for (DataWrite& write : batch.writes) {
    stats_.data_bytes_written += write.bytes;
    if (!write.gathered.empty()) GiveBuffer(std::move(write.gathered));
    write.early = nullptr;
  }
  SweepEarly();
}

void EngineImpl::Release(uint64_t batch) {
  const uint64_t oldest = OldestReader();
  released_ = std::max(released_, batch);
  chunks_.Release(std::min(released_, oldest - 1));
}

// Says that the last batch is durable, so that later rot in it is told from a torn tail.
// Not flushed itself: without it recovery verifies one batch more. The next batch
// overwrites it.
absl::Status EngineImpl::WriteMarker() {
  if (marked_ || commit_running_ || read_only_ || !failure_.ok()) return absl::OkStatus();
  commit_running_ = true;
  LogBatchBuilder builder;
  AlignedBuffer out(builder.TotalBytes());
  LogBatchHeader header;
  header.kind = LogBatchKind::kMarker;
  header.header.volume_id = volume_id_;
  header.header.generation = next_batch_;
  header.header.address = log_address_ + log_head_;
  header.previous_crc = log_chain_;
  header.epoch = log_epoch_;
  header.first_sequence = last_sequence_ + 1;
  header.last_sequence = last_sequence_;
  header.durable_batch = durable_batch_;
  builder.Finish(header, out.span());
  const uint64_t offset = log_head_;
  mutex_.Unlock();
  std::vector<IoRequest> requests;
  AddLogRequests(offset, out.span(), &requests);
  const absl::Status status = device_.SubmitAndWait(absl::MakeSpan(requests));
  mutex_.Lock();
  commit_running_ = false;
  marked_ = true;
  changed_.SignalAll();
  return status;
}

void EngineImpl::Fail(const absl::Status& status) {
  if (!failure_.ok()) return;
  failure_ = status;
  read_only_ = true;
  stats_.notes.push_back(std::string(status.message()));
  changed_.SignalAll();
  work_.SignalAll();
}

// Whether the log itself could not be written.
bool EngineImpl::LogFailed(const Batch& batch) const {
  return std::any_of(batch.failed_addresses.begin(), batch.failed_addresses.end(),
                     [this](uint64_t address) { return address >= log_address_ && address < log_address_ + log_bytes_; });
}

// Everything since the last good flush is unknown. What the batch held joins the open
// batch again, its data gets new places, and a new log epoch makes sure that whatever
// reached the device of the failed one is never read.
absl::Status EngineImpl::Revert(Batch& batch, const absl::Status& cause) {
  if (batch.failed_addresses.empty()) {
    ++stats_.failed_flushes;
  } else {
    ++stats_.failed_writes;
  }
  for (auto& [key, value] : batch.rows) {
    const size_t bytes = kLogRowOverhead + key.size() + (value ? value->size() : 0);
    if (open_.rows.emplace(key, std::move(value)).second) open_.row_bytes += bytes;
  }
  open_.forgets.insert(open_.forgets.begin(), batch.forgets.begin(), batch.forgets.end());
  open_.row_bytes += batch.forgets.size() * kLogForgetBytes;
  open_.mutations += batch.mutations;
  for (const InodeNumber inode : batch.inodes) {
    WriteBuffer::File* file = buffer_.Find(inode);
    if (file == nullptr) continue;
    for (auto& [offset, run] : file->runs) {
      if (run.state != WriteBuffer::State::kSealed) continue;
      run.is_inline = false;
      run.fixed = true;  // other views of the blob may exist
      buffer_.SetState(inode, run, WriteBuffer::State::kDirty);
    }
  }
  free_tag_ = std::max(free_tag_, next_batch_);
  next_batch_ = batch.number;
  for (const uint64_t address : batch.failed_addresses) {
    if (!chunks_.ChunkOf(address)) continue;
    chunks_.MarkBad(address);
    ++stats_.retired_chunks;
  }
  // Their last summaries may be part of what failed: as if there were none.
  for (auto& [policy, pack] : packs_) {
    chunks_.ClosePack(pack.chunk, pack.fill, 0);
    LogChunk(pack.chunk);
  }
  packs_.clear();
  if (batch.flip) {
    tree_.Abandon(batch.frozen);
    frozen_pages_ = 0;
  }
  stats_.notes.push_back(absl::StrFormat("batch %d was written again after: %s", batch.number, cause.message()));
  uint64_t void_bytes = 0;
  if (LogFailed(batch)) {
    // Blocks of the log that cannot be written are gone round; a checkpoint leaves them behind.
    void_bytes = batch.log_bytes;
    const Superblock& now = superblocks_.current();
    if (now.void_bytes != 0 && now.void_batch != durable_batch_) {
      Fail(base::Annotate(absl::UnavailableError("the log cannot be written in two places; the volume is read-only now"), cause.message()));
      return failure_;
    }
    log_head_ = (log_head_ + void_bytes) % log_bytes_;
    log_used_ += void_bytes;
  }
  const auto edit = [epoch = ++log_epoch_, number = durable_batch_, chain = log_chain_, total = void_bytes + VoidBytes()](Superblock* next) {
    next->log_epoch = epoch;
    next->fence_batch = number;
    next->fence_chain = chain;
    if (total == 0) return;
    if (next->void_bytes == 0) next->void_batch = number;
    next->void_bytes = total;
  };
  absl::Status fenced = WriteSuperblock(edit);
  if (!fenced.ok()) fenced = WriteSuperblock(edit);
  if (!fenced.ok()) {
    Fail(base::Annotate(absl::UnavailableError("a commit failed and could not be voided; the volume is read-only now"),
                        cause.message()));
    return failure_;
  }
  return absl::OkStatus();
}

}  // namespace fs
