#include "hashcache/digest/sha256_pair.h"

#include <cstddef>
#include <cstring>

#include "base/endian.h"
#include "glog/logging.h"
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace hashcache {

#if defined(__x86_64__)
namespace {

constexpr size_t kBlock = 64;

alignas(16) constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The eight words as the instructions want them: ABEF and CDGH, A in the highest lane.
struct State {
  __m128i abef, cdgh;
};

// Words a to h of the initial state.
__attribute__((target("sha,sse4.1"))) State Initial() {
  return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c)),
          _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
}

// One block of each of `kMessages` messages. Everything below is straight-line code after
// unrolling, in which the messages' instructions alternate.
template <size_t kMessages>
__attribute__((target("sha,sse4.1"), always_inline)) inline void Compress(State* states,
                                                                          const uint8_t* const* blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  State now[kMessages];
  __m128i words[kMessages][4];
  for (size_t m = 0; m < kMessages; ++m) {
    now[m] = states[m];
    for (size_t i = 0; i < 4; ++i) {
      words[m][i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks[m]) + i), swap);
    }
  }
#pragma GCC unroll 16
  for (size_t quad = 0; quad < 16; ++quad) {
    const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + quad);
#pragma GCC unroll 4
    for (size_t m = 0; m < kMessages; ++m) {
      __m128i* const w = words[m];
      const size_t at = quad % 4;
      const __m128i sum = _mm_add_epi32(w[at], constants);
      now[m].cdgh = _mm_sha256rnds2_epu32(now[m].cdgh, now[m].abef, sum);
      if (quad >= 3 && quad < 15) {
        // Words 4 * quad + 4 and on; their first part was begun three quads ago.
        const __m128i middle = _mm_alignr_epi8(w[at], w[(at + 3) % 4], 4);
        w[(at + 1) % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(w[(at + 1) % 4], middle), w[at]);
      }
      now[m].abef = _mm_sha256rnds2_epu32(now[m].abef, now[m].cdgh, _mm_shuffle_epi32(sum, 0x0e));
      if (quad >= 1 && quad < 13) w[(at + 3) % 4] = _mm_sha256msg1_epu32(w[(at + 3) % 4], w[at]);
    }
  }
  for (size_t m = 0; m < kMessages; ++m) {
    states[m].abef = _mm_add_epi32(states[m].abef, now[m].abef);
    states[m].cdgh = _mm_add_epi32(states[m].cdgh, now[m].cdgh);
  }
}

// A message's whole blocks and, after them, its end with the padding.
struct Message {
  explicit Message(absl::Span<const uint8_t> message) : data(message.data()), whole(message.size() / kBlock) {
    const size_t rest = message.size() % kBlock;
    std::memset(end, 0, sizeof end);
    if (rest > 0) std::memcpy(end, data + whole * kBlock, rest);
    end[rest] = 0x80;
    end_blocks = rest + 9 <= kBlock ? 1 : 2;
    base::StoreBig<uint64_t>(end + end_blocks * kBlock - 8, uint64_t{message.size()} * 8);
  }
  size_t blocks() const { return whole + end_blocks; }
  const uint8_t* Block(size_t index) const {
    return index < whole ? data + index * kBlock : end + (index - whole) * kBlock;
  }

  const uint8_t* data;
  size_t whole;
  size_t end_blocks;
  uint8_t end[2 * kBlock];
};

__attribute__((target("sha,sse4.1"))) void CompressBoth(const Message& a, const Message& b, State* states) {
  const size_t both = a.blocks() < b.blocks() ? a.blocks() : b.blocks();
  for (size_t i = 0; i < both; ++i) {
    const uint8_t* const blocks[2] = {a.Block(i), b.Block(i)};
    Compress<2>(states, blocks);
  }
  const Message& longer = a.blocks() < b.blocks() ? b : a;
  State* const state = &longer == &b ? states + 1 : states;
  for (size_t i = both; i < longer.blocks(); ++i) {
    const uint8_t* const block = longer.Block(i);
    Compress<1>(state, &block);
  }
}

__attribute__((target("sha,sse4.1"))) Sha256Digest DigestOf(const State& state) {
  uint32_t abef[4], cdgh[4];  // the lowest lane first: F E B A and H G D C
  _mm_storeu_si128(reinterpret_cast<__m128i*>(abef), state.abef);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(cdgh), state.cdgh);
  const uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
  Sha256Digest digest;
  for (size_t i = 0; i < 8; ++i) base::StoreBig<uint32_t>(digest.data() + 4 * i, words[i]);
  return digest;
}

}  // namespace

bool HaveSha256Pair() {
  static const bool have = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & bit_SHA) == 0) return false;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0;
  }();
  return have;
}

std::array<Sha256Digest, 2> Sha256Pair(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b) {
  DCHECK(HaveSha256Pair());
  const Message first(a), second(b);
  State states[2] = {Initial(), Initial()};
  CompressBoth(first, second, states);
  return {DigestOf(states[0]), DigestOf(states[1])};
}

#else

bool HaveSha256Pair() { return false; }

std::array<Sha256Digest, 2> Sha256Pair(absl::Span<const uint8_t>, absl::Span<const uint8_t>) {
  LOG(FATAL) << "HaveSha256Pair() was not asked";
}

#endif

}  // namespace hashcache
