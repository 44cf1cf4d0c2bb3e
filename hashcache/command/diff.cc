#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/manifests.h"
#include "hashcache/command/run.h"

namespace hashcache {
namespace {

// Reads manifests first, so that trees are hashed with what those hold.
absl::StatusOr<std::pair<Side, Side>> ReadSides(Run& run, const std::string& left, const std::string& right) {
  std::pair<Side, Side> sides;
  AlgorithmSet wanted = run.algorithms();
  bool known = false;
  const auto read = [&](const std::string& name, const std::string& other, Side* side,
                        bool directory) -> absl::Status {
    if (IsDirectory(name) != directory) return absl::OkStatus();
    ASSIGN_OR_RETURN(*side, ReadSide(run, name, IsDirectory(other) ? other : "", wanted));
    const AlgorithmSet common = AlgorithmSet::FromBits(side->algorithms.bits() & wanted.bits());
    if (!directory && !side->files.empty()) {
      wanted = known || run.algorithms_given() ? common : side->algorithms;
      known = true;
    }
    return absl::OkStatus();
  };
  for (const bool directory : {false, true}) {
    RETURN_IF_ERROR(read(left, right, &sides.first, directory));
    RETURN_IF_ERROR(read(right, left, &sides.second, directory));
  }
  if (wanted.empty()) {
    return absl::InvalidArgumentError("the two sides have no algorithm in common");
  }
  return sides;
}

bool Differ(const Digests& a, const Digests& b) {
  const AlgorithmSet common = AlgorithmSet::FromBits(a.algorithms().bits() & b.algorithms().bits());
  return common.empty() || !(a.Only(common) == b.Only(common));
}

absl::Status Diff(Run& run) {
  const std::vector<std::string>& names = run.arguments().positional();
  if (names.size() != 2) return absl::InvalidArgumentError("diff takes two manifests or directories");
  ASSIGN_OR_RETURN(const auto sides, ReadSides(run, names[0], names[1]));
  const auto& [left, right] = sides;
  const bool json = run.arguments().Has("jsonl");
  uint64_t added = 0, removed = 0, changed = 0;
  const auto show = [&](absl::string_view kind, const std::string& path) {
    run.Code(kDifferences);
    if (json) {
      run.Print(absl::StrCat("{\"change\":\"", kind, "\",", JsonPath(path), "}\n"));
      return;
    }
    bool escaped = false;
    const std::string name = EscapeName(path, &escaped);
    run.Print(absl::StrCat(escaped ? "\\" : "", kind, " ", name, "\n"));
  };
  auto a = left.files.begin();
  auto b = right.files.begin();
  while (a != left.files.end() || b != right.files.end()) {
    if (b == right.files.end() || (a != left.files.end() && a->first < b->first)) {
      ++removed;
      show("removed", (a++)->first);
    } else if (a == left.files.end() || b->first < a->first) {
      ++added;
      show("added", (b++)->first);
    } else {
      if (Differ(a->second, b->second)) {
        ++changed;
        show("changed", a->first);
      }
      ++a;
      ++b;
    }
  }
  run.Summary({absl::StrCat(base::HumanCount(added), " added"), absl::StrCat(base::HumanCount(removed), " removed"),
               absl::StrCat(base::HumanCount(changed), " changed")});
  return absl::OkStatus();
}

}  // namespace

base::Command DiffCommand() {
  return {.name = "diff",
          .summary = "compare two manifests, two trees, or one of each",
          .arguments = "OLD NEW",
          .description =
              "Prints a line for each file that was added, removed or changed, in the order of the names. A tree is "
              "hashed with the algorithms of the manifest it is compared with.",
          .flags = Join({{.name = "jsonl", .help = "a JSON object per line"}}, Join(TreeFlags(), HasherFlags())),
          .examples = {{"hashcache diff yesterday.hashcache /srv/data", "what changed since"},
                       {"hashcache diff build-a build-b", "are two builds the same"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, Diff); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache
