#include "hashcache/digest/algorithm.h"

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hashcache {
namespace {

using ::base::IsOkAndHolds;
using ::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(AlgorithmTest, EveryNameAndTagIsReadBack) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    EXPECT_THAT(ParseAlgorithm(AlgorithmName(algorithm)), IsOkAndHolds(algorithm));
    EXPECT_THAT(ParseAlgorithm(AlgorithmTag(algorithm)), IsOkAndHolds(algorithm));
  }
}

TEST(AlgorithmTest, UnknownNamesTheNearest) {
  EXPECT_THAT(ParseAlgorithm("blake4"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"blake3\"")));
  EXPECT_THAT(ParseAlgorithms(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseAlgorithms("sha256,"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AlgorithmTest, ListKeepsTheOrderGiven) {
  std::vector<Algorithm> order;
  ASSERT_OK_AND_ASSIGN(const AlgorithmSet set, ParseAlgorithms("sha256,blake3,sha256", &order));
  EXPECT_EQ(set.size(), 2);
  EXPECT_THAT(order, ElementsAre(Algorithm::kSha256, Algorithm::kBlake3));
  EXPECT_THAT(set.List(), ElementsAre(Algorithm::kBlake3, Algorithm::kSha256));
}

TEST(DigestsTest, PlacesDoNotOverlapAndFillTheArray) {
  Digests digests;
  size_t total = 0;
  for (const Algorithm algorithm : kAllAlgorithms) {
    const std::vector<uint8_t> bytes(DigestSize(algorithm), static_cast<uint8_t>(algorithm) + 1);
    digests.Set(algorithm, bytes);
    total += bytes.size();
  }
  EXPECT_EQ(total, Digests::kBytes);
  for (const Algorithm algorithm : kAllAlgorithms) {
    for (const uint8_t byte : digests.Get(algorithm)) EXPECT_EQ(byte, static_cast<uint8_t>(algorithm) + 1);
  }
  EXPECT_EQ(Digests::FromBytes(AlgorithmSet::All(), digests.bytes().data()), digests);
}

TEST(DigestsTest, OnlyAndMerge) {
  Digests digests;
  digests.Set(Algorithm::kCrc32c, std::vector<uint8_t>{1, 2, 3, 4});
  digests.Set(Algorithm::kXxh3_64, std::vector<uint8_t>(8, 9));
  Digests only = digests.Only(Algorithm::kCrc32c);
  EXPECT_EQ(only.algorithms(), AlgorithmSet(Algorithm::kCrc32c));
  EXPECT_EQ(only.Hex(Algorithm::kCrc32c), "01020304");
  EXPECT_FALSE(only == digests);
  only.Merge(digests);
  EXPECT_EQ(only, digests);
}

TEST(HexTest, BothWays) {
  EXPECT_THAT(FromHex("00fFa1"), IsOkAndHolds(ElementsAre(0, 255, 0xa1)));
  EXPECT_EQ(ToHex(std::vector<uint8_t>{0, 255, 0xa1}), "00ffa1");
  EXPECT_THAT(FromHex("0"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FromHex("0g"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hashcache
