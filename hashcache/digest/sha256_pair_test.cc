#include "hashcache/digest/sha256_pair.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

std::vector<uint8_t> ByOpenSsl(absl::Span<const uint8_t> message) {
  HashStream stream(Algorithm::kSha256);
  const Digests digests = stream.HashWhole(message);
  const auto digest = digests.Get(Algorithm::kSha256);
  return {digest.begin(), digest.end()};
}

std::vector<uint8_t> Bytes(const Sha256Digest& digest) { return {digest.begin(), digest.end()}; }

class Sha256PairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveSha256Pair()) GTEST_SKIP() << "this processor has no SHA instructions";
    std::mt19937_64 random(7);
    for (uint8_t& byte : message_) byte = static_cast<uint8_t>(random());
  }
  std::vector<uint8_t> message_ = std::vector<uint8_t>(40'000);
};

// Every size around the padding's borders, beside a message of another size.
TEST_F(Sha256PairTest, EqualsOpenSslAtEverySize) {
  const absl::Span<const uint8_t> all = message_;
  for (size_t size = 0; size <= 300; ++size) {
    const auto a = all.subspan(size, size);
    const auto b = all.subspan(3, 300 - size);
    const auto digests = Sha256Pair(a, b);
    ASSERT_EQ(Bytes(digests[0]), ByOpenSsl(a)) << size;
    ASSERT_EQ(Bytes(digests[1]), ByOpenSsl(b)) << size;
  }
}

TEST_F(Sha256PairTest, EqualsOpenSslOnRandomSizes) {
  std::mt19937_64 random(8);
  const absl::Span<const uint8_t> all = message_;
  for (int i = 0; i < 500; ++i) {
    const auto a = all.subspan(random() % 100, random() % 20'000);
    const auto b = all.subspan(random() % 100, random() % 20'000);
    const auto digests = Sha256Pair(a, b);
    ASSERT_EQ(Bytes(digests[0]), ByOpenSsl(a)) << i;
    ASSERT_EQ(Bytes(digests[1]), ByOpenSsl(b)) << i;
  }
}

}  // namespace
}  // namespace hashcache
