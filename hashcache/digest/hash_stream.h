// A HashStream computes any set of digests in one pass over the data.
//
// Life:    (Update* Finish)*: Finish() leaves it ready for the next file, so one stream serves a
//          thread for its whole life without allocating.
// Speed:   large pieces are cut so that each algorithm reads a block while it is in the L1/L2
//          cache; several algorithms cost little more than the slowest.
// Threads: thread-compatible.
// Source:  RFC 3720 (CRC32C), xxHash 0.8, the BLAKE3 paper, FIPS 180-4.
#ifndef HASHCACHE_DIGEST_HASH_STREAM_H_
#define HASHCACHE_DIGEST_HASH_STREAM_H_

#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "hashcache/digest/algorithm.h"

namespace hashcache {

class HashStream {
 public:
  explicit HashStream(AlgorithmSet algorithms);
  ~HashStream();
  HashStream(const HashStream&) = delete;
  HashStream& operator=(const HashStream&) = delete;

  AlgorithmSet algorithms() const;
  void Update(absl::Span<const uint8_t> data);
  // The digests of everything since the last Finish() or Reset().
  Digests Finish();
  // Forgets what was fed, e.g. of a file that changed while it was read.
  void Reset();
  // The digests of `data` alone; faster than Update and Finish for small files.
  // REQUIRES: nothing was fed since the last Finish() or Reset().
  Digests HashWhole(absl::Span<const uint8_t> data);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hashcache

#endif  // HASHCACHE_DIGEST_HASH_STREAM_H_
