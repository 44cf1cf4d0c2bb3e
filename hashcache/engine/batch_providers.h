// BatchProviders asks digest providers about files that are named one by one: it finds out, once
// per directory, who knows digests there.
//
// Only directories on filesystems whose attributes are made up elsewhere (FUSE and the like) are
// asked about: on ordinary ones nobody knows.
// Bounds:  remembers kDirectoriesMax directories.
// Threads: thread-safe.
#ifndef HASHCACHE_ENGINE_BATCH_PROVIDERS_H_
#define HASHCACHE_ENGINE_BATCH_PROVIDERS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/mutex.h"
#include "hashcache/digest_provider.h"
#include "hashcache/engine/context.h"
#include "hashcache/result.h"

namespace hashcache {

class BatchProviders {
 public:
  static constexpr size_t kDirectoriesMax = 256;

  BatchProviders(Context& context, const std::vector<DigestProviderFactory>& factories)
      : context_(context), factories_(factories) {}

  bool any() const { return !factories_.empty(); }
  // Answers those of the files `names` in `directory` that a provider knows: sets their
  // results (outcome kProvider).
  void Answer(const std::string& directory, absl::Span<const std::string> names, AlgorithmSet algorithms,
              absl::Span<FileResult* const> results) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::shared_ptr<DigestProvider> For(const std::string& directory) ABSL_LOCKS_EXCLUDED(mutex_);

  Context& context_;
  const std::vector<DigestProviderFactory>& factories_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<DigestProvider>> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_BATCH_PROVIDERS_H_
