// The rules of this codebase that a program can check.
//
// Each rule has a name, which a finding carries and which a line may waive with
// a reason: "// tidy: long-file: one table, read top to bottom".
// Threads: no state.
// Source:  docs/HACKING.md, "Rules".
#ifndef TOOLS_TIDY_H_
#define TOOLS_TIDY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tools {

struct Finding {
  std::string path;
  size_t line = 0;  // from 1; 0 = the file as a whole
  std::string rule;
  std::string message;
};

constexpr size_t kFunctionLinesMax = 70;
constexpr size_t kHeaderLinesMax = 300;
constexpr size_t kSourceLinesMax = 500;

// Findings in one file; `path` is relative to the root of the workspace.
std::vector<Finding> TidyFile(absl::string_view path, absl::string_view text);

// Whether the BUILD file `build` names the source `name`.
bool BuildNames(absl::string_view build, absl::string_view name);

// Findings in the whole tree below `root`: each file's, files in no target, and
// rooms without a README.
absl::StatusOr<std::vector<Finding>> TidyTree(const std::string& root);

std::string FormatFinding(const Finding& finding);

}  // namespace tools

#endif  // TOOLS_TIDY_H_
