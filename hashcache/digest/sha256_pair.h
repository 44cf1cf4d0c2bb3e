// SHA-256 of two messages at once on one core.
//
// A round of SHA-256 waits for the one before it, so the processor's SHA unit is idle half of
// the time when one message is hashed; the rounds of a second one fit in between.
//
// Threads: no state.
// Source:  FIPS 180-4; Intel SHA extensions.
#ifndef HASHCACHE_DIGEST_SHA256_PAIR_H_
#define HASHCACHE_DIGEST_SHA256_PAIR_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace hashcache {

using Sha256Digest = std::array<uint8_t, 32>;

// Whether this processor has SHA instructions.
bool HaveSha256Pair();

// The digests of `a` and `b`, which may be of any sizes; most is gained where these are alike.
// REQUIRES: HaveSha256Pair()
std::array<Sha256Digest, 2> Sha256Pair(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b);

}  // namespace hashcache

#endif  // HASHCACHE_DIGEST_SHA256_PAIR_H_
