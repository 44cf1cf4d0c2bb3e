// Invariants: (1) an entry is in exactly one queue, the one its is_main names; (2) bytes of
// a queue are the sum over its entries; (3) a number in a queue without such an entry is
// stale and skipped.
#include "fs/volume/evictor.h"

#include <algorithm>

namespace fs {
namespace {

constexpr uint8_t kUsesMax = 3;
constexpr uint64_t kSmallShare = 10;  // the small queue has a tenth of the bytes
constexpr size_t kGhostsMin = 1024;

}  // namespace

void Evictor::Remember(Cache& cache, uint64_t name_hash) {
  if (name_hash == 0 || !cache.ghosts.insert(name_hash).second) return;
  cache.ghost_queue.push_back(name_hash);
  while (cache.ghost_queue.size() > std::max(kGhostsMin, cache.entries.size())) {
    cache.ghosts.erase(cache.ghost_queue.front());
    cache.ghost_queue.pop_front();
  }
}

void Evictor::Enter(Cache& cache, const EvictionCandidate& candidate, bool at_front) {
  Entry entry;
  entry.size_bytes = candidate.size_bytes;
  entry.name_hash = candidate.name_hash;
  entry.is_main = !cache.is_fifo && cache.ghosts.erase(candidate.name_hash) == 1;
  cache.entries[candidate.inode] = entry;
  std::deque<InodeNumber>& queue = entry.is_main ? cache.main_queue : cache.small_queue;
  (entry.is_main ? cache.main_bytes : cache.small_bytes) += entry.size_bytes;
  if (at_front) {
    queue.push_front(candidate.inode);
  } else {
    queue.push_back(candidate.inode);
  }
}

void Evictor::Use(uint32_t policy, bool is_fifo, const EvictionCandidate& candidate) {
  base::MutexLock lock(&mutex_);
  Cache& cache = caches_[policy];
  cache.is_fifo = is_fifo;
  const auto it = cache.entries.find(candidate.inode);
  if (it == cache.entries.end()) return Enter(cache, candidate, /*at_front=*/false);
  Entry& entry = it->second;
  uint64_t& bytes = entry.is_main ? cache.main_bytes : cache.small_bytes;
  bytes = bytes - entry.size_bytes + candidate.size_bytes;
  entry.size_bytes = candidate.size_bytes;
  if (candidate.name_hash == 0) {
    entry.uses = std::min<uint8_t>(kUsesMax, entry.uses + 1);
    return;
  }
  // Made or moved, not read. One that comes back under its old name has earned its place.
  entry.name_hash = candidate.name_hash;
  if (cache.ghosts.erase(candidate.name_hash) == 1 && !entry.is_main && !is_fifo) entry.uses = kUsesMax;
}

void Evictor::Resize(uint32_t policy, InodeNumber inode, uint64_t size_bytes) {
  base::MutexLock lock(&mutex_);
  const auto cache = caches_.find(policy);
  if (cache == caches_.end()) return;
  const auto it = cache->second.entries.find(inode);
  if (it == cache->second.entries.end()) return;
  uint64_t& bytes = it->second.is_main ? cache->second.main_bytes : cache->second.small_bytes;
  bytes = bytes - it->second.size_bytes + size_bytes;
  it->second.size_bytes = size_bytes;
}

void Evictor::Drop(Cache& cache, InodeNumber inode) {
  const auto it = cache.entries.find(inode);
  if (it == cache.entries.end()) return;
  (it->second.is_main ? cache.main_bytes : cache.small_bytes) -= it->second.size_bytes;
  cache.entries.erase(it);
}

void Evictor::Erase(uint32_t policy, InodeNumber inode) {
  base::MutexLock lock(&mutex_);
  const auto it = caches_.find(policy);
  if (it != caches_.end()) Drop(it->second, inode);
}

void Evictor::ErasePolicy(uint32_t policy) {
  base::MutexLock lock(&mutex_);
  caches_.erase(policy);
}

bool Evictor::NeedsLoad(uint32_t policy) const {
  base::MutexLock lock(&mutex_);
  const auto it = caches_.find(policy);
  return it == caches_.end() || !it->second.is_loaded;
}

void Evictor::Load(uint32_t policy, bool is_fifo, const std::vector<EvictionCandidate>& candidates) {
  base::MutexLock lock(&mutex_);
  Cache& cache = caches_[policy];
  cache.is_loaded = true;
  cache.is_fifo = is_fifo;
  for (auto candidate = candidates.rbegin(); candidate != candidates.rend(); ++candidate) {
    if (cache.entries.count(candidate->inode) == 0) Enter(cache, *candidate, /*at_front=*/true);
  }
}

absl::optional<EvictionCandidate> Evictor::TakeSmall(Cache& cache) {
  while (!cache.small_queue.empty()) {
    const InodeNumber inode = cache.small_queue.front();
    cache.small_queue.pop_front();
    const auto it = cache.entries.find(inode);
    if (it == cache.entries.end() || it->second.is_main) continue;
    Entry& entry = it->second;
    if (!cache.is_fifo && entry.uses > 0) {
      entry.uses = 0;
      entry.is_main = true;
      cache.small_bytes -= entry.size_bytes;
      cache.main_bytes += entry.size_bytes;
      cache.main_queue.push_back(inode);
      continue;
    }
    const EvictionCandidate victim{inode, entry.size_bytes, entry.name_hash};
    if (!cache.is_fifo) Remember(cache, entry.name_hash);
    Drop(cache, inode);
    return victim;
  }
  return absl::nullopt;
}

absl::optional<EvictionCandidate> Evictor::TakeMain(Cache& cache) {
  while (!cache.main_queue.empty()) {
    const InodeNumber inode = cache.main_queue.front();
    cache.main_queue.pop_front();
    const auto it = cache.entries.find(inode);
    if (it == cache.entries.end() || !it->second.is_main) continue;
    if (it->second.uses > 0) {
      --it->second.uses;
      cache.main_queue.push_back(inode);
      continue;
    }
    const EvictionCandidate victim{inode, it->second.size_bytes, it->second.name_hash};
    Drop(cache, inode);
    return victim;
  }
  return absl::nullopt;
}

absl::optional<EvictionCandidate> Evictor::Next(uint32_t policy) {
  base::MutexLock lock(&mutex_);
  const auto it = caches_.find(policy);
  if (it == caches_.end()) return absl::nullopt;
  Cache& cache = it->second;
  const uint64_t total = cache.small_bytes + cache.main_bytes;
  absl::optional<EvictionCandidate> victim;
  if (cache.small_bytes > total / kSmallShare || cache.main_bytes == 0) victim = TakeSmall(cache);
  if (!victim.has_value()) victim = TakeMain(cache);
  if (!victim.has_value()) victim = TakeSmall(cache);
  return victim;
}

size_t Evictor::size(uint32_t policy) const {
  base::MutexLock lock(&mutex_);
  const auto it = caches_.find(policy);
  return it == caches_.end() ? 0 : it->second.entries.size();
}

}  // namespace fs
