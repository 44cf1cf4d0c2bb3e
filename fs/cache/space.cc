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

uint64_t EngineImpl::AvailableBlocks(bool frees_space) const {
  const uint64_t blocks_per_chunk = chunks_.chunk_bytes() / kBlockBytes;
  const uint64_t kept = MetaChunks() + (frees_space ? 0 : DeleteChunks() + kCleanerChunks);
  const uint64_t chunks = chunks_.free_chunks() > kept ? chunks_.free_chunks() - kept : 0;
  const uint64_t free = chunks * blocks_per_chunk + chunks_.hole_bytes() / kBlockBytes;
  // Data in the buffer holds its place already, as if every unit took a block.
  const uint64_t taken = buffer_.unplaced_blocks();
  return free > taken ? free - taken : 0;
}

bool EngineImpl::HasRoom(uint64_t blocks, uint64_t rows, bool frees_space) const {
  const uint64_t pages_per_chunk = chunks_.chunk_bytes() / page_bytes_;
  const uint64_t pages = chunks_.free_pages() + uint64_t{chunks_.free_chunks()} * pages_per_chunk;
  const uint64_t wanted = tree_.dirty_count() + frozen_pages_ + rows * kPagesPerRow + kPagesSlack;
  if (!frees_space) {
    const uint64_t kept = uint64_t{DeleteChunks() + kCleanerChunks} * pages_per_chunk;
    if (pages < wanted + kept) return false;
  } else if (pages < wanted) {
    return false;
  }
  // A delete that has to keep part of a unit writes that; it may use anything.
  return blocks == 0 || AvailableBlocks(frees_space) >= blocks;
}

// From cheap to dear. What was freed is usable two commits later; dirty pages need room
// until a checkpoint; sparse chunks have to be emptied first.
absl::StatusOr<bool> EngineImpl::FindRoom(int attempt) {
  if (attempt == 0 || attempt == 1) {
    if (!chunks_.has_pending() && !HasWork()) return true;
    RETURN_IF_ERROR(CommitOnce({.flip = false, .place = true}));
    return true;
  }
  if (attempt == 2) {
    RETURN_IF_ERROR(RunCheckpoint());
    return true;
  }
  if (attempt < 100) {
    ASSIGN_OR_RETURN(const bool cleaned, CleanOne(true));
    return cleaned;
  }
  return false;
}

absl::StatusOr<bool> EngineImpl::CleanOne(bool) { return false; }

SpaceUsage EngineImpl::space() {
  base::ReaderMutexLock lock(&mutex_);
  SpaceUsage usage;
  const uint64_t chunk = chunks_.chunk_bytes();
  usage.total_bytes = uint64_t{chunks_.chunk_count()} * chunk;
  usage.free_bytes = chunks_.free_chunks() * chunk + chunks_.hole_bytes() + chunks_.dead_pack_bytes() +
                     chunks_.free_pages() * page_bytes_ + chunks_.pending_bytes();
  const uint64_t taken = buffer_.unplaced_blocks() * kBlockBytes;
  usage.free_bytes = usage.free_bytes > taken ? usage.free_bytes - taken : 0;
  const uint64_t kept = (uint64_t{MetaChunks()} + DeleteChunks() + kCleanerChunks) * chunk;
  usage.available_bytes = usage.free_bytes > kept ? usage.free_bytes - kept : 0;
  return usage;
}

}  // namespace fs
