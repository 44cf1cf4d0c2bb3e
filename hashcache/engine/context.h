// What all threads of a Hasher share: options, volumes, counters, audit findings.
//
// Threads: thread-safe.
#ifndef HASHCACHE_ENGINE_CONTEXT_H_
#define HASHCACHE_ENGINE_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "hashcache/engine/volume.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/result.h"

namespace hashcache {

struct Counters {
  std::atomic<uint64_t> files{0}, hits{0}, provided{0}, hashed{0}, unstable{0}, busy{0}, errors{0};
  std::atomic<uint64_t> bytes_hashed{0}, bytes_total{0}, audited{0}, directories{0};
};

struct Context {
  Context(VolumeOptions volume_options, size_t cpu_count_in)
      : clock(*volume_options.clock),
        filesystem(*volume_options.filesystem),
        use_cache(volume_options.use_cache),
        strict(volume_options.strict),
        cpu_count(cpu_count_in),
        volumes(std::move(volume_options)) {}

  // For BLAKE3's segments; started when first needed.
  base::ThreadPool& pool() ABSL_LOCKS_EXCLUDED(mutex) {
    base::MutexLock lock(&mutex);
    if (lazy_pool == nullptr) lazy_pool = std::make_unique<base::ThreadPool>("hash segment", cpu_count);
    return *lazy_pool;
  }
  void Report(AuditFinding finding) ABSL_LOCKS_EXCLUDED(mutex) {
    base::MutexLock lock(&mutex);
    findings.push_back(std::move(finding));
  }

  bool Interrupted() const { return interrupted && interrupted(); }

  base::Clock& clock;
  Filesystem& filesystem;
  const bool use_cache;
  const bool strict;
  const size_t cpu_count;
  bool allow_unstable = false;
  bool use_ring = true;
  double audit_share = 0;
  std::function<bool()> interrupted;  // may be null
  Volumes volumes;
  Counters counters;
  // A run reads at most this much for audits.
  std::atomic<int64_t> audit_bytes_left{64 << 20};

  base::Mutex mutex;
  std::unique_ptr<base::ThreadPool> lazy_pool ABSL_GUARDED_BY(mutex);
  std::vector<AuditFinding> findings ABSL_GUARDED_BY(mutex);
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_CONTEXT_H_
