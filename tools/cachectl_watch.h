// cachectl stats, events, map, trace: what a running mount does and holds.
//
// Threads: no state.
#ifndef TOOLS_CACHECTL_WATCH_H_
#define TOOLS_CACHECTL_WATCH_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/command_line.h"
#include "fs/mount/statistics.pb.h"

namespace tools {

std::vector<base::Command> WatchCommands();

// What changed between two looks: rates, hit ratios and the slowest requests of that time. One line,
// under WatchHead().
std::string WatchHead();
std::string WatchLine(const fs::Statistics& before, const fs::Statistics& now);
// A line of `.cachefs/events` for people; as it is if it cannot be read.
std::string EventLine(absl::string_view json);

}  // namespace tools

#endif  // TOOLS_CACHECTL_WATCH_H_
