#include "fs/disk/aligned_buffer.h"

#include <cstring>
#include <utility>

#include "glog/logging.h"

namespace fs {

AlignedBuffer AlignedBuffer::Uninitialized(size_t size) {
  AlignedBuffer buffer;
  if (size == 0) return buffer;
  CHECK_LE(size, SIZE_MAX - kAlignment);
  buffer.size_ = size;
  buffer.capacity_ = (size + kAlignment - 1) / kAlignment * kAlignment;
  buffer.data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, buffer.capacity_)));
  CHECK(buffer.data_ != nullptr) << "out of memory; size=" << size;
  return buffer;
}

AlignedBuffer::AlignedBuffer(size_t size) : AlignedBuffer(Uninitialized(size)) {
  if (capacity_ != 0) std::memset(data_.get(), 0, capacity_);
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  data_ = std::move(other.data_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

absl::Span<uint8_t> AlignedBuffer::span(size_t offset, size_t length) {
  CHECK_LE(offset, capacity_);
  CHECK_LE(length, capacity_ - offset);
  return absl::MakeSpan(data() + offset, length);
}

BufferPool::BufferPool(size_t buffer_size, size_t kept_max) : buffer_size_(buffer_size), kept_max_(kept_max) {}

AlignedBuffer BufferPool::Get() {
  {
    base::MutexLock lock(&mutex_);
    if (!kept_.empty()) {
      AlignedBuffer buffer = std::move(kept_.back());
      kept_.pop_back();
      return buffer;
    }
  }
  return AlignedBuffer(buffer_size_);
}

void BufferPool::Put(AlignedBuffer buffer) {
  CHECK_EQ(buffer.size(), buffer_size_);
  base::MutexLock lock(&mutex_);
  if (kept_.size() < kept_max_) kept_.push_back(std::move(buffer));
}

}  // namespace fs
