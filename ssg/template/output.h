// Output is the text that a render produces: one growing buffer that blocks,
// macros and captures all write into, so that nothing is copied between them.
//
// A capture is a position: what was written since can be taken back out.
// Bounds:  at most `bytes_max`; past it text is dropped and Exceeded() holds.
// Threads: thread-compatible.
#ifndef SSG_TEMPLATE_OUTPUT_H_
#define SSG_TEMPLATE_OUTPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/string_view.h"

namespace ssg::tmpl {

class Output {
 public:
  explicit Output(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Append(absl::string_view text) {
    if (char* to = Reserve(text.size())) {
      memcpy(to, text.data(), text.size());
      size_ += text.size();
    }
  }

  // Room for `size` bytes, to be claimed with Advance(); nullptr when that
  // would pass the bound. What an Append before did not fit stays out.
  char* Reserve(size_t size) {
    if (size > capacity_ - size_ && !Grow(size)) return nullptr;
    return bytes_.get() + size_;
  }
  void Advance(size_t size) { size_ += size; }

  size_t size() const { return size_; }
  absl::string_view Since(size_t position) const {
    return absl::string_view(bytes_.get() + position, size_ - position);
  }
  void Truncate(size_t position) { size_ = position; }
  bool Exceeded() const { return exceeded_; }

 private:
  bool Grow(size_t size) {
    if (size > bytes_max_ - size_) {
      exceeded_ = true;
      return false;
    }
    size_t capacity = std::max<size_t>(capacity_ * 2, 16 << 10);
    while (capacity - size_ < size) capacity *= 2;
    capacity = std::min(capacity, bytes_max_);
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (size_ > 0) memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    return true;
  }

  const size_t bytes_max_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  bool exceeded_ = false;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_OUTPUT_H_
