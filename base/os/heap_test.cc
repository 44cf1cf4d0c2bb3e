#include "base/os/heap.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

size_t ResidentBytes() {
  unsigned long total = 0, resident = 0;
  FILE* const file = fopen("/proc/self/statm", "r");
  EXPECT_EQ(fscanf(file, "%lu %lu", &total, &resident), 2);
  fclose(file);
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(HeapTest, FreePagesBelowABlockInUseAreReturned) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's allocator";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's allocator";
#endif
#endif
  KeepHeapSmall();
  constexpr size_t kBlocks = 2048, kBlockBytes = 32 << 10;  // 64 MiB
  std::vector<std::unique_ptr<std::string>> blocks;
  for (size_t i = 0; i < kBlocks; ++i) blocks.push_back(std::make_unique<std::string>(kBlockBytes, 'x'));
  const auto last = std::make_unique<std::string>(kBlockBytes, 'y');  // holds the end of the heap
  const size_t full = ResidentBytes();
  blocks.clear();
  ReturnFreeMemory();
  EXPECT_LT(ResidentBytes() + kBlocks * kBlockBytes / 2, full);
  EXPECT_EQ(last->back(), 'y');
}

}  // namespace
}  // namespace base
