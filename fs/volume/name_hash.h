// NameHash: SipHash-2-4 with a key of the volume, so that nobody can make names collide.
//
// Threads: plain value, thread-compatible.
// Source:  Aumasson, Bernstein: SipHash: a fast short-input PRF (2012).
#ifndef FS_VOLUME_NAME_HASH_H_
#define FS_VOLUME_NAME_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace fs {

class NameHash {
 public:
  NameHash() = default;
  // Only the low `bits` of the hash differ from zero. REQUIRES: 1 <= bits <= 64.
  NameHash(uint64_t key_low, uint64_t key_high, int bits = 64)
      : key_low_(key_low), key_high_(key_high), mask_(UINT64_MAX >> (64 - bits)) {}

  uint64_t operator()(absl::string_view name) const;

 private:
  uint64_t key_low_ = 0;
  uint64_t key_high_ = 0;
  uint64_t mask_ = UINT64_MAX;
};

}  // namespace fs

#endif  // FS_VOLUME_NAME_HASH_H_
