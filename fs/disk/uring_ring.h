// A UringRing is one io_uring on one file: slots for requests under way, and what the
// kernel answers to them.
//
// Shape:   while there is room: Start(); Submit() or SubmitAndWait(); Reap().
// Bounds:  at most `depth` requests under way; the completion queue is twice as long, so
//          that it never overflows.
// Errors:  Create() gives Unimplemented where the kernel or a container forbids io_uring.
// Threads: Start(), Submit() and Free() need a lock of the owner's among each other; one
//          thread at a time may Wait() and Reap() beside them.
// Source:  io_uring(7), io_uring_register(2).
#ifndef FS_DISK_URING_RING_H_
#define FS_DISK_URING_RING_H_

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fs/disk/device.h"
#include "fs/disk/transfer.h"

namespace fs {

class UringRing {
 public:
  static constexpr unsigned kMemoriesMax = 64;
  // The kernel's bound for one registered buffer.
  static constexpr size_t kMemoryBytesMax = size_t{1} << 30;

  // The kernel's answer to the request in `slot`; slot == kWake for Wake().
  struct Answer {
    unsigned slot;
    int result;
  };
  static constexpr unsigned kWake = UINT32_MAX;

  static absl::StatusOr<std::unique_ptr<UringRing>> Create(int fd, unsigned depth);
  ~UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  bool has_room() const { return !free_.empty(); }
  size_t in_flight() const { return transfers_.size() - free_.size(); }

  // Queues for the next Submit(). REQUIRES: has_room().
  void Start(IoRequest request);
  // Queues the rest of a request that moved only in part. REQUIRES: Reap() gave `slot`.
  void Continue(unsigned slot) { Prepare(slot); }
  // Makes Wait() return with an answer kWake.
  void Wake();
  void Free(unsigned slot) { free_.push_back(slot); }
  Transfer& transfer(unsigned slot) { return transfers_[slot]; }

  // Hands what is queued to the kernel.
  void Submit();
  // One system call for both: returns when at least `count` answers are there.
  void SubmitAndWait(unsigned count);
  // Blocks until there is an answer.
  void Wait();
  // Appends all answers that are there.
  void Reap(std::vector<Answer>& answers);

  size_t memory_count() const { return memories_.size(); }
  // Requests inside `memory` use it as registered buffer from now on.
  absl::Status RegisterMemory(absl::Span<uint8_t> memory);

 private:
  UringRing() = default;

  void Prepare(unsigned slot);
  int MemoryIndex(const uint8_t* start, uint64_t length) const;

  io_uring ring_ = {};
  bool ready_ = false;
  int file_ = 0;  // index of the registered file, or the descriptor
  bool file_registered_ = false;
  bool memory_possible_ = false;
  std::vector<Transfer> transfers_;  // by slot
  std::vector<unsigned> free_;
  std::vector<absl::Span<uint8_t>> memories_;
};

}  // namespace fs

#endif  // FS_DISK_URING_RING_H_
