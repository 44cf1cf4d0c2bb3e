#include "fs/disk/testing/disk_image.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

std::vector<uint8_t> All(const DiskImage& image) {
  std::vector<uint8_t> all(image.size_bytes(), 0xEE);
  image.Read(0, absl::MakeSpan(all));
  return all;
}

TEST(DiskImageTest, StartsAsZeros) {
  const DiskImage image(1 << 20);
  EXPECT_THAT(All(image), ::testing::Each(0));
  EXPECT_TRUE(image == DiskImage(1 << 20));
  EXPECT_FALSE(image == DiskImage(2 << 20));
}

TEST(DiskImageTest, CopiesAreIndependent) {
  DiskImage first(1 << 20);
  const std::vector<uint8_t> bytes(5000, 'x');
  first.Write(4000, bytes);
  DiskImage second = first;
  EXPECT_TRUE(first == second);
  second.FlipBit(4000, 0);
  EXPECT_FALSE(first == second);
  EXPECT_EQ(All(first)[4000], 'x');
  EXPECT_EQ(All(second)[4000], 'x' ^ 1);
  first.Fill(0, 1 << 20, 7);
  EXPECT_EQ(All(second)[4001], 'x');
}

TEST(DiskImageTest, WrittenZerosEqualUnwrittenOnes) {
  DiskImage image(1 << 20);
  image.Fill(8192, 4096, 0);
  EXPECT_TRUE(image == DiskImage(1 << 20));
  EXPECT_TRUE(image.digest() == DiskImage(1 << 20).digest());
}

TEST(DiskImageTest, TheDigestIsOfTheContentNotOfTheWayToIt) {
  const std::vector<uint8_t> bytes(6000, 'x');
  DiskImage first(1 << 20);
  DiskImage second(1 << 20);
  first.Write(4000, bytes);
  first.Write(300000, bytes);
  second.Fill(0, 1 << 20, 9);
  second.Fill(0, 1 << 20, 0);
  second.Write(300000, bytes);
  const DiskImage half = second;
  second.Write(4000, bytes);
  EXPECT_TRUE(first.digest() == second.digest());
  EXPECT_FALSE(first.digest() == half.digest());
  second.FlipBit(300001, 3);
  EXPECT_FALSE(first.digest() == second.digest());
  second.FlipBit(300001, 3);
  EXPECT_TRUE(first.digest() == second.digest());
  // Blocks that have changed places are other contents.
  DiskImage swapped(1 << 20);
  swapped.Write(4000 + 4096, bytes);
  swapped.Write(300000, bytes);
  EXPECT_FALSE(first.digest() == swapped.digest());
}

// Random writes to a handful of copies against plain arrays.
TEST(DiskImageTest, EqualsAModel) {
  constexpr uint64_t kSize = 600 << 10;
  std::mt19937_64 random(17);
  std::vector<DiskImage> images(4, DiskImage(kSize));
  std::vector<std::vector<uint8_t>> models(4, std::vector<uint8_t>(kSize, 0));
  for (int step = 0; step < 600; ++step) {
    const size_t at = random() % images.size();
    if (step % 7 == 0) {
      const size_t from = random() % images.size();
      images[at] = images[from];
      models[at] = models[from];
      continue;
    }
    const uint64_t offset = random() % kSize;
    const uint64_t length = std::min<uint64_t>(kSize - offset, random() % (step % 3 == 0 ? 40000 : 600));
    std::vector<uint8_t> bytes(length, static_cast<uint8_t>(step));
    images[at].Write(offset, bytes);
    std::copy(bytes.begin(), bytes.end(), models[at].begin() + static_cast<ptrdiff_t>(offset));
  }
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_TRUE(All(images[i]) == models[i]);
    DiskImage anew(kSize);
    anew.Write(0, models[i]);
    EXPECT_TRUE(images[i].digest() == anew.digest());
  }
}

}  // namespace
}  // namespace fs::testing
