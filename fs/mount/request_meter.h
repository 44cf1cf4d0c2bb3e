// A RequestMeter counts the kernel's requests and how long each took to answer.
//
// Shape:   Begin() when a request was read, End() when its reply is about to be sent; both know it
//          by its number. Requests under way lie in a table of kSlots, by number: one that is still
//          there when the table has come round is counted, but not timed (lost()).
// Cost:    two readings of the clock and a few relaxed counters for each request; no lock, but for
//          who traces.
// Threads: Begin() on the serving thread; the rest on any.
#ifndef FS_MOUNT_REQUEST_METER_H_
#define FS_MOUNT_REQUEST_METER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "fs/cache/latency.h"
#include "fs/mount/trace_ring.h"

namespace fs {

struct MeteredRequest {
  uint64_t unique = 0;  // the kernel's number of it, never 0
  uint32_t opcode = 0;
  uint64_t inode = 0;
  uint32_t pid = 0;
  uint32_t size_bytes = 0;
  bool is_answered = true;  // FORGET and its like never are
};

class RequestMeter {
 public:
  static constexpr size_t kOpcodesMax = 64;
  static constexpr size_t kSlots = 4096;

  // `clock` and `trace` must outlive the meter.
  RequestMeter(base::Clock& clock, TraceRing& trace);

  void Begin(const MeteredRequest& request);
  // `error` is an errno, or 0; `size_bytes` the reply's.
  void End(uint64_t unique, int error, uint64_t size_bytes);

  uint64_t count(uint32_t opcode) const;
  uint64_t errors(uint32_t opcode) const;  // answered with one other than ENOENT and ENODATA
  LatencySnapshot latency(uint32_t opcode) const;
  uint64_t under_way() const;
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  // Owned by whoever moved `unique` away from 0, until it is 0 again.
  struct Slot {
    std::atomic<uint64_t> unique{0};
    std::atomic<int64_t> begin_ns{0};
    std::atomic<uint32_t> opcode{0};
    std::atomic<uint32_t> pid{0};
    std::atomic<uint64_t> inode{0};
    std::atomic<uint32_t> size_bytes{0};
  };

  // The kernel counts requests by twos.
  Slot& SlotOf(uint64_t unique) { return slots_[unique / 2 % kSlots]; }

  base::Clock& clock_;
  TraceRing& trace_;
  const std::unique_ptr<Slot[]> slots_;
  std::array<std::atomic<uint64_t>, kOpcodesMax> counts_{};
  std::array<std::atomic<uint64_t>, kOpcodesMax> errors_{};
  std::array<LatencyCounter, kOpcodesMax> latencies_;
  std::atomic<uint64_t> begun_{0};
  std::atomic<uint64_t> ended_{0};
  std::atomic<uint64_t> lost_{0};
};

}  // namespace fs

#endif  // FS_MOUNT_REQUEST_METER_H_
