#include "fs/mount/trace_ring.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fs/mount/opcodes.h"

namespace fs {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

const char* KindName(TraceEvent::Kind kind) {
  switch (kind) {
    case TraceEvent::Kind::kRequest: return "request";
    case TraceEvent::Kind::kFrame: return "frame";
    case TraceEvent::Kind::kEngine: return "engine";
  }
  return "";
}

}  // namespace

void TraceRing::Add(const TraceEvent& event) {
  if (!is_on()) return;
  std::vector<TraceEvent> freed;
  base::MutexLock lock(&mutex_);
  if (!is_on()) return;
  if (event.end_ns > on_until_ns_) {
    on_ = false;
    freed.swap(events_);
    return;
  }
  events_[++added_ % kEventsMax] = event;
}

std::string TraceRing::Read(uint64_t after, size_t events_max) {
  std::vector<TraceEvent> events;
  uint64_t number = 0;
  {
    base::MutexLock lock(&mutex_);
    on_until_ns_ = clock_.MonotonicNs() + kOnSeconds * kNsPerSecond;
    if (events_.empty()) {
      events_.resize(kEventsMax);
      first_ = added_ + 1;
    }
    on_ = true;
    const uint64_t oldest = added_ >= kEventsMax ? added_ - kEventsMax + 1 : 1;
    number = std::max({after + 1, oldest, first_});
    for (uint64_t n = number; n <= added_ && events.size() < events_max; ++n) events.push_back(events_[n % kEventsMax]);
  }
  std::string text;
  text.reserve(events.size() * 72);
  for (const TraceEvent& event : events) {
    const char* const name = event.kind == TraceEvent::Kind::kRequest ? OpcodeName(event.opcode) : event.name;
    absl::StrAppend(&text, number++, " ", KindName(event.kind), " ");
    absl::StrAppend(&text, name[0] == '\0' ? "?" : name, " ", event.begin_ns, " ", event.end_ns, " ");
    absl::StrAppend(&text, event.inode, " ", event.pid, " ", event.bytes, " ");
    absl::StrAppend(&text, event.items, " ", event.error, "\n");
  }
  return text;
}

}  // namespace fs
