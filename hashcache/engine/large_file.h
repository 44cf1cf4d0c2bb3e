// Hashing one large file: from the page cache through a mapping, or from the disk with O_DIRECT and
// several reads in flight, BLAKE3's segments on all CPUs.
//
// Rules:   (measured; docs/proof/hashcache.md) resident files from 4 MiB are mapped if a lease is
//          held, so that nobody can cut them short meanwhile; files from 64 MiB of which less than
//          a tenth is resident are read with O_DIRECT in 1 MiB pieces, eight in flight, which
//          leaves the page cache to others; all else is read in pieces that stay in the L2 cache.
// Bounds:  16 MiB of buffers.
// Threads: a LargeFileHasher is for one thread; its pool may be shared.
#ifndef HASHCACHE_ENGINE_LARGE_FILE_H_
#define HASHCACHE_ENGINE_LARGE_FILE_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/thread_pool.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/os/filesystem.h"

namespace hashcache {

constexpr uint64_t kMapSizeMin = 4 << 20;
constexpr uint64_t kDirectSizeMin = 64 << 20;
constexpr size_t kReadSize = 128 << 10;  // stays in L2
constexpr uint64_t kMadeUpSizeMax = 64 << 20;

enum class ReadMethod { kBlocking, kMapped, kDirect };

struct LargeRead {
  uint64_t bytes_read = 0;
  Digests digests;
};

class LargeFileHasher {
 public:
  // `keep_going` is asked after each MiB: false ends the reading early (a
  // broken lease, an interrupt), with Cancelled.
  LargeFileHasher(Filesystem& filesystem, base::ThreadPool& pool, std::function<bool()> keep_going)
      : filesystem_(filesystem), pool_(pool), keep_going_(std::move(keep_going)) {}

  // `residency` as Filesystem::ResidentShare gives it.
  static ReadMethod Choose(uint64_t size_bytes, double residency, bool leased);

  // Errors: Cancelled  stopped, or the file is no longer `size_bytes` long
  // (which may
  //                    be 0 for files that the kernel makes up)
  //         OutOfRange  a made-up file has no end within kMadeUpSizeMax
  absl::StatusOr<LargeRead> Hash(int fd, uint64_t size_bytes, AlgorithmSet algorithms, ReadMethod method);

 private:
  absl::StatusOr<LargeRead> HashBlocking(int fd, uint64_t size_bytes, AlgorithmSet algorithms);
  absl::StatusOr<LargeRead> HashMapped(int fd, uint64_t size_bytes, AlgorithmSet algorithms);
  absl::StatusOr<LargeRead> HashDirect(int fd, uint64_t size_bytes, AlgorithmSet algorithms);

  Filesystem& filesystem_;
  base::ThreadPool& pool_;
  const std::function<bool()> keep_going_;
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_LARGE_FILE_H_
