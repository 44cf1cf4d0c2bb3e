// The hash algorithms, sets of them, and the digests they give.
//
// Shape:   Digests holds at most one digest of each algorithm in fixed places of 92 bytes, in the
//          order of the enum; the cache's records store that array as it is. Multi-byte sums are
//          kept most significant byte first (xxHash's canonical form), so hex prints bytes in
//          order.
// Strength:CRC32C only detects change; xxh3 resists accident; BLAKE3 and SHA-256 resist an
//          adversary. IsIdentity() draws the line at 128 bits.
// Threads: thread-compatible values.
#ifndef HASHCACHE_DIGEST_ALGORITHM_H_
#define HASHCACHE_DIGEST_ALGORITHM_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hashcache {

// The values are stored on disk.
enum class Algorithm : uint8_t { kCrc32c = 0, kXxh3_64 = 1, kXxh3_128 = 2, kBlake3 = 3, kSha256 = 4 };
constexpr size_t kAlgorithmCount = 5;
constexpr size_t kDigestSizeMax = 32;
constexpr std::array<Algorithm, kAlgorithmCount> kAllAlgorithms = {
    Algorithm::kCrc32c, Algorithm::kXxh3_64, Algorithm::kXxh3_128, Algorithm::kBlake3, Algorithm::kSha256};

// In bytes: 4, 8, 16, 32, 32.
constexpr size_t DigestSize(Algorithm algorithm) {
  constexpr std::array<size_t, kAlgorithmCount> kSizes = {4, 8, 16, 32, 32};
  return kSizes[static_cast<size_t>(algorithm)];
}
// At least 128 bits: may stand for the content itself.
constexpr bool IsIdentity(Algorithm algorithm) { return DigestSize(algorithm) >= 16; }

// "crc32c", "xxh3-64", "xxh3-128", "blake3", "sha256".
absl::string_view AlgorithmName(Algorithm algorithm);
// As in BSD lines: "CRC32C", "XXH3", "XXH128", "BLAKE3", "SHA256".
absl::string_view AlgorithmTag(Algorithm algorithm);
// By name, tag or a usual spelling ("xxh128", "sha-256"); case does not matter.
// Errors: InvalidArgument  no such algorithm; names the nearest
absl::StatusOr<Algorithm> ParseAlgorithm(absl::string_view text);

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(Algorithm one) : bits_(Bit(one)) {}  // NOLINT: a set of one
  static constexpr AlgorithmSet All() { return FromBits((1 << kAlgorithmCount) - 1); }
  static constexpr AlgorithmSet FromBits(uint8_t bits) {
    AlgorithmSet set;
    set.bits_ = bits & ((1 << kAlgorithmCount) - 1);
    return set;
  }
  constexpr bool Has(Algorithm algorithm) const { return (bits_ & Bit(algorithm)) != 0; }
  constexpr bool HasAll(AlgorithmSet other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr int size() const { return std::popcount(bits_); }
  constexpr uint8_t bits() const { return bits_; }
  constexpr AlgorithmSet& Add(AlgorithmSet other) {
    bits_ |= other.bits_;
    return *this;
  }
  constexpr AlgorithmSet Without(AlgorithmSet other) const { return FromBits(bits_ & ~other.bits_); }
  friend constexpr bool operator==(AlgorithmSet a, AlgorithmSet b) { return a.bits_ == b.bits_; }
  // The members in the order of the enum.
  std::vector<Algorithm> List() const;

 private:
  static constexpr uint8_t Bit(Algorithm algorithm) { return uint8_t(1u << static_cast<unsigned>(algorithm)); }
  uint8_t bits_ = 0;
};

// "blake3,sha256"; the order of the words is kept in `order` when it is given.
// Errors: InvalidArgument  empty, or a word that is no algorithm
absl::StatusOr<AlgorithmSet> ParseAlgorithms(absl::string_view text, std::vector<Algorithm>* order = nullptr);

class Digests {
 public:
  static constexpr size_t kBytes = 92;

  AlgorithmSet algorithms() const { return algorithms_; }
  bool Has(Algorithm algorithm) const { return algorithms_.Has(algorithm); }
  // REQUIRES: Has(algorithm).
  absl::Span<const uint8_t> Get(Algorithm algorithm) const {
    return absl::MakeConstSpan(bytes_).subspan(Offset(algorithm), DigestSize(algorithm));
  }
  std::string Hex(Algorithm algorithm) const;
  // REQUIRES: bytes.size() == DigestSize(algorithm).
  void Set(Algorithm algorithm, absl::Span<const uint8_t> bytes);
  // Adds the digests of `other` that are not here.
  void Merge(const Digests& other);
  // The part of this that `algorithms` names.
  Digests Only(AlgorithmSet algorithms) const;

  const std::array<uint8_t, kBytes>& bytes() const { return bytes_; }
  // Bytes outside the places that `algorithms` names are ignored.
  static Digests FromBytes(AlgorithmSet algorithms, const uint8_t* bytes);

  // Equal sets with equal digests.
  friend bool operator==(const Digests& a, const Digests& b) {
    return a.algorithms_ == b.algorithms_ && a.bytes_ == b.bytes_;
  }

 private:
  static constexpr size_t Offset(Algorithm algorithm) {
    constexpr std::array<size_t, kAlgorithmCount> kOffsets = {0, 4, 12, 28, 60};
    return kOffsets[static_cast<size_t>(algorithm)];
  }

  AlgorithmSet algorithms_;
  std::array<uint8_t, kBytes> bytes_ = {};  // zero where there is no digest
};

std::string ToHex(absl::Span<const uint8_t> bytes);
// Either case of hex. Errors: InvalidArgument  odd length or another character
absl::StatusOr<std::vector<uint8_t>> FromHex(absl::string_view hex);

}  // namespace hashcache

#endif  // HASHCACHE_DIGEST_ALGORITHM_H_
