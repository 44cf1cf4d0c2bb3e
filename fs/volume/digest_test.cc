#include "fs/volume/digest.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

std::string Hex(DigestType type, absl::string_view data) {
  Digester digester(type);
  // In two parts, so that streaming is seen.
  const auto* bytes = reinterpret_cast<const uint8_t*>(data.data());
  digester.Update(absl::MakeSpan(bytes, data.size() / 2));
  digester.Update(absl::MakeSpan(bytes + data.size() / 2, data.size() - data.size() / 2));
  return absl::BytesToHexString(digester.Finish());
}

TEST(DigestTest, PublishedValues) {
  EXPECT_EQ(Hex(DigestType::kCrc32c, "123456789"), "e3069283");
  EXPECT_EQ(Hex(DigestType::kCrc32c, ""), "00000000");
  EXPECT_EQ(Hex(DigestType::kXxh3, ""), "2d06800538d394c2");
  EXPECT_EQ(Hex(DigestType::kSha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(DigestType::kBlake3, ""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

TEST(DigestTest, NamesBothWays) {
  for (const DigestType type : kDigestTypes) EXPECT_EQ(DigestTypeOf(DigestName(type)), type);
  EXPECT_EQ(DigestTypeOf("md5"), absl::nullopt);
}

TEST(DigestTest, KeptDigestsAreFoundAgain) {
  std::string kept;
  AddDigest(&kept, DigestType::kSha256, std::string(32, 's'));
  AddDigest(&kept, DigestType::kCrc32c, "crc!");
  EXPECT_EQ(FindDigest(kept, DigestType::kCrc32c), "crc!");
  EXPECT_EQ(FindDigest(kept, DigestType::kSha256), std::string(32, 's'));
  EXPECT_EQ(FindDigest(kept, DigestType::kXxh3), "");
  EXPECT_EQ(FindDigest(kept.substr(0, kept.size() - 1), DigestType::kCrc32c), "") << "cut off";
}

}  // namespace
}  // namespace fs
