#include "fs/cache/chunk_table.h"

#include <glog/logging.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/units.h"
#include "fs/format/extent_row.h"

namespace fs {
namespace {

bool Bit(const std::vector<uint64_t>& bits, uint32_t i) { return (bits[i / 64] >> (i % 64)) & 1; }
void SetBit(std::vector<uint64_t>& bits, uint32_t i, bool value) {
  const uint64_t mask = uint64_t{1} << (i % 64);
  bits[i / 64] = value ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

// How many EXT chunks are looked at for a hole that is large enough.
constexpr int kHoleSearchMax = 8;

}  // namespace

ChunkTable::ChunkTable(const Superblock& geometry) : geometry_(geometry), chunks_(geometry.chunk_count) {}

absl::optional<uint32_t> ChunkTable::ChunkOf(uint64_t address) const {
  if (address < geometry_.chunks_address) return absl::nullopt;
  const uint64_t index = (address - geometry_.chunks_address) / geometry_.chunk_bytes;
  if (index >= chunks_.size()) return absl::nullopt;
  return static_cast<uint32_t>(index);
}

void ChunkTable::Changed(uint32_t index) {
  if (chunks_[index].changed) return;
  chunks_[index].changed = true;
  changed_.push_back(index);
}

absl::optional<uint32_t> ChunkTable::TakeFree(ChunkType type, uint32_t kept_chunks) {
  if (free_.size() <= kept_chunks) return absl::nullopt;
  const uint32_t index = *free_.begin();
  free_.erase(free_.begin());
  stale_.erase(index);
  Chunk& chunk = chunks_[index];
  chunk.type = type;
  chunk.birth_batch = batch_;
  const uint32_t units = type == ChunkType::kMeta ? pages_per_chunk() : blocks_per_chunk();
  if (type != ChunkType::kPack) chunk.busy.assign((units + 63) / 64, 0);
  if (type == ChunkType::kExtent) {
    chunk.live.assign((units + 63) / 64, 0);
    holes_.insert(index);
    hole_blocks_ += units;
  } else if (type == ChunkType::kMeta) {
    page_holes_.insert(index);
    free_pages_ += units;
  }
  Changed(index);
  return index;
}

// C2.
void ChunkTable::FreeIfIdle(uint32_t index) {
  Chunk& chunk = chunks_[index];
  if (loading_ || chunk.open || chunk.busy_count != 0) return;
  if (chunk.type == ChunkType::kPack && (chunk.live_bytes != 0 || chunk.queued)) return;
  if (chunk.type == ChunkType::kExtent) {
    holes_.erase(index);
    hole_blocks_ -= blocks_per_chunk();
    if (extent_cursor_ == index) extent_cursor_ = UINT32_MAX;
  } else if (chunk.type == ChunkType::kMeta) {
    page_holes_.erase(index);
    free_pages_ -= pages_per_chunk();
  } else if (chunk.type != ChunkType::kPack) {
    return;
  }
  Changed(index);
  dead_pack_bytes_ -= DeadBytes(chunk);
  const bool changed = chunk.changed, retired = chunk.retired;
  chunk = Chunk();
  chunk.changed = changed;
  chunk.retired = retired;
  if (retired) {
    chunk.type = ChunkType::kBad;
  } else {
    free_.insert(index);
    stale_.insert(index);
  }
}

void ChunkTable::SetBusy(Chunk& chunk, uint32_t first, uint32_t count, bool busy) {
  for (uint32_t i = first; i < first + count; ++i) {
    DCHECK_NE(Bit(chunk.busy, i), busy);
    SetBit(chunk.busy, i, busy);
  }
  chunk.busy_count += busy ? count : -count;
  if (chunk.type != ChunkType::kExtent) return;
  const auto index = static_cast<uint32_t>(&chunk - chunks_.data());
  hole_blocks_ += busy ? -uint64_t{count} : uint64_t{count};
  if (chunk.busy_count == blocks_per_chunk() || chunk.retired || chunk.evacuating) {
    holes_.erase(index);
  } else {
    holes_.insert(index);
  }
}

// The first hole of `blocks`, else the longest one of at least `blocks_min`.
absl::optional<BlockRange> ChunkTable::TakeHole(uint32_t index, uint32_t blocks, uint32_t blocks_min) {
  Chunk& chunk = chunks_[index];
  uint32_t best = 0, best_length = 0;
  for (uint32_t i = 0; i < blocks_per_chunk() && best_length < blocks;) {
    if (Bit(chunk.busy, i)) {
      ++i;
      continue;
    }
    uint32_t length = 0;
    while (i + length < blocks_per_chunk() && length < blocks && !Bit(chunk.busy, i + length)) ++length;
    if (length > best_length) best = i, best_length = length;
    i += length;
  }
  if (best_length < std::max(blocks_min, 1u)) return absl::nullopt;
  SetBusy(chunk, best, best_length, true);
  extent_cursor_ = index;
  return BlockRange{ChunkAddress(index) + uint64_t{best} * kBlockBytes, uint64_t{best_length} * kBlockBytes};
}

absl::optional<BlockRange> ChunkTable::AllocateExtent(uint64_t bytes, uint32_t kept_chunks) {
  const auto blocks = static_cast<uint32_t>(std::min<uint64_t>(base::RoundUp(bytes, kBlockBytes) / kBlockBytes, blocks_per_chunk()));
  // Where the last one went, then a few chunks with holes, then a chunk of its own, then
  // whatever there is.
  if (extent_cursor_ != UINT32_MAX && holes_.count(extent_cursor_) != 0) {
    if (auto range = TakeHole(extent_cursor_, blocks, blocks)) return range;
  }
  if (blocks <= blocks_per_chunk() / 2) {
    int tries = 0;
    for (auto it = holes_.begin(); it != holes_.end() && tries < kHoleSearchMax; ++it, ++tries) {
      if (blocks_per_chunk() - chunks_[*it].busy_count < blocks) continue;
      if (auto range = TakeHole(*it, blocks, blocks)) return range;
    }
  }
  if (const auto index = TakeFree(ChunkType::kExtent, kept_chunks)) return TakeHole(*index, blocks, 1);
  if (holes_.empty()) return absl::nullopt;
  return TakeHole(*holes_.begin(), blocks, 1);
}

void ChunkTable::Hold(const BlockRange& range, bool held) {
  const auto blocks = static_cast<uint32_t>(range.bytes / kBlockBytes);
  chunks_[*ChunkOf(range.address)].held += held ? blocks : -blocks;
}

std::vector<uint32_t> ChunkTable::BeginDiscard(size_t count) {
  std::vector<uint32_t> chunks;
  while (chunks.size() < count && !stale_.empty()) {
    const uint32_t index = *stale_.begin();
    stale_.erase(stale_.begin());
    if (free_.erase(index) != 0) chunks.push_back(index);
  }
  return chunks;
}

void ChunkTable::EndDiscard(const std::vector<uint32_t>& chunks) {
  for (const uint32_t index : chunks) {
    if (!chunks_[index].retired) free_.insert(index);
  }
}

void ChunkTable::DiscardExtent(const BlockRange& range) {
  const uint32_t index = *ChunkOf(range.address);
  const auto first = static_cast<uint32_t>((range.address - ChunkAddress(index)) / kBlockBytes);
  SetBusy(chunks_[index], first, static_cast<uint32_t>(range.bytes / kBlockBytes), false);
  FreeIfIdle(index);
}

absl::optional<uint32_t> ChunkTable::OpenPack(uint32_t policy, uint32_t kept_chunks) {
  const auto index = TakeFree(ChunkType::kPack, kept_chunks);
  if (index) {
    chunks_[*index].open = true;
    chunks_[*index].policy = policy;
  }
  return index;
}

void ChunkTable::FillPack(uint32_t index, uint32_t filled_bytes, uint32_t summary_block) {
  chunks_[index].filled_bytes = filled_bytes;
  chunks_[index].summary_block = summary_block;
  Changed(index);
}

std::vector<uint32_t> ChunkTable::OpenPacks() const {
  std::vector<uint32_t> open;
  for (uint32_t index = 0; index < chunks_.size(); ++index) {
    if (chunks_[index].open) open.push_back(index);
  }
  return open;
}

void ChunkTable::ClosePack(uint32_t index, uint32_t filled_bytes, uint32_t summary_block) {
  FillPack(index, filled_bytes, summary_block);
  chunks_[index].open = false;
  dead_pack_bytes_ += DeadBytes(chunks_[index]);
  FreeIfIdle(index);
}

absl::optional<uint64_t> ChunkTable::AllocatePage(uint32_t kept_chunks) {
  if (page_holes_.empty() && !TakeFree(ChunkType::kMeta, kept_chunks)) return absl::nullopt;
  const uint32_t index = *page_holes_.begin();
  Chunk& chunk = chunks_[index];
  uint32_t page = 0;
  while (Bit(chunk.busy, page)) ++page;
  SetBusy(chunk, page, 1, true);
  --free_pages_;
  if (chunk.busy_count == pages_per_chunk()) page_holes_.erase(index);
  return ChunkAddress(index) + uint64_t{page} * geometry_.page_bytes;
}

void ChunkTable::FreePage(uint64_t address) {
  const uint32_t index = *ChunkOf(address);
  SetBusy(chunks_[index], static_cast<uint32_t>((address - ChunkAddress(index)) / geometry_.page_bytes), 1, false);
  ++free_pages_;
  if (!chunks_[index].retired) page_holes_.insert(index);
  FreeIfIdle(index);
}

absl::Status ChunkTable::Damage(const char* what, uint64_t address, uint64_t length) const {
  return absl::DataLossError(absl::StrFormat("%s; address %d, length %d", what, address, length));
}

// While loading: the chunk has become something else since the checkpoint.
void ChunkTable::Retype(uint32_t index, ChunkType type) {
  Chunk& chunk = chunks_[index];
  const bool changed = chunk.changed, retired = chunk.retired;
  std::vector<uint64_t> pages = std::move(chunk.pages);
  chunk = Chunk();
  chunk.type = type;
  chunk.changed = changed;
  chunk.retired = retired;
  chunk.birth_batch = batch_;
  chunk.pages = std::move(pages);
  if (type == ChunkType::kExtent) chunk.live.assign((blocks_per_chunk() + 63) / 64, 0);
}

absl::Status ChunkTable::AddLive(uint64_t address, uint64_t length, bool packed) {
  const auto index = ChunkOf(address);
  if (!index || address - ChunkAddress(*index) + length > geometry_.chunk_bytes) {
    return Damage("extent outside the chunks", address, length);
  }
  Chunk& chunk = chunks_[*index];
  const ChunkType type = packed ? ChunkType::kPack : ChunkType::kExtent;
  Changed(*index);
  if (chunk.type != type) {
    const bool in_use = chunk.live_bytes != 0 || std::any_of(chunk.live.begin(), chunk.live.end(), [](uint64_t w) { return w != 0; });
    if (!loading_ || in_use) return Damage("extent in a chunk of another type", address, length);
    Retype(*index, type);
  }
  if (packed) {
    const uint64_t bytes = base::RoundUp(length, kPackAlignment);
    if (chunk.live_bytes + bytes > geometry_.chunk_bytes) return Damage("more objects than a chunk holds", address, length);
    chunk.live_bytes += static_cast<uint32_t>(bytes);
    return absl::OkStatus();
  }
  const auto first = static_cast<uint32_t>((address - ChunkAddress(*index)) / kBlockBytes);
  for (uint32_t i = first; i < first + UnitCount(length); ++i) {
    if (Bit(chunk.live, i)) return Damage("block named twice", address, length);
    SetBit(chunk.live, i, true);
  }
  return absl::OkStatus();
}

absl::Status ChunkTable::RemoveLive(uint64_t address, uint64_t length, bool packed, uint64_t batch) {
  const auto index = ChunkOf(address);
  if (!index || address - ChunkAddress(*index) + length > geometry_.chunk_bytes) {
    return Damage("extent outside the chunks", address, length);
  }
  Chunk& chunk = chunks_[*index];
  if (chunk.type != (packed ? ChunkType::kPack : ChunkType::kExtent)) {
    return Damage("extent in a chunk of another type", address, length);
  }
  Changed(*index);
  if (packed) {
    const uint64_t bytes = base::RoundUp(length, kPackAlignment);
    if (chunk.live_bytes < bytes) return Damage("fewer objects than rows", address, length);
    const uint32_t dead_before = DeadBytes(chunk);
    chunk.live_bytes -= static_cast<uint32_t>(bytes);
    if (!loading_ && !chunk.open) dead_pack_bytes_ += DeadBytes(chunk) - dead_before;
    if (!loading_ && chunk.live_bytes == 0) {
      ++chunk.queued;
      pending_.push_back({batch, {ChunkAddress(*index), 0}});
    }
    return absl::OkStatus();
  }
  const auto first = static_cast<uint32_t>((address - ChunkAddress(*index)) / kBlockBytes);
  const uint32_t count = UnitCount(length);
  for (uint32_t i = first; i < first + count; ++i) {
    if (!Bit(chunk.live, i)) return Damage("block freed twice", address, length);
    SetBit(chunk.live, i, false);
  }
  if (loading_) return absl::OkStatus();
  pending_.push_back({batch, {address, uint64_t{count} * kBlockBytes}});
  pending_bytes_ += uint64_t{count} * kBlockBytes;
  return absl::OkStatus();
}

void ChunkTable::Release(uint64_t batch) {
  while (!pending_.empty() && pending_.front().batch <= batch) {
    const BlockRange range = pending_.front().range;
    pending_.pop_front();
    if (range.bytes != 0) {
      pending_bytes_ -= range.bytes;
      DiscardExtent(range);
      continue;
    }
    const uint32_t index = *ChunkOf(range.address);
    --chunks_[index].queued;
    FreeIfIdle(index);
  }
}

void ChunkTable::Evacuate(uint32_t index) {
  chunks_[index].evacuating = true;
  holes_.erase(index);
}

void ChunkTable::MarkBad(uint64_t address) {
  const auto index = ChunkOf(address);
  if (!index || chunks_[*index].retired) return;
  chunks_[*index].retired = true;
  Changed(*index);
  holes_.erase(*index);
  page_holes_.erase(*index);
  if (free_.erase(*index) != 0) chunks_[*index].type = ChunkType::kBad;
}

absl::Status ChunkTable::LoadRow(uint32_t index, const ChunkRow& row) {
  if (index >= chunks_.size()) return absl::DataLossError(absl::StrFormat("V41: row of chunk %d, which does not exist", index));
  Chunk& chunk = chunks_[index];
  Retype(index, row.type);
  chunk.retired = row.retired;
  chunk.policy = row.policy;
  chunk.live_bytes = row.live_bytes;
  chunk.summary_block = row.summary_block;
  chunk.filled_bytes = row.filled_bytes;
  chunk.open = row.open;
  chunk.birth_batch = row.birth_batch;
  for (uint32_t i = 0; row.type == ChunkType::kExtent && i < blocks_per_chunk(); ++i) {
    if ((static_cast<uint8_t>(row.bitmap[i / 8]) >> (i % 8)) & 1) SetBit(chunk.live, i, true);
  }
  return absl::OkStatus();
}

absl::Status ChunkTable::ReplayRow(uint32_t index, const ChunkRow& row) {
  if (index >= chunks_.size()) return absl::DataLossError(absl::StrFormat("V41: row of chunk %d, which does not exist", index));
  if (row.type != ChunkType::kPack) return absl::DataLossError(absl::StrFormat("V46: the log has a row of chunk %d, which is no PACK", index));
  Chunk& chunk = chunks_[index];
  const bool in_use = chunk.live_bytes != 0 || std::any_of(chunk.live.begin(), chunk.live.end(), [](uint64_t w) { return w != 0; });
  if (chunk.type != ChunkType::kPack && in_use) return Damage("packed in a chunk of another type", ChunkAddress(index), geometry_.chunk_bytes);
  Changed(index);
  if (chunk.type != ChunkType::kPack) Retype(index, ChunkType::kPack);
  chunk.retired = row.retired;
  chunk.policy = row.policy;
  chunk.summary_block = row.summary_block;
  chunk.filled_bytes = row.filled_bytes;
  chunk.open = row.open;
  chunk.birth_batch = row.birth_batch;
  return absl::OkStatus();
}

absl::Status ChunkTable::LoadPage(uint64_t address) {
  const auto index = ChunkOf(address);
  if (!index || (address - ChunkAddress(*index)) % geometry_.page_bytes != 0) return Damage("page outside the chunks", address, geometry_.page_bytes);
  Chunk& chunk = chunks_[*index];
  if (chunk.pages.empty()) chunk.pages.assign((pages_per_chunk() + 63) / 64, 0);
  const auto page = static_cast<uint32_t>((address - ChunkAddress(*index)) / geometry_.page_bytes);
  if (Bit(chunk.pages, page)) return Damage("page named twice", address, geometry_.page_bytes);
  SetBit(chunk.pages, page, true);
  return absl::OkStatus();
}

absl::Status ChunkTable::FinishLoad() {
  loading_ = false;
  free_.clear();
  for (uint32_t index = 0; index < chunks_.size(); ++index) {
    Chunk& chunk = chunks_[index];
    const auto count = [](const std::vector<uint64_t>& bits) {
      uint32_t n = 0;
      for (const uint64_t word : bits) n += __builtin_popcountll(word);
      return n;
    };
    const uint32_t live = count(chunk.live), pages = count(chunk.pages);
    if (pages > 0) {
      if (live > 0 || chunk.live_bytes > 0) return Damage("pages and file data in one chunk", ChunkAddress(index), geometry_.chunk_bytes);
      if (chunk.type != ChunkType::kMeta) Retype(index, ChunkType::kMeta);
      chunk.busy = std::move(chunk.pages);
      chunk.busy_count = pages;
      free_pages_ += pages_per_chunk() - pages;
      if (pages < pages_per_chunk() && !chunk.retired) page_holes_.insert(index);
    } else if (live > 0) {
      chunk.busy = chunk.live;
      chunk.busy_count = live;
      hole_blocks_ += blocks_per_chunk() - live;
      if (live < blocks_per_chunk() && !chunk.retired) holes_.insert(index);
    } else if (chunk.live_bytes > 0) {
      if (!chunk.open) dead_pack_bytes_ += DeadBytes(chunk);
    } else {
      if (chunk.type != ChunkType::kFree && chunk.type != ChunkType::kBad) Changed(index);
      Retype(index, chunk.retired ? ChunkType::kBad : ChunkType::kFree);
      if (!chunk.retired) free_.insert(free_.end(), index);
    }
    chunk.pages.clear();
  }
  return absl::OkStatus();
}

void ChunkTable::VisitChanged(absl::FunctionRef<void(uint32_t index, const absl::optional<ChunkRow>& row)> visit) {
  for (const uint32_t index : changed_) {
    chunks_[index].changed = false;
    visit(index, Row(index));
  }
  changed_.clear();
}

absl::optional<ChunkRow> ChunkTable::Row(uint32_t index) const {
  const Chunk& chunk = chunks_[index];
  if (chunk.type != ChunkType::kPack && chunk.type != ChunkType::kExtent && !chunk.retired) return absl::nullopt;
  ChunkRow row;
  row.type = chunk.type == ChunkType::kMeta || chunk.type == ChunkType::kFree ? ChunkType::kBad : chunk.type;
  row.retired = chunk.retired;
  row.policy = chunk.policy;
  row.live_bytes = chunk.live_bytes;
  row.birth_batch = chunk.birth_batch;
  if (chunk.type == ChunkType::kPack) {
    row.open = chunk.open;
    row.summary_block = chunk.summary_block;
    row.filled_bytes = chunk.filled_bytes;
  } else if (chunk.type == ChunkType::kExtent) {
    row.bitmap.assign((blocks_per_chunk() + 7) / 8, '\0');
    for (uint32_t i = 0; i < blocks_per_chunk(); ++i) {
      if (Bit(chunk.live, i)) row.bitmap[i / 8] = static_cast<char>(row.bitmap[i / 8] | 1 << (i % 8));
    }
  }
  return row;
}

uint32_t ChunkTable::live_bytes(uint32_t index) const {
  const Chunk& chunk = chunks_[index];
  if (chunk.type == ChunkType::kPack) return chunk.live_bytes;
  uint32_t blocks = 0;
  for (const uint64_t word : chunk.live) blocks += __builtin_popcountll(word);
  return blocks * kBlockBytes;
}

uint32_t ChunkTable::used_bytes(uint32_t index) const {
  const Chunk& chunk = chunks_[index];
  return chunk.type == ChunkType::kMeta ? chunk.busy_count * geometry_.page_bytes : live_bytes(index);
}

absl::optional<uint32_t> ChunkTable::Sparsest(ChunkType type, uint32_t dead_min) const {
  absl::optional<uint32_t> best;
  uint32_t best_live = geometry_.chunk_bytes;
  for (uint32_t index = 0; index < chunks_.size(); ++index) {
    const Chunk& chunk = chunks_[index];
    if (chunk.type != type || chunk.open || chunk.queued != 0 || chunk.held != 0 || chunk.evacuating || chunk.retired) continue;
    const uint32_t live = live_bytes(index);
    const uint32_t dead = type == ChunkType::kPack ? DeadBytes(chunk) : geometry_.chunk_bytes - live;
    if (live != 0 && dead >= dead_min && live < best_live) best = index, best_live = live;
  }
  return best;
}

std::vector<uint32_t> ChunkTable::CountTypes() const {
  std::vector<uint32_t> counts(6);
  for (const Chunk& chunk : chunks_) ++counts[static_cast<size_t>(chunk.type)];
  return counts;
}

}  // namespace fs
