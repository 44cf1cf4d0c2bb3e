// cachectl policy: what directories of a mount keep, for how long and how much.
//
// Threads: no state.
#ifndef TOOLS_CACHECTL_POLICY_H_
#define TOOLS_CACHECTL_POLICY_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/command_line.h"
#include "fs/mount/statistics.pb.h"

namespace tools {

base::Command PolicyCommand();

// "quota=10G" as field and value, checked as the mount checks it; an empty value takes the field away.
// InvalidArgument says what would have been right.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseAssignments(
    const std::vector<std::string>& words);
// A field's value as the mount tells it, for people: "10.0 GiB", "7d 00h".
std::string HumanField(const std::string& field, const std::string& value);
// One line for each policy, and a head.
std::string PolicyTable(const fs::Statistics& statistics);

}  // namespace tools

#endif  // TOOLS_CACHECTL_POLICY_H_
