#include "fs/disk/uring_ring.h"

#include <sched.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "glog/logging.h"

namespace fs {
namespace {

// Refusals of the moment: a signal, memory short, answers to be reaped first.
bool IsTransient(int result) { return result == -EINTR || result == -EAGAIN || result == -EBUSY; }

}  // namespace

absl::StatusOr<std::unique_ptr<UringRing>> UringRing::Create(int fd, unsigned depth) {
  CHECK_GT(depth, 0u);
  std::unique_ptr<UringRing> ring(new UringRing);
  io_uring_params params = {};
  // Half of the slots again for Wake() and continued requests.
  const int result = io_uring_queue_init_params(depth + depth / 2 + 1, &ring->ring_, &params);
  if (result < 0) return absl::UnimplementedError(base::ErrnoStatus(-result, "io_uring cannot be used").message());
  ring->ready_ = true;
  ring->file_ = fd;
  if (io_uring_register_files(&ring->ring_, &fd, 1) == 0) {
    ring->file_ = 0;
    ring->file_registered_ = true;
  }
  ring->memory_possible_ = io_uring_register_buffers_sparse(&ring->ring_, kMemoriesMax) == 0;
  ring->transfers_.resize(depth);
  for (unsigned slot = depth; slot > 0; --slot) ring->free_.push_back(slot - 1);
  return ring;
}

UringRing::~UringRing() {
  if (!ready_) return;
  // The kernel takes the ring apart later, but the file (an exclusive block device, say)
  // has to be let go of now.
  if (file_registered_) io_uring_unregister_files(&ring_);
  io_uring_queue_exit(&ring_);
}

void UringRing::Start(IoRequest request) {
  CHECK(has_room());
  const unsigned slot = free_.back();
  free_.pop_back();
  transfers_[slot] = Transfer(std::move(request));
  Prepare(slot);
}

void UringRing::Prepare(unsigned slot) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    Submit();
    sqe = io_uring_get_sqe(&ring_);
    CHECK(sqe != nullptr) << "io_uring: no room after a submission";
  }
  Transfer& transfer = transfers_[slot];
  // The kernel's length is 32 bits; the rest goes with the next attempt.
  const unsigned length = static_cast<unsigned>(std::min<uint64_t>(transfer.length(), 1u << 30));
  switch (transfer.request().kind) {
    case IoRequest::Kind::kRead: {
      const int memory = MemoryIndex(transfer.out(), length);
      if (memory >= 0) {
        io_uring_prep_read_fixed(sqe, file_, transfer.out(), length, transfer.offset(), memory);
      } else {
        io_uring_prep_read(sqe, file_, transfer.out(), length, transfer.offset());
      }
      break;
    }
    case IoRequest::Kind::kWrite: {
      const int memory = MemoryIndex(transfer.bytes(), length);
      if (memory >= 0) {
        io_uring_prep_write_fixed(sqe, file_, transfer.bytes(), length, transfer.offset(), memory);
      } else {
        io_uring_prep_write(sqe, file_, transfer.bytes(), length, transfer.offset());
      }
      break;
    }
    case IoRequest::Kind::kFlush:
      io_uring_prep_fsync(sqe, file_, IORING_FSYNC_DATASYNC);
      break;
    case IoRequest::Kind::kDiscard:
      LOG(FATAL) << "io_uring: discards go another way";
  }
  if (file_registered_) sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, slot);
}

void UringRing::Wake() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  CHECK(sqe != nullptr);
  io_uring_prep_nop(sqe);
  io_uring_sqe_set_data64(sqe, kWake);
}

void UringRing::Submit() {
  while (io_uring_sq_ready(&ring_) > 0) {
    const int result = io_uring_submit(&ring_);
    if (result >= 0) continue;
    CHECK(IsTransient(result)) << "io_uring_submit; errno=" << -result;
    ::sched_yield();
  }
}

void UringRing::SubmitAndWait(unsigned count) {
  while (true) {
    const int result = io_uring_submit_and_wait(&ring_, count);
    if (result < 0) {
      CHECK(IsTransient(result)) << "io_uring_submit_and_wait; errno=" << -result;
      ::sched_yield();
      continue;
    }
    if (io_uring_sq_ready(&ring_) == 0) return;
  }
}

void UringRing::Wait() {
  io_uring_cqe* cqe = nullptr;
  while (true) {
    const int result = io_uring_wait_cqe(&ring_, &cqe);
    if (result == 0) return;
    CHECK(IsTransient(result)) << "io_uring_wait_cqe; errno=" << -result;
  }
}

void UringRing::Reap(std::vector<Answer>& answers) {
  unsigned head;
  unsigned count = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    answers.push_back({static_cast<unsigned>(io_uring_cqe_get_data64(cqe)), cqe->res});
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
}

absl::Status UringRing::RegisterMemory(absl::Span<uint8_t> memory) {
  if (!memory_possible_) return absl::UnimplementedError("this kernel registers no buffers one by one");
  if (memories_.size() == kMemoriesMax || memory.size() > kMemoryBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("at most ", kMemoriesMax, " registered buffers of ", kMemoryBytesMax, " bytes"));
  }
  const iovec vector = {memory.data(), memory.size()};
  const __u64 tag = 0;
  const int result =
      io_uring_register_buffers_update_tag(&ring_, static_cast<unsigned>(memories_.size()), &vector, &tag, 1);
  if (result < 0) return base::ErrnoStatus(-result, "registering memory with io_uring");
  memories_.push_back(memory);
  return absl::OkStatus();
}

int UringRing::MemoryIndex(const uint8_t* start, uint64_t length) const {
  const std::less_equal<const uint8_t*> not_after;
  for (size_t i = 0; i < memories_.size(); ++i) {
    const absl::Span<uint8_t>& memory = memories_[i];
    if (not_after(memory.data(), start) && not_after(start + length, memory.data() + memory.size())) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

}  // namespace fs
