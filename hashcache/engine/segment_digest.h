// A SegmentDigest hashes a file handed over in BLAKE3 segments: BLAKE3 on a pool of threads, all
// other algorithms on the calling thread, in order.
//
// Life:    Feed(0), Feed(1), ... Finish(). A segment's bytes must stay until `released` was called,
//          possibly on another thread.
// Threads: thread-compatible; its own work on the pool is joined by Finish() and the destructor.
#ifndef HASHCACHE_ENGINE_SEGMENT_DIGEST_H_
#define HASHCACHE_ENGINE_SEGMENT_DIGEST_H_

#include <cstdint>
#include <functional>

#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/digest/blake3_tree.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {

class SegmentDigest {
 public:
  // `segment_count` is that of the whole file; a single one needs no pool.
  SegmentDigest(AlgorithmSet algorithms, uint64_t segment_count, base::ThreadPool& pool);
  ~SegmentDigest();

  // REQUIRES: in order; all but the last are kBlake3SegmentSize long.
  void Feed(absl::Span<const uint8_t> segment, std::function<void()> released);
  Digests Finish();

 private:
  void WaitForPool() ABSL_LOCKS_EXCLUDED(mutex_);

  const bool parallel_;  // BLAKE3 is done by the pool
  base::ThreadPool& pool_;
  HashStream in_order_;  // the other algorithms, or all of them
  uint64_t next_ = 0;
  base::Mutex mutex_;
  base::CondVar idle_;
  Blake3Tree tree_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_SEGMENT_DIGEST_H_
