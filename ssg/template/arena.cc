#include "ssg/template/arena.h"

#include <algorithm>
#include <cstring>

namespace ssg::tmpl {

void* Arena::AllocateSlow(size_t size) {
  const size_t block_bytes = std::max(size, block_bytes_);
  bytes_total_ += block_bytes;
  blocks_.push_back(std::unique_ptr<char[]>(new char[block_bytes]));
  char* bytes = blocks_.back().get();
  // A large allocation gets a block of its own; the current one stays in use.
  if (size > block_bytes_ / 2 && left_ >= block_bytes_ / 4) return bytes;
  block_bytes_ = std::min(block_bytes_ * 2, kBlockBytesMax);
  next_ = bytes + size;
  left_ = block_bytes - size;
  return bytes;
}

absl::string_view Arena::Copy(absl::string_view text) {
  char* bytes = NewArray<char>(text.size());
  if (!text.empty()) memcpy(bytes, text.data(), text.size());
  return absl::string_view(bytes, text.size());
}

}  // namespace ssg::tmpl
