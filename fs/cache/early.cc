// The part of EngineImpl that writes data of streams before the batch that will name it,
// so that the device works while the buffer fills, and whoever waits for a commit waits
// for little else.
//
//   E6  what was written early lies in blocks that no submitted batch ever named; a batch
//       names them only when the write is done, and flushes it like its own
//   E7  a flush that fails makes all of it unknown, like everything since the last good one:
//       then it is written again, elsewhere, with the batch
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

// Whoever waits for a commit may have to wait for this much.
constexpr uint64_t kEarlyBytesMax = 8 << 20;

}  // namespace

// Runs that a write has just filled go on their way. The requests are to be submitted once
// the lock is free.
void EngineImpl::BeginEarly(const Mutation& mutation, std::vector<IoRequest>* requests) {
  if (options_.early_write_bytes == 0) return;
  for (const Mutation::Data& data : mutation.data()) {
    if (data.kind != Mutation::Data::Kind::kWrite) continue;
    const WriteBuffer::File* file = buffer_.Find(data.inode);
    if (file == nullptr || IsSmallFile(data.inode, *file)) continue;
    std::vector<uint64_t> offsets;
    buffer_.Visit(data.inode, data.offset, data.offset + data.bytes.size(),
                  [&](uint64_t offset, const WriteBuffer::Run& run) {
                    const bool full = run.length >= options_.early_write_bytes && run.length % kBlockBytes == 0;
                    const bool direct = run.blob->aligned() && run.blob_offset % kBlockBytes == 0;
                    if (full && direct && run.state == WriteBuffer::State::kDirty && run.early == nullptr)
                      offsets.push_back(offset);
                  });
    for (const uint64_t offset : offsets) BeginEarlyRun(data.inode, offset, requests);
  }
}

void EngineImpl::BeginEarlyRun(InodeNumber inode, uint64_t offset, std::vector<IoRequest>* requests) {
  WriteBuffer::Run& run = buffer_.Find(inode)->runs.at(offset);
  if (run.length > uint64_t{ExtentUnitsMax()} * kBlockBytes) return;
  {
    base::MutexLock lock(&early_mutex_);
    if (early_under_way_ + run.length > kEarlyBytesMax) return;
  }
  const absl::optional<BlockRange> range = chunks_.AllocateExtent(run.length, MetaChunks() + ReservedChunks());
  if (!range) return;
  if (range->bytes < run.length) return chunks_.DiscardExtent(*range);
  chunks_.Hold(*range, true);
  auto early = std::make_shared<EarlyWrite>();
  early->address = range->address;
  early->blob = run.blob;
  early->flush_failures = flush_failures_.load();
  early->placed.resize(run.length / kBlockBytes);
  cache_.Erase(range->address, range->bytes);
  requests->push_back(IoRequest::Write(
      range->address, absl::MakeConstSpan(run.data(), run.length),
      [this, early, bytes = run.length](const absl::Status& status) { FinishEarly(*early, bytes, status); }));
  {
    base::MutexLock lock(&early_mutex_);
    early_under_way_ += run.length;
  }
  stats_.early_bytes_written += run.length;
  buffer_.SetEarly(run, early);
  early_.push_back(std::move(early));
}

// Runs on a thread of the device's.
void EngineImpl::FinishEarly(EarlyWrite& early, uint64_t bytes, const absl::Status& status) {
  base::MutexLock lock(&early_mutex_);
  early.status = status;
  early.done = true;
  early.flushes_begun = flushes_begun_.load();
  early_under_way_ -= bytes;
  early_done_.SignalAll();
}

absl::Status EngineImpl::WaitEarly(const EarlyWrite& early) {
  base::MutexLock lock(&early_mutex_);
  while (!early.done) early_done_.Wait(&early_mutex_);
  return early.status;
}

void EngineImpl::WaitAllEarly() {
  base::MutexLock lock(&early_mutex_);
  while (early_under_way_ > 0) early_done_.Wait(&early_mutex_);
}

// Whether a flush that was good came after it.
bool EngineImpl::IsFlushed(const EarlyWrite& early) {
  base::MutexLock lock(&early_mutex_);
  return early.done && good_flush_.load() > early.flushes_begun;
}

// E7. What may not be relied upon leaves the run, which is then placed like any other.
bool EngineImpl::KeepEarly(WriteBuffer::Run& run) {
  if (run.early == nullptr) return false;
  const uint64_t address = run.early->address;
  bool failed;
  {
    base::MutexLock lock(&early_mutex_);
    failed = run.early->done && !run.early->status.ok();
  }
  if (!failed && run.early->flush_failures == flush_failures_.load() && run.length % kBlockBytes == 0) return true;
  if (failed) {
    chunks_.MarkBad(address);
    ++stats_.failed_writes;
    ++stats_.retired_chunks;
  }
  buffer_.SetEarly(run, nullptr);
  return false;
}

// E6. The run's part of what was written becomes an extent where it lies.
void EngineImpl::PlaceEarly(InodeNumber inode, uint64_t offset, WriteBuffer::Run& run, Batch* batch) {
  EarlyWrite& early = *run.early;
  const BlockRange range = {early.address + run.early_offset, run.length};
  std::fill_n(early.placed.begin() + run.early_offset / kBlockBytes, run.length / kBlockBytes, true);
  chunks_.Hold(range, false);
  DataWrite& write = batch->writes.emplace_back();
  write.address = range.address;
  write.bytes = run.length;
  write.direct = true;
  write.early = run.early;
  write.pieces.push_back({run.blob, run.blob_offset, run.length, 0});
  std::vector<uint32_t> crcs;
  for (uint32_t at = 0; at < run.length; at += kBlockBytes) crcs.push_back(Crc32c(run.data() + at, kBlockBytes));
  buffer_.SetEarly(run, nullptr);
  buffer_.SetState(inode, run, WriteBuffer::State::kSealed);
  PlaceExtent(inode, offset, ExtentKind::kDevice, run.length, range.address, crcs);
}

// Blocks of runs that went before they were placed: nothing ever named them.
void EngineImpl::SweepEarly() {
  const auto swept = [this](const std::shared_ptr<EarlyWrite>& early) {
    mutex_.AssertHeld();
    if (early.use_count() > 1) return false;  // a run has it, or the device
    for (size_t i = 0; i < early->placed.size(); ++i) {
      if (early->placed[i]) continue;
      const BlockRange block = {early->address + i * kBlockBytes, kBlockBytes};
      chunks_.Hold(block, false);
      chunks_.DiscardExtent(block);
    }
    return true;
  };
  early_.erase(std::remove_if(early_.begin(), early_.end(), swept), early_.end());
}

}  // namespace fs
