#include "fs/mount/request_meter.h"

#include <cerrno>

namespace fs {

RequestMeter::RequestMeter(base::Clock& clock, TraceRing& trace)
    : clock_(clock), trace_(trace), slots_(std::make_unique<Slot[]>(kSlots)) {}

void RequestMeter::Begin(const MeteredRequest& request) {
  if (request.opcode >= kOpcodesMax) return;
  counts_[request.opcode].fetch_add(1, std::memory_order_relaxed);
  if (!request.is_answered) return;
  begun_.fetch_add(1, std::memory_order_relaxed);
  Slot& slot = SlotOf(request.unique);
  if (slot.unique.exchange(0, std::memory_order_acq_rel) != 0) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    ended_.fetch_add(1, std::memory_order_relaxed);  // under_way() forgets it as well
  }
  slot.begin_ns.store(clock_.MonotonicNs(), std::memory_order_relaxed);
  slot.opcode.store(request.opcode, std::memory_order_relaxed);
  slot.pid.store(request.pid, std::memory_order_relaxed);
  slot.inode.store(request.inode, std::memory_order_relaxed);
  slot.size_bytes.store(request.size_bytes, std::memory_order_relaxed);
  slot.unique.store(request.unique, std::memory_order_release);
}

void RequestMeter::End(uint64_t unique, int error, uint64_t size_bytes) {
  Slot& slot = SlotOf(unique);
  if (unique == 0 || slot.unique.load(std::memory_order_acquire) != unique) return;  // a notice, or lost
  const int64_t begin_ns = slot.begin_ns.load(std::memory_order_relaxed);
  const uint32_t opcode = slot.opcode.load(std::memory_order_relaxed);
  const uint32_t pid = slot.pid.load(std::memory_order_relaxed);
  const uint64_t inode = slot.inode.load(std::memory_order_relaxed);
  const uint32_t request_bytes = slot.size_bytes.load(std::memory_order_relaxed);
  uint64_t expected = unique;
  // A newer request may have taken the slot since: what was read may be its, and is not used.
  if (!slot.unique.compare_exchange_strong(expected, 0, std::memory_order_acq_rel)) return;
  ended_.fetch_add(1, std::memory_order_relaxed);
  const int64_t end_ns = clock_.MonotonicNs();
  latencies_[opcode].Add(end_ns - begin_ns);
  if (error != 0 && error != ENOENT && error != ENODATA) errors_[opcode].fetch_add(1, std::memory_order_relaxed);
  if (trace_.is_on()) {
    trace_.Add({.kind = TraceEvent::Kind::kRequest,
                .begin_ns = begin_ns,
                .end_ns = end_ns,
                .opcode = opcode,
                .inode = inode,
                .pid = pid,
                .bytes = request_bytes + size_bytes,
                .error = error});
  }
}

uint64_t RequestMeter::count(uint32_t opcode) const {
  return opcode < kOpcodesMax ? counts_[opcode].load(std::memory_order_relaxed) : 0;
}

uint64_t RequestMeter::errors(uint32_t opcode) const {
  return opcode < kOpcodesMax ? errors_[opcode].load(std::memory_order_relaxed) : 0;
}

LatencySnapshot RequestMeter::latency(uint32_t opcode) const {
  return opcode < kOpcodesMax ? latencies_[opcode].Snapshot() : LatencySnapshot();
}

uint64_t RequestMeter::under_way() const {
  const uint64_t ended = ended_.load(std::memory_order_relaxed);  // first: never more than begun
  const uint64_t begun = begun_.load(std::memory_order_relaxed);
  return begun > ended ? begun - ended : 0;
}

}  // namespace fs
