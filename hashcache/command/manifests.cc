#include "hashcache/command/manifests.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/command/inputs.h"

namespace hashcache {

Algorithm AlgorithmHint(absl::string_view algorithms, bool given, absl::string_view name) {
  if (given && absl::StrContains(absl::AsciiStrToLower(algorithms), "sha")) return Algorithm::kSha256;
  if (given) return Algorithm::kBlake3;
  const std::string lower = absl::AsciiStrToLower(base::BaseName(name));
  return absl::StrContains(lower, "sha256") ? Algorithm::kSha256 : Algorithm::kBlake3;
}

absl::StatusOr<Manifest> ReadManifest(const std::string& name, Algorithm hint) {
  const absl::StatusOr<std::string> text = base::ReadFile(name, kManifestSizeMax);
  if (!text.ok()) return base::Annotate(text.status(), name);
  return ParseManifest(*text, hint);
}

bool EscapesRoot(absl::string_view path) {
  if (absl::StartsWith(path, "/")) return true;
  int depth = 0;
  for (const absl::string_view component : absl::StrSplit(path, '/')) {
    if (component == "..") --depth;
    if (component != ".." && component != "." && !component.empty()) ++depth;
    if (depth < 0) return true;
  }
  return false;
}

bool IsDirectory(const std::string& path) {
  struct stat attributes;
  return stat(path.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode);
}

absl::StatusOr<Side> ReadSide(Run& run, const std::string& side, AlgorithmSet wanted) {
  Side result;
  if (IsDirectory(side)) {
    const std::vector<Algorithm> order = run.order();
    run.UseAlgorithms(wanted.List());
    const absl::Status status = HashInputs(run, {side}, true, [&](absl::string_view path, FileResult&& file) {
      // A file that could not be read is not gone: it differs from anything.
      const bool usable = run.Count(path, file);
      path.remove_prefix(PathBelow(side, "x").size() - 1);
      result.files[std::string(path)] = usable ? file.digests : Digests();
    });
    run.UseAlgorithms(order);
    result.algorithms = wanted;
    RETURN_IF_ERROR(status);
    return result;
  }
  ASSIGN_OR_RETURN(Manifest manifest,
                   ReadManifest(side, AlgorithmHint(run.arguments().Get("algorithm"), run.algorithms_given(), side)));
  for (const auto& bad : manifest.bad_lines) run.Warn(absl::StrCat(side, ": ", bad.line, ": ", bad.reason));
  if (!manifest.bad_lines.empty()) run.Code(kUnreadable);
  if (manifest.truncated) run.Problem(side, absl::DataLossError("the manifest is truncated or was changed"));
  const std::string prefix = manifest.root.empty() ? "" : PathBelow(manifest.root, "x");
  for (ManifestEntry& entry : manifest.entries) {
    absl::string_view path = entry.path;
    if (!prefix.empty()) absl::ConsumePrefix(&path, absl::string_view(prefix).substr(0, prefix.size() - 1));
    while (absl::ConsumePrefix(&path, "./")) {
    }
    result.algorithms.Add(entry.digests.algorithms());
    result.files[std::string(path)] = entry.digests;
  }
  return result;
}

}  // namespace hashcache
