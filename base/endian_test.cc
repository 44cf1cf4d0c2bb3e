#include "base/endian.h"

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(EndianTest, OrdersBytesAtOddAddresses) {
  unsigned char bytes[9] = {};
  StoreLittle<uint32_t>(bytes + 1, 0x01020304);
  EXPECT_EQ(bytes[1], 0x04);
  EXPECT_EQ(LoadLittle<uint32_t>(bytes + 1), 0x01020304u);
  EXPECT_EQ(LoadBig<uint32_t>(bytes + 1), 0x04030201u);
  StoreBig<uint64_t>(bytes + 1, 0x0102030405060708);
  EXPECT_EQ(bytes[1], 0x01);
  EXPECT_EQ(LoadBig<uint64_t>(bytes + 1), 0x0102030405060708u);
  StoreBig<uint16_t>(bytes, 0xabcd);
  EXPECT_EQ(LoadLittle<uint16_t>(bytes), 0xcdab);
}

}  // namespace
}  // namespace base
