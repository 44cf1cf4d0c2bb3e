#include "fs/mount/event_log.h"

#include <utility>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace fs {
namespace {

const char* KindName(MountEvent::Kind kind) {
  switch (kind) {
    case MountEvent::Kind::kEvicted: return "evicted";
    case MountEvent::Kind::kExpired: return "expired";
    case MountEvent::Kind::kError: return "error";
    case MountEvent::Kind::kNote: return "note";
  }
  return "";
}

}  // namespace

void EventLog::Add(MountEvent event) {
  if (event.path.size() > kTextBytesMax) event.path.resize(kTextBytesMax);
  if (event.message.size() > kTextBytesMax) event.message.resize(kTextBytesMax);
  const int64_t now = clock_.NowNs();
  base::MutexLock lock(&mutex_);
  ++added_;
  entries_.push_back({now, std::move(event)});
  if (entries_.size() > kEventsMax) entries_.pop_front();
}

uint64_t EventLog::count() const {
  base::MutexLock lock(&mutex_);
  return added_;
}

std::string EventLog::Text(uint64_t after) const {
  std::string text;
  base::MutexLock lock(&mutex_);
  uint64_t number = added_ - entries_.size();
  for (const Entry& entry : entries_) {
    if (++number <= after) continue;
    const MountEvent& event = entry.event;
    const std::string time =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixNanos(entry.time_ns), absl::UTCTimeZone());
    nlohmann::ordered_json line = {{"number", number}, {"time", time}, {"kind", KindName(event.kind)}};
    if (!event.path.empty()) line["path"] = event.path;
    if (event.inode != 0) line["inode"] = event.inode;
    if (event.size_bytes != 0) line["size_bytes"] = event.size_bytes;
    if (!event.message.empty()) line["message"] = event.message;
    // Names are bytes: what is not UTF-8 shows as U+FFFD.
    text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return text;
}

}  // namespace fs
