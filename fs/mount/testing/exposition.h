// A strict reader of Prometheus' text format: what promtool would refuse or complain of is a problem.
//
// Checks:  names, label names, escapes and numbers; one HELP and one TYPE line for each family,
//          before its samples; families in one piece, no sample twice, the same labels throughout;
//          counters end in _total and nothing else does, base units, no reserved suffixes or labels;
//          histograms have ascending bounds, counts that never fall, +Inf equal to _count, a _sum.
// Threads: no state.
// Source:  prometheus.io, "Exposition formats" 0.0.4; promlint's rules.
#ifndef FS_MOUNT_TESTING_EXPOSITION_H_
#define FS_MOUNT_TESTING_EXPOSITION_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace fs {
namespace testing {

struct ExpositionSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct ExpositionFamily {
  std::string name;
  std::string type;
  std::string help;
  std::vector<ExpositionSample> samples;
};

struct Exposition {
  std::map<std::string, ExpositionFamily> families;
  std::vector<std::string> problems;  // "line 7: ..."
};

Exposition ReadExposition(absl::string_view text);

}  // namespace testing
}  // namespace fs

#endif  // FS_MOUNT_TESTING_EXPOSITION_H_
