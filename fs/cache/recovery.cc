// The part of EngineImpl that opens a volume: tree, log, fence.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/cache/page_reader.h"

namespace fs {

absl::Status EngineImpl::Recover() {
  base::MutexLock lock(&mutex_);
  const int64_t begin_ns = clock_.MonotonicNs();
  const Superblock& superblock = superblocks_.current();
  stats_.notes = superblocks_.notes();
  // R3: after kill -9 what was written last may sit in the device's cache only.
  if (!options_.read_only) RETURN_IF_ERROR(device_.Flush());
  mount_epoch_ = superblock.mount_epoch;
  log_epoch_ = superblock.log_epoch;
  last_sequence_ = superblock.tree_sequence;
  RETURN_IF_ERROR(LoadTables());
  RETURN_IF_ERROR(Replay());
  RETURN_IF_ERROR(chunks_.FinishLoad());
  ResumePacks();
  durable_sequence_ = last_sequence_;
  if (!options_.read_only) RETURN_IF_ERROR(Fence());
  last_checkpoint_ns_ = NowNs();
  stats_.recovery_time = absl::Nanoseconds(clock_.MonotonicNs() - begin_ns);
  read_only_ = options_.read_only;
  return absl::OkStatus();
}

absl::Status EngineImpl::LoadTables() {
  const Superblock& superblock = superblocks_.current();
  if (superblock.tree_height > 0) {
    RETURN_IF_ERROR(tree_.Load(superblock.root, static_cast<int>(superblock.tree_height), volume_id_,
                               [this](absl::Span<PageTree::PageRead> reads) { ReadTreePages(device_, reads); }));
    if (tree_.page_count() != superblock.tree_pages) {
      return absl::DataLossError(absl::StrFormat("R4: the tree has %d pages, the superblock says %d", tree_.page_count(), superblock.tree_pages));
    }
  }
  absl::Status status;
  tree_.VisitPages([&](const PageRef& ref) {
    mutex_.AssertHeld();
    status.Update(chunks_.LoadPage(ref.address));
  });
  tree_.Scan(RowKey(0, RowType::kChunk), RowEnd(0, RowType::kChunk), [&](absl::string_view key, absl::string_view value) {
    mutex_.AssertHeld();
    if (key.size() != kKeyHeaderBytes + 4) {
      status.Update(absl::DataLossError("V40: bad chunk key"));
      return false;
    }
    const absl::StatusOr<ChunkRow> row = DecodeChunkRow(value, superblock.chunk_bytes);
    status.Update(row.status());
    if (row.ok()) status.Update(chunks_.LoadRow(base::LoadBig<uint32_t>(KeySuffix(key).data()), *row));
    return status.ok();
  });
  return status;
}

absl::Status EngineImpl::Replay() {
  LogScanner scanner(device_, superblocks_.current());
  while (true) {
    ASSIGN_OR_RETURN(const absl::optional<LogScanner::Batch> batch, scanner.Next());
    if (!batch) break;
    RETURN_IF_ERROR(base::Annotate(ReplayBatch(*batch), absl::StrFormat("log batch %d at %d", batch->header.number(),
                                                                        log_address_ + batch->offset)));
    ++stats_.recovered_batches;
  }
  if (!scanner.cut().empty()) {
    stats_.recovery_cut = true;
    stats_.notes.push_back(absl::StrFormat("the newest commit was incomplete and is gone: %s", scanner.cut()));
  }
  next_batch_ = scanner.end_batch();
  durable_batch_ = next_batch_ - 1;
  log_head_ = scanner.end_offset();
  log_used_ = scanner.used_bytes();
  log_chain_ = scanner.end_chain();
  return absl::OkStatus();
}

// What a row says about space: once with `add` false, for what the tree still says, once
// with `add` true, for what the batch says.
absl::Status EngineImpl::ReplayExtent(const LogRecord& record, bool add) {
  absl::string_view value = record.value;
  if (add ? record.kind == LogRecordKind::kDelete : !tree_.Get(record.key, &value)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ExtentView extent, DecodeExtent(value));
  if (extent.kind == ExtentKind::kInline) return absl::OkStatus();
  const bool packed = extent.kind == ExtentKind::kPacked;
  if (!add) {
    if (!packed) DeleteOwner(extent.address);
    return chunks_.RemoveLive(extent.address, extent.length, packed, 0);
  }
  RETURN_IF_ERROR(chunks_.AddLive(extent.address, extent.length, packed));
  if (record.key.size() != kKeyHeaderBytes + 8) return absl::DataLossError("V30: bad extent key");
  const InodeNumber inode = KeyInode(record.key);
  const uint64_t offset = base::LoadBig<uint64_t>(KeySuffix(record.key).data());
  if (!packed) {
    PutOwner(extent.address, {inode, offset, extent.length});
    return absl::OkStatus();
  }
  const uint32_t chunk = *chunks_.ChunkOf(extent.address);
  const auto position = static_cast<uint32_t>(extent.address - chunks_.ChunkAddress(chunk));
  OpenPack& pack = replayed_[chunk];
  pack.fill = std::max(pack.fill, position + extent.length);
  pack.owners.push_back({inode, offset, position, extent.length});
  return absl::OkStatus();
}

// A PACK chunk was begun or closed: what was known of its owners is older, or no longer
// needed.
absl::Status EngineImpl::ReplayChunk(const LogRecord& record) {
  if (record.key.size() != kKeyHeaderBytes + 4 || record.kind != LogRecordKind::kPut) return absl::DataLossError("V40: bad chunk key");
  ASSIGN_OR_RETURN(const ChunkRow row, DecodeChunkRow(record.value, chunks_.chunk_bytes()));
  const auto chunk = base::LoadBig<uint32_t>(KeySuffix(record.key).data());
  replayed_.erase(chunk);
  return chunks_.ReplayRow(chunk, row);
}

// PACK chunks that were open go on being filled, behind all that counts: what else lies
// there belonged to batches that are void.
void EngineImpl::ResumePacks() {
  std::map<uint32_t, OpenPack> replayed = std::exchange(replayed_, {});
  for (const uint32_t chunk : chunks_.OpenPacks()) {
    OpenPack pack = std::move(replayed[chunk]);
    pack.chunk = chunk;
    pack.summary_block = chunks_.summary_block(chunk);
    pack.fill = static_cast<uint32_t>(base::RoundUp(std::max(pack.fill, chunks_.filled_bytes(chunk)), kBlockBytes));
    const bool room = pack.fill + PackSummaryBytes(pack.owners.size()) <= chunks_.chunk_bytes();
    const bool resumed = room && !chunks_.retired(chunk) && packs_.emplace(chunks_.policy(chunk), pack).second;
    if (!resumed) chunks_.ClosePack(chunk, pack.fill, pack.owners.empty() ? pack.summary_block : 0);
  }
}

absl::Status EngineImpl::ReplayBatch(const LogScanner::Batch& batch) {
  const auto is_row = [](const LogRecord& record) {
    return record.kind == LogRecordKind::kPut || record.kind == LogRecordKind::kDelete;
  };
  const auto is_extent = [&](const LogRecord& record) {
    return is_row(record) && record.key.size() > kKeyHeaderBytes && KeyType(record.key) == RowType::kExtent;
  };
  const auto is_chunk = [&](const LogRecord& record) {
    return is_row(record) && record.key.size() > kKeyHeaderBytes && KeyInode(record.key) == 0 && KeyType(record.key) == RowType::kChunk;
  };
  chunks_.set_batch(batch.header.number());
  // First everything that goes: parts of an extent may come back in the same batch.
  RETURN_IF_ERROR(DecodeLogPayload(batch.header, batch.payload, [&](const LogRecord& record) -> absl::Status {
    mutex_.AssertHeld();
    if (is_row(record) && (record.key.size() < kKeyHeaderBytes || record.key.size() > kKeyBytesMax ||
                           record.key.size() + record.value.size() > RowBytesMax(page_bytes_))) {
      return absl::DataLossError("V13: bad row");
    }
    if (is_extent(record)) RETURN_IF_ERROR(ReplayExtent(record, false));
    if (is_chunk(record)) RETURN_IF_ERROR(ReplayChunk(record));
    if (record.kind == LogRecordKind::kForget) {
      const uint64_t end = record.length > UINT64_MAX - record.offset ? UINT64_MAX : record.offset + record.length;
      buffer_.Carve(record.inode, record.offset, end, [](uint64_t, const WriteBuffer::Run&) {});
    }
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(DecodeLogPayload(batch.header, batch.payload, [&](const LogRecord& record) -> absl::Status {
    mutex_.AssertHeld();
    if (is_extent(record)) RETURN_IF_ERROR(ReplayExtent(record, true));
    if (record.kind == LogRecordKind::kPut) tree_.Put(record.key, record.value);
    if (record.kind == LogRecordKind::kDelete) tree_.Delete(record.key);
    if (record.kind != LogRecordKind::kInline) return absl::OkStatus();
    if (record.value.size() > WriteBuffer::kRunBytesMax) return absl::DataLossError("V14: inline data too long");
    buffer_.Carve(record.inode, record.offset, record.offset + base::RoundUp(record.value.size(), kBlockBytes),
                  [](uint64_t, const WriteBuffer::Run&) {});
    std::shared_ptr<Blob> blob = Blob::Make(record.value.size());
    std::memcpy(blob->data(), record.value.data(), record.value.size());
    buffer_.AddLogged(record.inode, record.offset, static_cast<uint32_t>(record.value.size()), std::move(blob),
                      {record.group, record.order, record.policy});
    return absl::OkStatus();
  }));
  last_sequence_ = std::max(last_sequence_, batch.header.last_sequence);
  return absl::OkStatus();
}

// R10: before anything is written, the newest superblock names the last batch that counts
// and gives later ones a new epoch, so that what was cut stays so.
absl::Status EngineImpl::Fence() {
  ASSIGN_OR_RETURN(const std::vector<int> repaired, superblocks_.Repair(device_));
  for (const int copy : repaired) {
    stats_.notes.push_back(absl::StrFormat("superblock copy %d was made good from another", copy));
  }
  ++mount_epoch_;
  return WriteSuperblock([this, epoch = ++log_epoch_, number = durable_batch_, chain = log_chain_](Superblock* next) {
    next->mount_epoch = mount_epoch_;
    next->log_epoch = epoch;
    next->fence_batch = number;
    next->fence_chain = chain;
    next->flags = 0;
  });
}

}  // namespace fs
