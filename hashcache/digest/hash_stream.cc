#include "hashcache/digest/hash_stream.h"

#include <algorithm>
#include <limits>

#include "base/endian.h"
#include "blake3.h"
#include "glog/logging.h"
#include "isa-l/crc.h"
#include "openssl/evp.h"
#include "xxhash.h"
#if defined(__x86_64__)
#include "xxh_x86dispatch.h"  // the widest vectors that the processor has
#endif

namespace hashcache {
namespace {

// With several algorithms a block is read by each of them while it is in L1/L2.
constexpr size_t kBlockSize = 32 * 1024;

uint32_t UpdateCrc32c(uint32_t state, absl::Span<const uint8_t> data) {
  while (!data.empty()) {
    const absl::Span<const uint8_t> part = data.subspan(0, std::numeric_limits<int>::max());
    // ISA-L takes a pointer to non-const but only reads.
    state = crc32_iscsi(const_cast<uint8_t*>(part.data()), static_cast<int>(part.size()), state);
    data.remove_prefix(part.size());
  }
  return state;
}

void SetCrc32c(uint32_t state, Digests* digests) {
  uint8_t bytes[4];
  base::StoreBig<uint32_t>(bytes, ~state);
  digests->Set(Algorithm::kCrc32c, bytes);
}

void SetXxh64(XXH64_hash_t hash, Digests* digests) {
  uint8_t bytes[8];
  base::StoreBig<uint64_t>(bytes, hash);
  digests->Set(Algorithm::kXxh3_64, bytes);
}

void SetXxh128(XXH128_hash_t hash, Digests* digests) {
  uint8_t bytes[16];
  base::StoreBig<uint64_t>(bytes, hash.high64);
  base::StoreBig<uint64_t>(bytes + 8, hash.low64);
  digests->Set(Algorithm::kXxh3_128, bytes);
}

}  // namespace

struct HashStream::State {
  explicit State(AlgorithmSet set) : algorithms(set) {
    if (set.Has(Algorithm::kXxh3_64)) xxh64 = XXH3_createState();
    if (set.Has(Algorithm::kXxh3_128)) xxh128 = XXH3_createState();
    if (set.Has(Algorithm::kSha256)) {
      sha256 = EVP_MD_CTX_new();
      CHECK_EQ(EVP_DigestInit_ex(sha256, EVP_sha256(), nullptr), 1) << "OpenSSL has no SHA-256";
    }
  }
  ~State() {
    XXH3_freeState(xxh64);
    XXH3_freeState(xxh128);
    EVP_MD_CTX_free(sha256);
  }

  void UpdateBlock(absl::Span<const uint8_t> data) {
    if (algorithms.Has(Algorithm::kCrc32c)) crc32c = UpdateCrc32c(crc32c, data);
    if (xxh64 != nullptr) XXH3_64bits_update(xxh64, data.data(), data.size());
    if (xxh128 != nullptr) XXH3_128bits_update(xxh128, data.data(), data.size());
    if (algorithms.Has(Algorithm::kBlake3)) blake3_hasher_update(&blake3, data.data(), data.size());
    if (sha256 != nullptr) CHECK_EQ(EVP_DigestUpdate(sha256, data.data(), data.size()), 1);
  }

  const AlgorithmSet algorithms;
  uint32_t crc32c = ~0u;
  XXH3_state_t* xxh64 = nullptr;
  XXH3_state_t* xxh128 = nullptr;
  blake3_hasher blake3;
  EVP_MD_CTX* sha256 = nullptr;
};

HashStream::HashStream(AlgorithmSet algorithms) : state_(std::make_unique<State>(algorithms)) { Reset(); }
HashStream::~HashStream() = default;

AlgorithmSet HashStream::algorithms() const { return state_->algorithms; }

void HashStream::Update(absl::Span<const uint8_t> data) {
  if (state_->algorithms.size() == 1) {
    state_->UpdateBlock(data);
    return;
  }
  while (!data.empty()) {
    const absl::Span<const uint8_t> block = data.subspan(0, kBlockSize);
    state_->UpdateBlock(block);
    data.remove_prefix(block.size());
  }
}

Digests HashStream::Finish() {
  State& state = *state_;
  Digests digests;
  if (state.algorithms.Has(Algorithm::kCrc32c)) SetCrc32c(state.crc32c, &digests);
  if (state.xxh64 != nullptr) SetXxh64(XXH3_64bits_digest(state.xxh64), &digests);
  if (state.xxh128 != nullptr) SetXxh128(XXH3_128bits_digest(state.xxh128), &digests);
  if (state.algorithms.Has(Algorithm::kBlake3)) {
    uint8_t bytes[BLAKE3_OUT_LEN];
    blake3_hasher_finalize(&state.blake3, bytes, sizeof bytes);
    digests.Set(Algorithm::kBlake3, bytes);
  }
  if (state.sha256 != nullptr) {
    uint8_t bytes[32];
    CHECK_EQ(EVP_DigestFinal_ex(state.sha256, bytes, nullptr), 1);
    digests.Set(Algorithm::kSha256, bytes);
  }
  Reset();
  return digests;
}

void HashStream::Reset() {
  State& state = *state_;
  state.crc32c = ~0u;
  if (state.xxh64 != nullptr) XXH3_64bits_reset(state.xxh64);
  if (state.xxh128 != nullptr) XXH3_128bits_reset(state.xxh128);
  if (state.algorithms.Has(Algorithm::kBlake3)) blake3_hasher_init(&state.blake3);
  // A context that keeps its algorithm is reset without looking it up again.
  if (state.sha256 != nullptr) CHECK_EQ(EVP_DigestInit_ex(state.sha256, nullptr, nullptr), 1);
}

Digests HashStream::HashWhole(absl::Span<const uint8_t> data) {
  const AlgorithmSet fast = AlgorithmSet(Algorithm::kCrc32c).Add(Algorithm::kXxh3_64).Add(Algorithm::kXxh3_128);
  if (!fast.HasAll(state_->algorithms) || data.size() > kBlockSize) {
    Update(data);
    return Finish();
  }
  Digests digests;
  if (state_->algorithms.Has(Algorithm::kCrc32c)) SetCrc32c(UpdateCrc32c(~0u, data), &digests);
  if (state_->xxh64 != nullptr) SetXxh64(XXH3_64bits(data.data(), data.size()), &digests);
  if (state_->xxh128 != nullptr) SetXxh128(XXH3_128bits(data.data(), data.size()), &digests);
  return digests;
}

}  // namespace hashcache
