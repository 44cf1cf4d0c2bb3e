// A Hasher gives digests of files and trees at the disk's full parallel speed and remembers them,
// so that an unchanged file is not read again.
//
// Hits:    a remembered digest is given only if identity (filesystem, inode) and fingerprint (size,
//          mtime, ctime, btime) are equal and the rules of store/rules.h hold; when in doubt the
//          file is read.
// Order:   results come on the calling thread, in the order of the requests or, for trees, of the
//          full paths' bytes, whatever the number of threads.
// Errors:  are per file, in its result; a call fails as a whole only when its root cannot be
//          opened. No digest ever stands in for an error.
// Bounds:  options.memory_bytes_max for buffers, a few MiB more for a tree of any size.
// Durable: what was learnt is written by Flush() and the destructor; what is lost in a crash is
//          hashed again.
// Threads: thread-safe; calls run at once and share the cache.
//
// Example:
//   ASSIGN_OR_RETURN(auto hasher, hashcache::Hasher::Create({}));
//   const hashcache::HashRequest requests[] = {{.path = "a.txt"}, {.path = "b.txt"}};
//   RETURN_IF_ERROR(hasher->HashBatch(requests, [](size_t i, hashcache::FileResult&& result) { ... }));
//
//   // What changed since the build that left `token`; nothing is read.
//   ASSIGN_OR_RETURN(const hashcache::ChangeSet changes, hasher->ChangedSince("content", token, {}));
//   if (changes.rescan) ...  // everything may have
//   for (const auto& change : changes.changes) Rebuild(change.path);
#ifndef HASHCACHE_HASHER_H_
#define HASHCACHE_HASHER_H_

#include <fcntl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/digest_provider.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/result.h"
#include "hashcache/tree.h"

namespace hashcache {

struct HasherOptions {
  int threads = 0;  // 0 = twice the CPUs; 64 where cold files must be read
                    // without io_uring
  bool use_cache = true;
  std::string cache_directory;  // "" = $XDG_CACHE_HOME/hashcache
  // Believes only files hashed under a lease and one clock tick old.
  bool strict = false;
  // Gives the digests of files that changed while being read; never remembers
  // them.
  bool allow_unstable = false;
  // Believes network filesystems' attributes, asked afresh.
  bool trust_network = false;
  // A change of ctime alone (chmod, link, rename) is no change of content.
  bool soft_ctime = false;
  // This share of the hits is read and compared.
  double audit_share = 0.001;
  uint64_t memory_bytes_max = 32 << 20;
  bool use_ring = true;
  // Asked before each file and each MiB of a large one; once true, the files not yet
  // hashed get Cancelled.
  std::function<bool()> interrupted;
  std::vector<DigestProviderFactory> providers;  // asked first to last, before the cache
  base::Clock* clock = nullptr;                  // nullptr = the real one
  Filesystem* filesystem = nullptr;              // nullptr = the real one

  // Errors: InvalidArgument  a number out of range
  absl::Status Validate() const;
};

struct HashRequest {
  int directory_fd = AT_FDCWD;  // borrowed until the call returns
  absl::string_view path;
  AlgorithmSet algorithms = Algorithm::kBlake3;
  bool follow = true;  // a symlink as the last component
};

// Counted since the Hasher was made.
struct HasherMetrics {
  uint64_t files = 0, hits = 0, provided = 0, hashed = 0, unstable = 0, busy = 0, errors = 0;
  uint64_t bytes_hashed = 0,
           bytes_total = 0;  // total: sizes of all files with a result
  uint64_t audited = 0, audit_mismatches = 0;
  uint64_t directories = 0;
};

class Hasher {
 public:
  static absl::StatusOr<std::unique_ptr<Hasher>> Create(HasherOptions options);
  virtual ~Hasher() = default;  // flushes

  // Every index once, in order.
  virtual absl::Status HashBatch(absl::Span<const HashRequest> requests,
                                 absl::FunctionRef<void(size_t index, FileResult&& result)> sink) = 0;

  // Everything below the directory `root`, in the order of the paths' bytes.
  virtual absl::Status HashTree(absl::string_view root, const TreeOptions& options, TreeSink& sink) = 0;

  // What changed below `root` since the call that gave `token` ("" = from now
  // on: only a new token comes back). Reads no file. Errors: InvalidArgument
  // not a token of ours, or for another root or options
  virtual absl::StatusOr<ChangeSet> ChangedSince(absl::string_view root, absl::string_view token,
                                                 const TreeOptions& options) = 0;

  // Writes what was learnt. Errors: the cache could not be written; nothing is
  // lost but time.
  virtual absl::Status Flush() = 0;
  virtual HasherMetrics metrics() const = 0;
  virtual std::vector<AuditFinding> audit_findings() const = 0;
  // Problems with the cache, once each: unwritable, damaged, full disk.
  virtual std::vector<absl::Status> cache_problems() const = 0;
};

}  // namespace hashcache

#endif  // HASHCACHE_HASHER_H_
