#include "hashcache/digest/algorithm.h"

#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/command_line.h"
#include "base/status_macros.h"
#include "glog/logging.h"

namespace hashcache {
namespace {

struct Spelling {
  absl::string_view text;
  Algorithm algorithm;
};

// The first spelling of each algorithm is its name.
constexpr Spelling kSpellings[] = {
    {"crc32c", Algorithm::kCrc32c},      {"xxh3-64", Algorithm::kXxh3_64}, {"xxh3-128", Algorithm::kXxh3_128},
    {"blake3", Algorithm::kBlake3},      {"sha256", Algorithm::kSha256},   {"xxh3", Algorithm::kXxh3_64},
    {"xxh3_64", Algorithm::kXxh3_64},    {"xxh128", Algorithm::kXxh3_128}, {"xxh3_128", Algorithm::kXxh3_128},
    {"sha-256", Algorithm::kSha256},     {"b3", Algorithm::kBlake3},       {"crc-32c", Algorithm::kCrc32c},
    {"sha2-256", Algorithm::kSha256},
};

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

absl::string_view AlgorithmName(Algorithm algorithm) { return kSpellings[static_cast<size_t>(algorithm)].text; }

absl::string_view AlgorithmTag(Algorithm algorithm) {
  constexpr absl::string_view kTags[] = {"CRC32C", "XXH3", "XXH128", "BLAKE3", "SHA256"};
  return kTags[static_cast<size_t>(algorithm)];
}

absl::StatusOr<Algorithm> ParseAlgorithm(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  std::vector<std::string> names;
  for (const Spelling& spelling : kSpellings) {
    if (spelling.text == lower) return spelling.algorithm;
    names.emplace_back(spelling.text);
  }
  const std::string near = base::NearestWord(lower, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown algorithm \"", text, "\"", near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?"),
                   "; there are crc32c, xxh3-64, xxh3-128, blake3 and sha256"));
}

std::vector<Algorithm> AlgorithmSet::List() const {
  std::vector<Algorithm> list;
  for (const Algorithm algorithm : kAllAlgorithms) {
    if (Has(algorithm)) list.push_back(algorithm);
  }
  return list;
}

absl::StatusOr<AlgorithmSet> ParseAlgorithms(absl::string_view text, std::vector<Algorithm>* order) {
  AlgorithmSet set;
  if (order != nullptr) order->clear();
  for (const absl::string_view word : absl::StrSplit(text, ',')) {
    ASSIGN_OR_RETURN(const Algorithm algorithm, ParseAlgorithm(absl::StripAsciiWhitespace(word)));
    if (order != nullptr && !set.Has(algorithm)) order->push_back(algorithm);
    set.Add(algorithm);
  }
  return set;
}

std::string Digests::Hex(Algorithm algorithm) const { return ToHex(Get(algorithm)); }

void Digests::Set(Algorithm algorithm, absl::Span<const uint8_t> bytes) {
  CHECK_EQ(bytes.size(), DigestSize(algorithm));
  std::memcpy(bytes_.data() + Offset(algorithm), bytes.data(), bytes.size());
  algorithms_.Add(algorithm);
}

void Digests::Merge(const Digests& other) {
  for (const Algorithm algorithm : other.algorithms_.Without(algorithms_).List()) Set(algorithm, other.Get(algorithm));
}

Digests Digests::Only(AlgorithmSet algorithms) const {
  return FromBytes(AlgorithmSet::FromBits(algorithms.bits() & algorithms_.bits()), bytes_.data());
}

Digests Digests::FromBytes(AlgorithmSet algorithms, const uint8_t* bytes) {
  Digests result;
  result.algorithms_ = algorithms;
  for (const Algorithm algorithm : kAllAlgorithms) {
    if (!algorithms.Has(algorithm)) continue;
    std::memcpy(result.bytes_.data() + Offset(algorithm), bytes + Offset(algorithm), DigestSize(algorithm));
  }
  return result;
}

std::string ToHex(absl::Span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(bytes.size() * 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4];
    hex[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return hex;
}

absl::StatusOr<std::vector<uint8_t>> FromHex(absl::string_view hex) {
  if (hex.size() % 2 != 0) return absl::InvalidArgumentError("odd number of hex digits");
  std::vector<uint8_t> bytes(hex.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexValue(hex[2 * i]);
    const int low = HexValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) return absl::InvalidArgumentError("not a hex digit");
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return bytes;
}

}  // namespace hashcache
