#include "fs/cache/block_cache.h"

#include <algorithm>
#include <cstring>

#include "fs/format/block_header.h"

namespace fs {

BlockCache::BlockCache(uint64_t capacity_bytes)
    : frames_max_(static_cast<uint32_t>(std::min<uint64_t>(capacity_bytes / kBlockBytes, UINT32_MAX))) {}

bool BlockCache::Read(uint64_t address, absl::Span<uint8_t> out) {
  base::MutexLock lock(&mutex_);
  while (!out.empty()) {
    const auto it = index_.find(address / kBlockBytes);
    if (it == index_.end()) return false;
    const size_t at = address % kBlockBytes;
    const size_t step = std::min<size_t>(out.size(), kBlockBytes - at);
    std::memcpy(out.data(), Data(it->second) + at, step);
    Frame& frame = frames_[it->second];
    frame.visited = true;
    if (frame.ahead) ++ahead_used_blocks_;
    frame.ahead = false;
    out.remove_prefix(step);
    address += step;
  }
  return true;
}

void BlockCache::Leave(Frame& frame) {
  if (frame.ahead) ++ahead_wasted_blocks_;
  frame = Frame();
}

uint32_t BlockCache::TakeFrame() {
  if (!free_.empty()) {
    const uint32_t frame = free_.back();
    free_.pop_back();
    return frame;
  }
  if (frames_.size() < frames_max_) {
    const auto frame = static_cast<uint32_t>(frames_.size());
    if (frame % kSlabBlocks == 0) slabs_.push_back(std::make_unique<uint8_t[]>(size_t{kSlabBlocks} * kBlockBytes));
    frames_.emplace_back();
    return frame;
  }
  while (frames_[hand_].visited) {
    frames_[hand_].visited = false;
    hand_ = (hand_ + 1) % frames_max_;
  }
  const uint32_t frame = hand_;
  hand_ = (hand_ + 1) % frames_max_;
  index_.erase(frames_[frame].block);
  Leave(frames_[frame]);
  return frame;
}

void BlockCache::Insert(uint64_t address, absl::Span<const uint8_t> blocks, bool ahead) {
  if (frames_max_ == 0) return;
  base::MutexLock lock(&mutex_);
  for (; blocks.size() >= kBlockBytes; blocks.remove_prefix(kBlockBytes), address += kBlockBytes) {
    const uint64_t block = address / kBlockBytes;
    const auto it = index_.find(block);
    const bool known = it != index_.end();
    const uint32_t frame = known ? it->second : TakeFrame();
    if (known) {
      Leave(frames_[frame]);
    } else {
      index_[block] = frame;
    }
    frames_[frame] = {.block = block, .visited = false, .ahead = ahead};
    std::memcpy(Data(frame), blocks.data(), kBlockBytes);
  }
}

void BlockCache::Erase(uint64_t address, uint64_t bytes) {
  base::MutexLock lock(&mutex_);
  for (uint64_t block = address / kBlockBytes; block * kBlockBytes < address + bytes; ++block) {
    const auto it = index_.find(block);
    if (it == index_.end()) continue;
    Leave(frames_[it->second]);
    free_.push_back(it->second);
    index_.erase(it);
  }
}

uint64_t BlockCache::size_bytes() {
  base::MutexLock lock(&mutex_);
  return index_.size() * kBlockBytes;
}

uint64_t BlockCache::ahead_used_bytes() {
  base::MutexLock lock(&mutex_);
  return ahead_used_blocks_ * kBlockBytes;
}

uint64_t BlockCache::ahead_wasted_bytes() {
  base::MutexLock lock(&mutex_);
  return ahead_wasted_blocks_ * kBlockBytes;
}

}  // namespace fs
