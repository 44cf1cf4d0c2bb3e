#include "fs/volume/name_hash.h"

#include <string>

#include "gtest/gtest.h"

namespace fs {
namespace {

// The vectors of the paper's appendix: key 00 01 .. 0f, message 00 01 .. (n - 1).
TEST(NameHashTest, PublishedVectors) {
  const NameHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  std::string message;
  for (char c = 0; c < 15; ++c) message.push_back(c);
  EXPECT_EQ(hash(message), 0xa129ca6149be45e5u);
  EXPECT_EQ(hash(""), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash(message.substr(0, 8)), 0x93f5f5799a932462u);
}

TEST(NameHashTest, KeysMatter) {
  EXPECT_NE(NameHash(1, 2)("name"), NameHash(1, 3)("name"));
  EXPECT_NE(NameHash(1, 2)("name"), NameHash(2, 2)("name"));
}

}  // namespace
}  // namespace fs
