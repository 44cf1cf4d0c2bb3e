// An AlignedBuffer owns memory that a Device can transfer to and from directly.
//
// Shape:   starts on a page border; size is what was asked for, while capacity
// is
//          rounded up to whole pages, so that a tail can be padded in place.
// Threads: thread-compatible. BufferPool: thread-safe.
//
// Example:
//   AlignedBuffer page(16 << 10);              // zeros
//   RETURN_IF_ERROR(device.Read(offset, page.span()));
#ifndef FS_DISK_ALIGNED_BUFFER_H_
#define FS_DISK_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "base/mutex.h"

namespace fs {

class AlignedBuffer {
 public:
  // Every alignment that a Device asks for divides this.
  static constexpr size_t kAlignment = 4096;

  AlignedBuffer() = default;
  // Zeros, so that what a caller leaves unset never carries memory onto a disk.
  explicit AlignedBuffer(size_t size);
  // For what is overwritten wholly before anybody looks at it.
  static AlignedBuffer Uninitialized(size_t size);

  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

  absl::Span<uint8_t> span() { return absl::MakeSpan(data(), size_); }
  absl::Span<const uint8_t> span() const { return absl::MakeConstSpan(data(), size_); }
  // REQUIRES: offset + length <= capacity().
  absl::Span<uint8_t> span(size_t offset, size_t length);

 private:
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };

  std::unique_ptr<uint8_t[], Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Hands out buffers of one size and keeps up to `kept_max` of them for the next
// caller, whose contents are whatever the last one left there.
class BufferPool {
 public:
  BufferPool(size_t buffer_size, size_t kept_max);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  AlignedBuffer Get() ABSL_LOCKS_EXCLUDED(mutex_);
  // REQUIRES: `buffer` came from Get() of this pool.
  void Put(AlignedBuffer buffer) ABSL_LOCKS_EXCLUDED(mutex_);

  size_t buffer_size() const { return buffer_size_; }

 private:
  const size_t buffer_size_;
  const size_t kept_max_;

  base::Mutex mutex_;
  std::vector<AlignedBuffer> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_DISK_ALIGNED_BUFFER_H_
