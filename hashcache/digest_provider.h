// A DigestProvider knows digests of files without reading them: a cachefs mount, a
// content-addressed store, an index.
//
// Its answers are taken as they are (outcome kProvider), so a provider must answer NotFound rather
// than a digest that may be stale.
// Threads: thread-safe.
#ifndef HASHCACHE_DIGEST_PROVIDER_H_
#define HASHCACHE_DIGEST_PROVIDER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hashcache/digest/algorithm.h"

namespace hashcache {

class DigestProvider {
 public:
  virtual ~DigestProvider() = default;
  virtual absl::string_view name() const = 0;
  // Those it may answer for.
  virtual AlgorithmSet algorithms() const = 0;
  // Calls `sink` once for each of `paths` (relative to the root it was made
  // for) with the digest's bytes; NotFound means "hash it yourself". Errors:
  // the provider as a whole failed; files without an answer are hashed
  virtual absl::Status Lookup(
      absl::Span<const absl::string_view> paths, Algorithm algorithm,
      absl::FunctionRef<void(size_t, absl::StatusOr<absl::Span<const uint8_t>>)> sink) = 0;
  // Paths changed since `token` and the token for the next time. `rescan`: it
  // cannot tell, look at everything. Unimplemented unless it keeps track.
  struct Changes {
    std::vector<std::string> paths;
    std::string token;
    bool rescan = false;
  };
  virtual absl::StatusOr<Changes> ChangedSince([[maybe_unused]] absl::string_view token) {
    return absl::UnimplementedError("this provider does not track changes");
  }
};

// Makes the provider for the tree below the directory `root`; NotFound if it
// has nothing to say about that tree.
using DigestProviderFactory =
    std::function<absl::StatusOr<std::unique_ptr<DigestProvider>>(absl::string_view root)>;

}  // namespace hashcache

#endif  // HASHCACHE_DIGEST_PROVIDER_H_
