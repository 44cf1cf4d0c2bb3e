// The part of EngineImpl that knows how much room there is, and makes some.
#include <algorithm>
#include <vector>

#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"

namespace fs {
namespace {

// Pages that one row may dirty or make: a leaf and its parents, each split once.
constexpr uint64_t kPagesPerRow = 2;
constexpr uint64_t kPagesSlack = 16;
// The cleaner fills chunks of its own while it empties others.
constexpr uint32_t kCleanerChunks = 1;
constexpr uint64_t kDeleteReserveMin = 16 << 20;

}  // namespace

// FREE chunks that tree pages may still need: the next checkpoint writes every dirty page
// before the one before it gives a page back.
uint32_t EngineImpl::MetaChunks() const {
  const uint64_t pages_per_chunk = chunks_.chunk_bytes() / page_bytes_;
  const uint64_t wanted = tree_.dirty_count() + frozen_pages_ + kPagesSlack;
  const uint64_t have = chunks_.free_pages();
  return have >= wanted ? 0 : static_cast<uint32_t>((wanted - have + pages_per_chunk - 1) / pages_per_chunk);
}

uint32_t EngineImpl::DeleteChunks() const {
  const uint64_t total = uint64_t{chunks_.chunk_count()} * chunks_.chunk_bytes();
  const uint64_t bytes = std::max(total / 200, std::min(kDeleteReserveMin, total / 32));
  return std::max<uint32_t>(2, static_cast<uint32_t>(bytes / chunks_.chunk_bytes()));
}

uint32_t EngineImpl::ReservedChunks() const { return DeleteChunks() + kCleanerChunks; }

uint32_t EngineImpl::ReserveFor(const Mutation& mutation) const {
  if (mutation.frees_space()) return 0;
  return mutation.replaces_space() ? ReservedChunks() - DeleteChunks() / 2 : ReservedChunks();
}

// FREE chunks that nobody has been promised: neither tree pages, nor data in the buffer
// (as if every unit of it took a block), nor the `reserve`.
int64_t EngineImpl::SpareChunks(uint64_t more_blocks, uint64_t more_rows, uint32_t reserve, uint64_t dirty_pages) const {
  const uint64_t pages_per_chunk = chunks_.chunk_bytes() / page_bytes_, blocks_per_chunk = chunks_.chunk_bytes() / kBlockBytes;
  const auto chunks = [](uint64_t wanted, uint64_t have, uint64_t per_chunk) {
    return have >= wanted ? 0 : static_cast<int64_t>((wanted - have + per_chunk - 1) / per_chunk);
  };
  const uint64_t pages = dirty_pages + frozen_pages_ + more_rows * kPagesPerRow + buffer_.run_count() / 8 + kPagesSlack;
  const int64_t meta = chunks(pages, chunks_.free_pages(), pages_per_chunk);
  const int64_t data = chunks(buffer_.unplaced_blocks() + more_blocks, chunks_.hole_bytes() / kBlockBytes, blocks_per_chunk);
  return static_cast<int64_t>(chunks_.free_chunks()) - meta - data - reserve;
}

bool EngineImpl::HasRoom(uint64_t blocks, uint64_t rows, uint32_t reserve) const {
  return SpareChunks(blocks, rows, reserve, tree_.dirty_count()) >= 0;
}

// From cheap to dear, over and over while something changes: what was freed is usable two
// commits later; dirty pages need room until a checkpoint; sparse chunks have to be
// emptied first.
absl::StatusOr<bool> EngineImpl::FindRoom(RoomSearch* search) {
  if (search->attempt == 0 && !search->must_try && FreeSignature() == exhausted_at_) return false;
  switch (search->attempt++ % 4) {
    case 0:
    case 1:
      if (chunks_.has_pending() || HasWork()) RETURN_IF_ERROR(CommitOnce({.flip = false, .place = true}));
      return true;
    case 2:
      if (tree_.dirty_count() > kPagesSlack || (tree_.dirty_count() > 0 && SpareChunks(search->blocks, search->rows, search->reserve, 0) >= 0)) {
        RETURN_IF_ERROR(RunCheckpoint());
      }
      return true;
    default: {
      // Emptying chunks costs room before it gives some: a few rounds may pass without gain.
      const uint64_t blocks = chunks_.free_chunks() * uint64_t{chunks_.chunk_bytes() / kBlockBytes} + chunks_.hole_bytes() / kBlockBytes;
      search->rounds_without_gain = blocks > search->most_blocks ? 0 : search->rounds_without_gain + 1;
      search->most_blocks = std::max(search->most_blocks, blocks);
      bool cleaned = false;
      if (search->rounds_without_gain < 8) {
        ASSIGN_OR_RETURN(cleaned, CleanOne(true));
      }
      if (!cleaned) exhausted_at_ = FreeSignature();
      return cleaned;
    }
  }
}

// Changes whenever space is freed.
uint64_t EngineImpl::FreeSignature() const {
  return chunks_.hole_bytes() + uint64_t{chunks_.free_chunks()} * 3 + chunks_.pending_bytes() * 5 + chunks_.dead_pack_bytes() * 7 +
         chunks_.free_pages() * 11 + tree_.dirty_count() * 13 + 1;
}

SpaceUsage EngineImpl::space() {
  base::ReaderMutexLock lock(&mutex_);
  SpaceUsage usage;
  const uint64_t chunk = chunks_.chunk_bytes();
  const uint64_t taken = buffer_.unplaced_blocks() * kBlockBytes;
  const auto minus = [](uint64_t a, uint64_t b) { return a > b ? a - b : 0; };
  usage.total_bytes = uint64_t{chunks_.chunk_count()} * chunk;
  const uint64_t data = chunks_.free_chunks() * chunk + chunks_.hole_bytes() + chunks_.dead_pack_bytes() + chunks_.pending_bytes();
  // What the chunks being filled do not hold is free, but only small files may have it.
  uint64_t open = 0;
  for (const auto& [policy, pack] : packs_) open += minus(chunk, chunks_.live_bytes(pack.chunk));
  usage.free_bytes = minus(data + open + chunks_.free_pages() * page_bytes_, taken);
  usage.available_bytes = minus(data, taken + (uint64_t{MetaChunks()} + ReservedChunks()) * chunk);
  return usage;
}

}  // namespace fs
