#include "hashcache/digest/hash_stream.h"

#include <random>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

absl::Span<const uint8_t> Bytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string HexOf(Algorithm algorithm, absl::string_view text) {
  HashStream stream(algorithm);
  stream.Update(Bytes(text));
  return stream.Finish().Hex(algorithm);
}

TEST(HashStreamTest, PublishedVectors) {
  EXPECT_EQ(HexOf(Algorithm::kCrc32c, "123456789"), "e3069283");                        // RFC 3720 B.4
  EXPECT_EQ(HexOf(Algorithm::kCrc32c, std::string(32, '\0')), "8a9136aa");              // RFC 3720 B.4
  EXPECT_EQ(HexOf(Algorithm::kXxh3_64, ""), "2d06800538d394c2");                        // xxHash's specification
  EXPECT_EQ(HexOf(Algorithm::kXxh3_128, ""), "99aa06d3014798d86001c324468d497f");       // xxHash's specification
  EXPECT_EQ(HexOf(Algorithm::kBlake3, ""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  EXPECT_EQ(HexOf(Algorithm::kSha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashStreamTest, AnyCutGivesTheSameDigests) {
  std::mt19937_64 random(7);
  std::string data(300'000, '\0');
  for (char& c : data) c = static_cast<char>(random());
  HashStream stream(AlgorithmSet::All());
  for (const size_t size : {0, 1, 240, 241, 1024, 32768, 32769, 300'000}) {
    const absl::string_view input = absl::string_view(data).substr(0, size);
    const Digests whole = stream.HashWhole(Bytes(input));
    for (int round = 0; round < 5; ++round) {
      for (absl::string_view rest = input; !rest.empty();) {
        const absl::string_view part = rest.substr(0, random() % 50'000);
        stream.Update(Bytes(part));
        rest.remove_prefix(part.size());
      }
      EXPECT_EQ(stream.Finish(), whole) << size;
    }
    for (const Algorithm algorithm : kAllAlgorithms) {
      HashStream single(algorithm);
      EXPECT_EQ(single.HashWhole(Bytes(input)), whole.Only(algorithm)) << AlgorithmName(algorithm) << " " << size;
    }
  }
}

TEST(HashStreamTest, ResetForgets) {
  HashStream stream(AlgorithmSet::All());
  stream.Update(Bytes("other"));
  stream.Reset();
  stream.Update(Bytes("abc"));
  HashStream fresh(AlgorithmSet::All());
  EXPECT_EQ(stream.Finish(), fresh.HashWhole(Bytes("abc")));
}

}  // namespace
}  // namespace hashcache
