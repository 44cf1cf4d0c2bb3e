// A trace of a mount (`.cachefs/trace`) as what chrome://tracing and Perfetto read.
//
// Shape:   complete events in three rows of lanes: requests, batch frames, the engine's work. Events
//          that overlap get lanes of their own, the lowest that is free.
// Threads: thread-compatible.
// Source:  "Trace Event Format", JSON object form, phase X.
#ifndef TOOLS_CHROME_TRACE_H_
#define TOOLS_CHROME_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tools {

struct TracedEvent {
  uint64_t number = 0;
  std::string kind;  // "request", "frame", "engine"
  std::string name;
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  uint64_t inode = 0;  // the number of the batch, for the engine
  uint64_t pid = 0;
  uint64_t bytes = 0;
  uint64_t items = 0;
  int64_t error = 0;
};

// Gathers what reading the trace again and again gives.
class TraceCollector {
 public:
  // DataLoss if a line is not what the daemon writes. What was seen already counts once.
  absl::Status Add(absl::string_view text);
  uint64_t last_number() const { return last_number_; }
  // How many were pushed out between two readings.
  uint64_t missed() const { return missed_; }
  const std::vector<TracedEvent>& events() const { return events_; }

 private:
  std::vector<TracedEvent> events_;
  uint64_t last_number_ = 0;
  uint64_t missed_ = 0;
};

std::string ChromeTrace(const std::vector<TracedEvent>& events, absl::string_view title);

}  // namespace tools

#endif  // TOOLS_CHROME_TRACE_H_
