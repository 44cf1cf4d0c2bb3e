// An Evictor says which file of a bounded cache should go next.
//
// Shape:   S3-FIFO for each policy: new files enter a small queue (a tenth of the bytes);
//          those used again move on to the main queue, others leave early, so that a scan
//          cannot flush what is useful. The main queue gives used files another round. A
//          file that returns soon after it left (by its name) enters the main queue.
//          First-in-first-out policies have one queue and know no use.
// Bounds:  about 100 bytes for each file of an evictable policy; as many remembered names.
// Threads: thread-safe.
// Source:  Yang et al.: FIFO queues are all you need for cache eviction (SOSP 2023).
#ifndef FS_VOLUME_EVICTOR_H_
#define FS_VOLUME_EVICTOR_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/optional.h"
#include "base/mutex.h"
#include "fs/format/key.h"

namespace fs {

struct EvictionCandidate {
  InodeNumber inode = 0;
  uint64_t size_bytes = 0;
  uint64_t name_hash = 0;  // of directory and name; 0 = not known
};

class Evictor {
 public:
  // A file was made or used; a known name hash replaces an older one.
  void Use(uint32_t policy, bool is_fifo, const EvictionCandidate& candidate) ABSL_LOCKS_EXCLUDED(mutex_);
  void Resize(uint32_t policy, InodeNumber inode, uint64_t size_bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Erase(uint32_t policy, InodeNumber inode) ABSL_LOCKS_EXCLUDED(mutex_);
  void ErasePolicy(uint32_t policy) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether Load() has still to tell what was there before.
  bool NeedsLoad(uint32_t policy) const ABSL_LOCKS_EXCLUDED(mutex_);
  // What the policy holds, oldest first; what is known already stays where it is.
  void Load(uint32_t policy, bool is_fifo, const std::vector<EvictionCandidate>& candidates)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The next to go, taken out. None if nothing is left.
  absl::optional<EvictionCandidate> Next(uint32_t policy) ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size(uint32_t policy) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    uint64_t size_bytes = 0;
    uint64_t name_hash = 0;
    uint8_t uses = 0;  // since it entered its queue, at most 3
    bool is_main = false;
  };
  struct Cache {
    bool is_loaded = false;
    bool is_fifo = false;
    absl::flat_hash_map<InodeNumber, Entry> entries;
    // Fronts are oldest. May name inodes that are gone or have moved on.
    std::deque<InodeNumber> small_queue;
    std::deque<InodeNumber> main_queue;
    uint64_t small_bytes = 0;
    uint64_t main_bytes = 0;
    // Names that left the small queue lately.
    absl::flat_hash_set<uint64_t> ghosts;
    std::deque<uint64_t> ghost_queue;
  };

  static void Enter(Cache& cache, const EvictionCandidate& candidate, bool at_front);
  static void Drop(Cache& cache, InodeNumber inode);
  static void Remember(Cache& cache, uint64_t name_hash);
  static absl::optional<EvictionCandidate> TakeSmall(Cache& cache);
  static absl::optional<EvictionCandidate> TakeMain(Cache& cache);

  mutable base::Mutex mutex_;
  absl::flat_hash_map<uint32_t, Cache> caches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_VOLUME_EVICTOR_H_
