// Buffer is the growing byte buffer that every serialiser appends to.
//
// Unlike std::string it does not zero what it reserves, and it keeps kSlack
// writable bytes past the reserved end, so that copies may go in whole vectors.
// Threads: thread-compatible.
#ifndef MARC_CODEC_BUFFER_H_
#define MARC_CODEC_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"

namespace marc {

class Buffer {
 public:
  static constexpr size_t kSlack = 64;

  Buffer() = default;
  ~Buffer() { free(data_); }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  absl::string_view view() const { return absl::string_view(data_, size_); }

  void Clear() { size_ = 0; }
  // REQUIRES: size <= size().
  void Truncate(size_t size) { size_ = size; }

  // The end of the data, with room for `count` bytes and kSlack more behind
  // them. Write, then tell with Advance() how many.
  char* Reserve(size_t count) {
    if (capacity_ - size_ < count + kSlack || data_ == nullptr) Grow(count);
    return data_ + size_;
  }
  void Advance(size_t count) { size_ += count; }
  // Ends the data at `end`, which lies within what Reserve() gave.
  void AdvanceTo(const char* end) { size_ = static_cast<size_t>(end - data_); }

  void Append(absl::string_view text) {
    char* to = Reserve(text.size());
    if (!text.empty()) memcpy(to, text.data(), text.size());
    size_ += text.size();
  }
  void Append(char byte) {
    *Reserve(1) = byte;
    ++size_;
  }

 private:
  void Grow(size_t count) {
    size_t capacity = capacity_ * 2;
    if (capacity < size_ + count + kSlack) capacity = size_ + count + kSlack;
    if (capacity < 4096) capacity = 4096;
    char* data = static_cast<char*>(realloc(data_, capacity));
    if (data == nullptr) std::abort();  // as operator new would without exceptions
    data_ = data;
    capacity_ = capacity;
  }

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace marc

#endif  // MARC_CODEC_BUFFER_H_
