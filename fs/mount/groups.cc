#include "fs/mount/groups.h"

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fs {

std::vector<uint32_t> SupplementaryGroups(pid_t pid) {
  std::vector<uint32_t> groups;
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    if (!absl::StartsWith(line, "Groups:")) continue;
    for (absl::string_view word : absl::StrSplit(line.substr(7), absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      uint32_t group = 0;
      if (absl::SimpleAtoi(word, &group)) groups.push_back(group);
    }
    break;
  }
  return groups;
}

}  // namespace fs
