#include "base/os/heap.h"

#include <malloc.h>

namespace base {
namespace {

constexpr int kArenas = 2;
constexpr int kMappedBytesMin = 128 << 10;
constexpr int kFreeTopBytesMax = 1 << 20;

}  // namespace

void KeepHeapSmall() {
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);  // once set, it stays
  mallopt(M_TRIM_THRESHOLD, kFreeTopBytesMax);
}

void ReturnFreeMemory() { malloc_trim(0); }

}  // namespace base
