#include "fs/format/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(Crc32cTest, PublishedCheckValues) {
  EXPECT_EQ(Crc32c("123456789", 9), 0xE3069283u);
  const std::string zeros(32, '\0');
  EXPECT_EQ(Crc32c(zeros.data(), zeros.size()), 0x8A9136AAu);  // RFC 3720, B.4
  const std::string ones(32, '\xff');
  EXPECT_EQ(Crc32c(ones.data(), ones.size()), 0x62A8AB43u);
  EXPECT_EQ(Crc32c("", 0), 0u);
}

TEST(Crc32cTest, ExtendAndCombineEqualTheWhole) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text.push_back(static_cast<char>(i * 31 + i / 7));
  const uint32_t whole = Crc32c(text.data(), text.size());
  for (size_t cut : {size_t{0}, size_t{1}, size_t{17}, size_t{4096}, size_t{9999}, text.size()}) {
    const uint32_t first = Crc32c(text.data(), cut);
    EXPECT_EQ(ExtendCrc32c(first, text.data() + cut, text.size() - cut), whole) << cut;
    const uint32_t second = Crc32c(text.data() + cut, text.size() - cut);
    EXPECT_EQ(CombineCrc32c(first, second, text.size() - cut), whole) << cut;
  }
}

}  // namespace
}  // namespace fs
