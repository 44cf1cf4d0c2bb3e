// Digests and changes told by a cachefs mount, through its tree client.
//
// Meaning: a digest is that of the bytes handed over to the mount; what is still dirty in the
//          kernel (a shared mapping before msync) counts from then on.
// Errors:  NotFound the directory does not lie on a cachefs mount that tells digests
// Threads: thread-safe.
#ifndef HASHCACHE_PROVIDER_CACHEFS_H_
#define HASHCACHE_PROVIDER_CACHEFS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/client/tree_client.h"
#include "hashcache/digest_provider.h"

namespace hashcache {

absl::StatusOr<std::unique_ptr<DigestProvider>> CachefsProviderFor(absl::string_view root);
// The same over a client that is there already.
absl::StatusOr<std::unique_ptr<DigestProvider>> CachefsProviderOver(std::unique_ptr<fs::TreeClient> client);

}  // namespace hashcache

#endif  // HASHCACHE_PROVIDER_CACHEFS_H_
