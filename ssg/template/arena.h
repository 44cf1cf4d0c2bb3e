// An Arena is memory that is given back all at once.
//
// Template values are trivially copyable and point into an arena: one belongs
// to each render (dropped when it ends), one to each compiled template (its
// constants) and any number to the host (the site model).
//
// Bounds:  at most `bytes_max` in all; past it Exceeded() is true and stays
//          so. Allocations still succeed: whoever owns the arena asks at its
//          next safe point (the interpreter, at each call and iteration).
// Threads: thread-compatible; values in it may be read by any thread once
//          nothing changes them any more.
#ifndef SSG_TEMPLATE_ARENA_H_
#define SSG_TEMPLATE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

class Arena {
 public:
  explicit Arena(size_t bytes_max = std::numeric_limits<size_t>::max()) : bytes_max_(bytes_max) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes aligned for any value.
  void* Allocate(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (size > left_) return AllocateSlow(size);
    char* bytes = next_;
    next_ += size;
    left_ -= size;
    return bytes;
  }

  template <typename T, typename... Args>
  T* New(Args&&... args) {
    static_assert(alignof(T) <= 16);
    return new (Allocate(sizeof(T))) T(std::forward<Args>(args)...);
  }

  // Uninitialised.
  template <typename T>
  T* NewArray(size_t count) {
    static_assert(alignof(T) <= 16 && std::is_trivially_destructible_v<T>);
    return static_cast<T*>(Allocate(sizeof(T) * count));
  }

  // A copy of `text` that lives as long as the arena.
  absl::string_view Copy(absl::string_view text);

  bool Exceeded() const { return bytes_total_ > bytes_max_; }
  size_t bytes_total() const { return bytes_total_; }

 private:
  static constexpr size_t kFirstBlockBytes = 16 << 10;
  static constexpr size_t kBlockBytesMax = 1 << 20;

  void* AllocateSlow(size_t size);

  const size_t bytes_max_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_total_ = 0;
  size_t block_bytes_ = kFirstBlockBytes;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_ARENA_H_
