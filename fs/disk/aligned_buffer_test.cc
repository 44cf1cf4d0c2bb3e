#include "fs/disk/aligned_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(AlignedBufferTest, StartsOnAPageBorderAndHoldsZeros) {
  for (const size_t size : {size_t{1}, size_t{512}, size_t{4096}, size_t{4097}, size_t{1} << 20}) {
    AlignedBuffer buffer(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % AlignedBuffer::kAlignment, 0u);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(buffer.capacity() % AlignedBuffer::kAlignment, 0u);
    EXPECT_GE(buffer.capacity(), size);
    const auto all = buffer.span(0, buffer.capacity());
    EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](uint8_t byte) { return byte == 0; }));
  }
}

TEST(AlignedBufferTest, EmptyOwnsNothing) {
  EXPECT_TRUE(AlignedBuffer().empty());
  EXPECT_TRUE(AlignedBuffer(0).span().empty());
}

TEST(AlignedBufferTest, MovedFromIsEmpty) {
  AlignedBuffer first(100);
  first.data()[99] = 7;
  AlignedBuffer second = std::move(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(first.capacity(), 0u);
  EXPECT_EQ(second.span().back(), 7);
  first = std::move(second);
  EXPECT_EQ(first.span().back(), 7);
}

TEST(AlignedBufferDeathTest, SpanBeyondCapacity) {
  AlignedBuffer buffer(100);
  EXPECT_DEATH(buffer.span(4096, 1), "length");
  EXPECT_DEATH(buffer.span(5000, 0), "offset");
}

TEST(BufferPoolTest, KeepsAtMostItsBound) {
  BufferPool pool(4096, 1);
  AlignedBuffer first = pool.Get();
  AlignedBuffer second = pool.Get();
  EXPECT_NE(first.data(), second.data());
  const uint8_t* kept = first.data();
  pool.Put(std::move(first));
  pool.Put(std::move(second));
  EXPECT_EQ(pool.Get().data(), kept);
  EXPECT_EQ(pool.Get().size(), pool.buffer_size());
}

TEST(BufferPoolDeathTest, RefusesAForeignSize) {
  BufferPool pool(4096, 1);
  EXPECT_DEATH(pool.Put(AlignedBuffer(8192)), "buffer_size");
}

}  // namespace
}  // namespace fs
