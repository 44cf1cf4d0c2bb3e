// The part of EngineImpl that writes checkpoints.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/cache/engine_impl.h"

namespace fs {
namespace {

constexpr size_t kPageWriteBytes = 1 << 20;
// What is under way at a time.
constexpr size_t kPageWindowBytes = 8 << 20;

}  // namespace

bool EngineImpl::CheckpointIsDue() const {
  if (read_only_ || checkpoint_running_ || !failure_.ok()) return false;
  const uint64_t limit = options_.checkpoint_log_bytes != 0 ? options_.checkpoint_log_bytes
                                                            : std::min<uint64_t>(log_bytes_ / 2, 256 << 20);
  if (log_used_ >= limit) return true;
  if (VoidBytes() != 0 && log_used_ > 0) return true;
  const bool old = static_cast<uint64_t>(clock_.MonotonicNs()) - last_checkpoint_ns_ >=
                   static_cast<uint64_t>(absl::ToInt64Nanoseconds(options_.checkpoint_interval));
  return old && log_used_ > 0;
}

// Writers of superblocks are the commit that voids a batch and the checkpoint: one at a
// time, each on top of what the other wrote.
absl::Status EngineImpl::WriteSuperblock(absl::FunctionRef<void(Superblock*)> edit) {
  while (superblock_busy_) changed_.Wait(&mutex_);
  superblock_busy_ = true;
  SuperblockStore store = superblocks_;
  Superblock next = store.current();
  edit(&next);
  mutex_.Unlock();
  const uint64_t failures = flush_failures_.load();
  absl::Status status = store.Write(device_, next);
  if (status.ok()) status = Flush(failures);
  mutex_.Lock();
  if (status.ok()) store.Flushed();
  superblocks_ = std::move(store);
  superblock_busy_ = false;
  changed_.SignalAll();
  return status;
}

// OK if everything that this thread wrote since `failures` was read from flush_failures_
// is durable: a flush that failed for somebody else may have taken our writes along.
absl::Status EngineImpl::Flush(uint64_t failures) {
  const uint64_t number = flushes_begun_.fetch_add(1) + 1;
  const absl::Status status = device_.Flush();
  flushes_.fetch_add(1);
  if (!status.ok()) flush_failures_.fetch_add(1);
  for (uint64_t good = good_flush_; status.ok() && good < number && !good_flush_.compare_exchange_weak(good, number);) {
  }
  if (status.ok() && flush_failures_.load() != failures) return absl::UnavailableError("another flush failed meanwhile");
  return status;
}

// Writes frozen pages, leaves first, each run of neighbours at once. The lock is dropped
// while the device works.
absl::Status EngineImpl::WritePages(PageTree::Frozen& frozen, uint64_t generation, std::vector<uint64_t>* addresses) {
  for (size_t i = 0; i < frozen.frames.size(); ++i) {
    const absl::optional<uint64_t> address = chunks_.AllocatePage(0);
    if (!address) return absl::ResourceExhaustedError("no space for tree pages that were promised some");
    addresses->push_back(*address);
  }
  frozen_pages_ = 0;  // they have their places
  const size_t window = std::max<size_t>(1, kPageWindowBytes / page_bytes_);
  for (size_t begin = 0; begin < frozen.frames.size(); begin += window) {
    const size_t end = std::min(begin + window, frozen.frames.size());
    mutex_.Unlock();
    AlignedBuffer buffer = AlignedBuffer::Uninitialized((end - begin) * page_bytes_);
    std::vector<IoRequest> requests;
    for (size_t i = begin; i < end; ++i) {
      const absl::Span<uint8_t> image = buffer.span((i - begin) * page_bytes_, page_bytes_);
      tree_.Encode(frozen, i, volume_id_, generation, (*addresses)[i], image);
      const bool follows = !requests.empty() && requests.back().offset + requests.back().length == (*addresses)[i] &&
                           requests.back().length < kPageWriteBytes;
      if (follows) {
        requests.back().length += page_bytes_;
      } else {
        requests.push_back(IoRequest::Write((*addresses)[i], image));
      }
    }
    const absl::Status status = device_.SubmitAndWait(absl::MakeSpan(requests));
    mutex_.Lock();
    RETURN_IF_ERROR(status);
    tree_.Thaw(frozen, begin, end);
    stats_.page_bytes_written += (end - begin) * page_bytes_;
  }
  stats_.checkpoint_pages += frozen.frames.size();
  return absl::OkStatus();
}

// Flips at a batch of its own, then writes the tree behind it while others go on. One
// that fails is tried once more, elsewhere.
absl::Status EngineImpl::RunCheckpoint() {
  if (checkpoint_running_) {
    changed_.Wait(&mutex_);
    return failure_;
  }
  checkpoint_running_ = true;
  const int64_t begin_ns = clock_.MonotonicNs();
  const uint64_t pages_before = stats_.checkpoint_pages;
  absl::Status status;
  for (int attempt = 0; attempt < 2 && failure_.ok(); ++attempt) {
    while (commit_running_) changed_.Wait(&mutex_);
    commit_running_ = true;
    status = CommitBatch({.flip = true, .place = true});
    commit_running_ = false;
    changed_.SignalAll();
    if (status.ok()) status = FinishCheckpoint();
    frozen_pages_ = 0;
    if (status.ok()) break;
  }
  if (!status.ok()) Fail(base::Annotate(absl::UnavailableError("a checkpoint failed twice; the volume is read-only now"), status.message()));
  const uint64_t pages = stats_.checkpoint_pages - pages_before;
  Report({"checkpoint", begin_ns, clock_.MonotonicNs(), superblocks_.current().tree_generation, pages,
          pages * page_bytes_});
  checkpoint_running_ = false;
  changed_.SignalAll();
  if (!async_.empty()) work_.SignalAll();
  return failure_;
}

// E5: only when two copies hold the new tree may what the old one needs be used again.
absl::Status EngineImpl::FinishCheckpoint() {
  Batch batch = std::exchange(frozen_batch_, Batch());
  const uint64_t tail_offset = log_head_at_flip_;
  const uint64_t used_at_flip = log_used_at_flip_;
  const uint64_t generation = superblocks_.current().tree_generation + 1;
  std::vector<uint64_t> addresses;
  const uint64_t failures = flush_failures_.load();
  absl::Status status = WritePages(batch.frozen, generation, &addresses);
  if (status.ok()) {
    mutex_.Unlock();
    status = Flush(failures);
    mutex_.Lock();
  }
  if (!status.ok()) {
    // No superblock names these pages.
    tree_.Abandon(batch.frozen);
    for (const uint64_t address : addresses) chunks_.FreePage(address);
    ++stats_.failed_writes;
    stats_.notes.push_back(absl::StrFormat("a checkpoint was written again after: %s", status.message()));
    return status;
  }
  const uint32_t flags = closing_ ? kCleanlyClosed : 0;
  const auto edit = [&](Superblock* next) {
    next->tree_generation = generation;
    next->root = tree_.RootRef(batch.frozen);
    next->tree_height = static_cast<uint32_t>(batch.frozen.height);
    next->tree_pages = batch.frozen.pages;
    next->tree_sequence = batch.last_sequence;
    next->tail_offset = tail_offset;
    next->tail_batch = batch.number + 1;
    next->tail_chain = batch.crc;
    // What is void lies behind the tail now, unless it begins there.
    if (next->void_batch < batch.number) next->void_batch = next->void_bytes = 0;
    if (next->fence_batch <= batch.number) {
      next->fence_batch = batch.number;
      next->fence_chain = batch.crc;
    }
    next->flags = flags;
  };
  status = WriteSuperblock(edit);
  if (!status.ok()) status = WriteSuperblock(edit);
  if (!status.ok()) {
    // A copy may name the new pages: they can neither be freed nor relied upon.
    Fail(base::Annotate(absl::UnavailableError("no superblock could be written; the volume is read-only now"), status.message()));
    tree_.Thaw(batch.frozen, 0, batch.frozen.frames.size());
    return failure_;
  }
  for (const PageRef& ref : tree_.Finish(batch.frozen)) chunks_.FreePage(ref.address);
  log_used_ -= used_at_flip;
  last_checkpoint_ns_ = NowNs();
  ++stats_.checkpoints;
  return absl::OkStatus();
}

absl::Status EngineImpl::Checkpoint() {
  base::MutexLock lock(&mutex_);
  if (read_only_) return failure_.ok() ? absl::FailedPreconditionError("opened read-only") : failure_;
  const uint64_t before = stats_.checkpoints;
  while (stats_.checkpoints == before) RETURN_IF_ERROR(RunCheckpoint());
  return absl::OkStatus();
}

}  // namespace fs
