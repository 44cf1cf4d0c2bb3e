#include "hashcache/digest/blake3_tree.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "gtest/gtest.h"
#include "hashcache/digest/hash_stream.h"

namespace hashcache {
namespace {

std::vector<uint8_t> RandomBytes(size_t size) {
  std::mt19937_64 random(size);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

size_t SegmentCount(size_t size) { return (size + kBlake3SegmentSize - 1) / kBlake3SegmentSize; }

absl::Span<const uint8_t> Segment(const std::vector<uint8_t>& data, size_t index) {
  return absl::MakeConstSpan(data).subspan(index * kBlake3SegmentSize, kBlake3SegmentSize);
}

std::vector<uint8_t> Single(const std::vector<uint8_t>& data) {
  HashStream stream(Algorithm::kBlake3);
  stream.Update(data);
  const Digests digests = stream.Finish();
  const absl::Span<const uint8_t> bytes = digests.Get(Algorithm::kBlake3);
  return {bytes.begin(), bytes.end()};
}

TEST(Blake3TreeTest, EqualsTheOfficialSingleThreadedDigest) {
  constexpr size_t kMiB = kBlake3SegmentSize;
  for (const size_t size : {kMiB + 1, kMiB + 64, kMiB + 65, kMiB + 1024, kMiB + 1025, 2 * kMiB, 2 * kMiB + 3333,
                            3 * kMiB - 1, 3 * kMiB, 4 * kMiB, 5 * kMiB + 7, 7 * kMiB + 1023 * 1024 + 5}) {
    const std::vector<uint8_t> data = RandomBytes(size);
    Blake3Tree tree;
    for (size_t i = 0; i < SegmentCount(size); ++i) tree.Add(i, Blake3Segment(Segment(data, i), i));
    const Blake3Value value = tree.Finish();
    EXPECT_EQ(std::vector<uint8_t>(value.begin(), value.end()), Single(data)) << size;
  }
}

TEST(Blake3TreeTest, SegmentsMayArriveInAnyOrder) {
  const std::vector<uint8_t> data = RandomBytes(9 * kBlake3SegmentSize + 12345);
  std::vector<size_t> order(SegmentCount(data.size()));
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(3);
  Blake3Tree tree;
  for (int round = 0; round < 5; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) tree.Add(i, Blake3Segment(Segment(data, i), i));
    const Blake3Value value = tree.Finish();
    EXPECT_EQ(std::vector<uint8_t>(value.begin(), value.end()), Single(data));
  }
}

TEST(Blake3TreeTest, SegmentsMayBeHashedByManyThreads) {
  const std::vector<uint8_t> data = RandomBytes(6 * kBlake3SegmentSize);
  std::vector<Blake3Value> values(6);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < values.size(); ++i) {
    threads.emplace_back([&, i] { values[i] = Blake3Segment(Segment(data, i), i); });
  }
  for (std::thread& thread : threads) thread.join();
  Blake3Tree tree;
  for (size_t i = 0; i < values.size(); ++i) tree.Add(i, values[i]);
  const Blake3Value value = tree.Finish();
  EXPECT_EQ(std::vector<uint8_t>(value.begin(), value.end()), Single(data));
}

TEST(Blake3TreeDeathTest, MissingSegmentsAreABug) {
  const std::vector<uint8_t> data = RandomBytes(10);
  EXPECT_DEATH(Blake3Tree().Finish(), "segments are missing");
  EXPECT_DEATH(Blake3Segment({}, 0), "data.empty");
}

}  // namespace
}  // namespace hashcache
