#include "fs/cache/block_cache.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace fs {
namespace {

std::vector<uint8_t> Blocks(size_t count, uint8_t first) {
  std::vector<uint8_t> bytes(count * 4096);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(first + i / 4096);
  return bytes;
}

TEST(BlockCacheTest, ReadsAcrossBlocksAndMissesWhole) {
  BlockCache cache(1 << 20);
  cache.Insert(8192, Blocks(2, 7));
  std::vector<uint8_t> out(200);
  ASSERT_TRUE(cache.Read(8192 + 4000, absl::MakeSpan(out)));
  EXPECT_EQ(out[0], 7);
  EXPECT_EQ(out[199], 8);
  EXPECT_FALSE(cache.Read(8192 + 8100, absl::MakeSpan(out)));
  EXPECT_FALSE(cache.Read(0, absl::MakeSpan(out)));
}

TEST(BlockCacheTest, CountsWhatWasReadAheadOnce) {
  BlockCache cache(4 << 12);
  std::vector<uint8_t> out(4096);
  cache.Insert(0, Blocks(3, 1), /*ahead=*/true);
  ASSERT_TRUE(cache.Read(4096, absl::MakeSpan(out)));
  ASSERT_TRUE(cache.Read(4096, absl::MakeSpan(out)));
  EXPECT_EQ(cache.ahead_used_bytes(), 4096u);
  EXPECT_EQ(cache.ahead_wasted_bytes(), 0u);
  cache.Erase(0, 1);
  EXPECT_EQ(cache.ahead_wasted_bytes(), 4096u);
  cache.Insert(1 << 20, Blocks(4, 9));  // pushes out the third
  EXPECT_EQ(cache.ahead_used_bytes(), 4096u);
  EXPECT_EQ(cache.ahead_wasted_bytes(), 8192u);
}

TEST(BlockCacheTest, InsertReplacesAndEraseForgets) {
  BlockCache cache(1 << 20);
  std::vector<uint8_t> out(1);
  cache.Insert(4096, Blocks(1, 1));
  cache.Insert(4096, Blocks(1, 2));
  ASSERT_TRUE(cache.Read(4096, absl::MakeSpan(out)));
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(cache.size_bytes(), 4096u);
  cache.Erase(4100, 1);
  EXPECT_FALSE(cache.Read(4096, absl::MakeSpan(out)));
  EXPECT_EQ(cache.size_bytes(), 0u);
}

TEST(BlockCacheTest, StaysWithinItsBoundAndKeepsWhatIsUsed) {
  BlockCache cache(64 * 4096);
  std::vector<uint8_t> out(1);
  cache.Insert(0, Blocks(1, 99));
  for (uint64_t i = 1; i < 1000; ++i) {
    cache.Insert(i * 4096, Blocks(1, 1));
    ASSERT_TRUE(cache.Read(0, absl::MakeSpan(out))) << i;
    ASSERT_LE(cache.size_bytes(), 64u * 4096);
  }
  EXPECT_EQ(out[0], 99);
  EXPECT_FALSE(cache.Read(4096, absl::MakeSpan(out)));
}

}  // namespace
}  // namespace fs
