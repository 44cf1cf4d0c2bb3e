#include "hashcache/command/manifests.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/command/inputs.h"
#include "hashcache/digest/algorithm.h"
#include "hashcache/hasher.h"

namespace hashcache {

namespace {

// Files that are read to find out what 64 digits are.
constexpr int kProbesMax = 16;

// What paths below `directory` begin with.
std::string Within(absl::string_view directory) {
  return absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/");
}

// What the user says 64 digits are.
absl::optional<Algorithm> AlgorithmHint(Run& run, absl::string_view name) {
  if (run.algorithms_given()) {
    if (run.algorithms().Has(Algorithm::kSha256)) return Algorithm::kSha256;
    if (run.algorithms().Has(Algorithm::kBlake3)) return Algorithm::kBlake3;
  }
  const std::string lower = absl::AsciiStrToLower(base::BaseName(name));
  if (absl::StrContains(lower, "sha256")) return Algorithm::kSha256;
  if (absl::StrContains(lower, "blake3") || absl::StrContains(lower, "b3")) return Algorithm::kBlake3;
  return absl::nullopt;
}

// The algorithm under which one of the listed files is as listed. Both are computed in one
// pass, and remembered for the check that follows.
absl::optional<Algorithm> AlgorithmOfFiles(Run& run, const Manifest& manifest, const ManifestReading& reading) {
  const AlgorithmSet both = AlgorithmSet(Algorithm::kBlake3).Add(Algorithm::kSha256);
  absl::optional<Algorithm> found;
  int probes = 0;
  for (const ManifestEntry& entry : manifest.entries) {
    if (found.has_value() || probes == kProbesMax || Run::Interrupted()) break;
    if (!entry.ambiguous || (!reading.root.empty() && EscapesRoot(entry.path))) continue;
    const bool here = reading.root.empty() || (reading.or_here && absl::StartsWith(entry.path, Within(reading.root)));
    const std::string path = here ? entry.path : base::JoinPath(reading.root, entry.path);
    const HashRequest requests[] = {{.path = path, .algorithms = both}};
    const absl::Status hashed = run.hasher().HashBatch(requests, [&](size_t, FileResult&& result) {
      if (!result.digests.algorithms().HasAll(both)) return;
      ++probes;
      // As parsed without knowing better.
      const auto listed = entry.digests.Get(Algorithm::kBlake3);
      for (const Algorithm algorithm : both.List()) {
        const auto digest = result.digests.Get(algorithm);
        if (std::equal(listed.begin(), listed.end(), digest.begin(), digest.end())) found = algorithm;
      }
    });
    if (!hashed.ok()) run.Warn(hashed.message());
  }
  return found;
}

}  // namespace

absl::StatusOr<Manifest> ReadManifest(Run& run, const std::string& name, const ManifestReading& reading) {
  const absl::StatusOr<std::string> text = base::ReadFile(name, kManifestSizeMax);
  if (!text.ok()) return text.status();
  const absl::optional<Algorithm> hint = AlgorithmHint(run, name);
  Manifest manifest = ParseManifest(*text, hint.value_or(Algorithm::kBlake3));
  const bool ambiguous = std::any_of(manifest.entries.begin(), manifest.entries.end(),
                                     [](const ManifestEntry& entry) { return entry.ambiguous; });
  if (hint.has_value() || !ambiguous) return manifest;
  const absl::optional<Algorithm> found = AlgorithmOfFiles(run, manifest, reading);
  if (found.has_value()) {
    if (*found == Algorithm::kBlake3) return manifest;
    if (!reading.silent) run.Warn(absl::StrCat(name, ": its digests are SHA-256, as the files show"));
    return ParseManifest(*text, *found);
  }
  const std::string unknown = absl::StrCat(
      name, ": its lines of 64 digits may be BLAKE3 or SHA-256 and no file is as listed; give -a blake3 or -a sha256");
  if (reading.must_know) return absl::FailedPreconditionError(unknown);
  if (!reading.silent) run.Warn(absl::StrCat(unknown, "; taken for BLAKE3"));
  return manifest;
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

absl::StatusOr<Side> ReadSide(Run& run, const std::string& side, const std::string& root, AlgorithmSet wanted) {
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
  ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(run, side, {.root = root, .or_here = true}));
  for (const auto& bad : manifest.bad_lines) run.Warn(absl::StrCat(side, ": ", bad.line, ": ", bad.reason));
  if (!manifest.bad_lines.empty()) run.Code(kUnreadable);
  if (manifest.truncated) run.Problem(side, absl::DataLossError("the manifest is truncated or was changed"));
  // Names in a plain manifest of a tree begin with its name.
  std::string prefix;
  for (const std::string& top : {manifest.root, root}) {
    if (top.empty() || !prefix.empty()) continue;
    const std::string below = Within(top);
    const bool all = std::all_of(manifest.entries.begin(), manifest.entries.end(),
                                 [&](const ManifestEntry& entry) { return absl::StartsWith(entry.path, below); });
    if (all || top == manifest.root) prefix = below;
  }
  for (ManifestEntry& entry : manifest.entries) {
    absl::string_view path = entry.path;
    absl::ConsumePrefix(&path, prefix);
    while (absl::ConsumePrefix(&path, "./")) {
    }
    result.algorithms.Add(entry.digests.algorithms());
    result.files[std::string(path)] = entry.digests;
  }
  return result;
}

}  // namespace hashcache
