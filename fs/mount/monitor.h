// A Monitor gathers what a mount tells of itself beyond the engine's own figures: its requests,
// its batch frames, a trace of both, and what happened without being asked for.
//
// Life:    made before the store is opened, so that it hears of the engine's work as well.
// Threads: thread-safe.
#ifndef FS_MOUNT_MONITOR_H_
#define FS_MOUNT_MONITOR_H_

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "fs/cache/latency.h"
#include "fs/cache/raw_engine.h"
#include "fs/mount/event_log.h"
#include "fs/mount/request_meter.h"
#include "fs/mount/trace_ring.h"

namespace fs {

class Monitor {
 public:
  // `clock` must outlive the monitor.
  explicit Monitor(base::Clock& clock) : clock(clock), trace(clock), events(clock), requests(clock, trace) {}
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // For EngineOptions::on_work.
  void EngineWorked(const EngineWork& work) {
    trace.Add({.kind = TraceEvent::Kind::kEngine,
               .begin_ns = work.begin_ns,
               .end_ns = work.end_ns,
               .name = work.what,
               .inode = work.number,
               .bytes = work.bytes,
               .items = work.items});
  }
  // A frame of a batch session was answered.
  void FrameAnswered(int64_t begin_ns, uint64_t items, uint64_t lookups, uint64_t bytes) {
    const int64_t end_ns = clock.MonotonicNs();
    if (lookups > 0) lookup_frames.Add(end_ns - begin_ns);
    frames.Add(end_ns - begin_ns);
    batch_items.fetch_add(items, std::memory_order_relaxed);
    trace.Add({.kind = TraceEvent::Kind::kFrame,
               .begin_ns = begin_ns,
               .end_ns = end_ns,
               .name = lookups > 0 ? "lookups" : "changes",
               .bytes = bytes,
               .items = items});
  }

  base::Clock& clock;
  TraceRing trace;
  EventLog events;
  RequestMeter requests;
  LatencyCounter frames;
  LatencyCounter lookup_frames;  // with at least one LOOKUP
  std::atomic<uint64_t> batch_items{0};
  std::atomic<uint64_t> batch_sessions{0};  // open now
};

}  // namespace fs

#endif  // FS_MOUNT_MONITOR_H_
