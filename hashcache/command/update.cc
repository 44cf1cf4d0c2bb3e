#include <map>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/inputs.h"
#include "hashcache/command/manifests.h"
#include "hashcache/command/run.h"

namespace hashcache {
namespace {

struct Changes {
  uint64_t same = 0, changed = 0, added = 0, removed = 0, kept = 0;
};

// A listed file that cannot be read keeps its line: an update never forgets by accident.
FileResult Listed(const ManifestEntry& entry) {
  FileResult result;
  result.digests = entry.digests;
  if (entry.fingerprint.has_value()) result.fingerprint = *entry.fingerprint;
  result.outcome = Outcome::kHashed;
  return result;
}

class Update {
 public:
  Update(Run& run, const std::string& name, Manifest manifest)
      : run_(run), name_(name), manifest_(std::move(manifest)) {
    for (const ManifestEntry& entry : manifest_.entries) old_.emplace(entry.path, &entry);
  }

  absl::Status Go(const std::vector<std::string>& directories) {
    run_.UseAlgorithms(manifest_.algorithms);
    std::vector<std::string> roots = directories;
    const bool whole = roots.empty() && manifest_.recursive && !manifest_.root.empty();
    if (whole) roots.push_back(manifest_.root);
    std::map<std::string, FileResult> found;
    RETURN_IF_ERROR(HashInputs(
        run_, roots, true,
        [&](absl::string_view path, FileResult&& result) { found[std::string(path)] = std::move(result); }, {name_}));
    std::vector<std::string> others;
    for (const ManifestEntry& entry : manifest_.entries) {
      if (found.count(entry.path) == 0) others.push_back(entry.path);
    }
    RETURN_IF_ERROR(HashInputs(run_, others, false, [&](absl::string_view path, FileResult&& result) {
      found[std::string(path)] = std::move(result);
    }));
    if (Run::Interrupted()) return absl::OkStatus();  // the manifest stays as it was
    return Write(found, !roots.empty());
  }

 private:
  // In the order there was, or of the names if there are new ones.
  absl::Status Write(const std::map<std::string, FileResult>& found, bool by_name) {
    ManifestWriter writer({.format = manifest_.format,
                           .algorithms = manifest_.algorithms,
                           .root = manifest_.root,
                           .recursive = manifest_.recursive});
    std::string text = writer.Header();
    const auto add = [&](const std::string& path, const FileResult& result) {
      const auto listed = old_.find(path);
      const bool known = listed != old_.end();
      if (absl::IsNotFound(result.status)) {
        if (known) ++changes_.removed;
        return;
      }
      if (!run_.Count(path, result)) {
        if (!known) return;
        ++changes_.kept;
        absl::StrAppend(&text, writer.Entry(path, Listed(*listed->second)));
        return;
      }
      const bool same = known && listed->second->digests == result.digests.Only(listed->second->digests.algorithms());
      ++(!known ? changes_.added : same ? changes_.same : changes_.changed);
      absl::StrAppend(&text, writer.Entry(path, result));
    };
    if (by_name) {
      for (const auto& [path, result] : found) add(path, result);
    } else {
      for (const ManifestEntry& entry : manifest_.entries) add(entry.path, found.at(entry.path));
    }
    absl::StrAppend(&text, writer.Footer());
    RETURN_IF_ERROR(base::ReplaceFile(name_, text, {.durable = true}));
    run_.Summary({absl::StrCat(base::HumanCount(changes_.same), " unchanged"),
                  absl::StrCat(base::HumanCount(changes_.changed), " changed"),
                  absl::StrCat(base::HumanCount(changes_.added), " added"),
                  absl::StrCat(base::HumanCount(changes_.removed), " removed")});
    return absl::OkStatus();
  }

  Run& run_;
  const std::string& name_;
  const Manifest manifest_;
  std::map<absl::string_view, const ManifestEntry*> old_;
  Changes changes_;
};

absl::Status RunUpdate(Run& run) {
  const std::vector<std::string>& names = run.arguments().positional();
  if (names.empty())
    return absl::InvalidArgumentError("update takes a manifest, and directories to look for new files in");
  ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(run, names[0], {.must_know = true}));
  if (manifest.truncated || !manifest.bad_lines.empty()) {
    for (const auto& bad : manifest.bad_lines) run.Warn(absl::StrCat(names[0], ": ", bad.line, ": ", bad.reason));
    return absl::DataLossError(absl::StrCat(names[0], ": the manifest is damaged and is left as it is"));
  }
  if (manifest.entries.empty() && manifest.algorithms.empty()) manifest.algorithms = run.order();
  return Update(run, names[0], std::move(manifest)).Go({names.begin() + 1, names.end()});
}

}  // namespace

base::Command UpdateCommand() {
  return {.name = "update",
          .summary = "bring a manifest up to date in place",
          .arguments = "MANIFEST [DIR]...",
          .description =
              "Hashes the files that the manifest lists and replaces it, in its own format, atomically and durably. "
              "Files that are gone are dropped; those that cannot be read keep their line. New files are added from "
              "the DIRs, or from the tree that a --jsonl or --json manifest of one tree names. A damaged manifest, and "
              "one whose algorithm cannot be told, is left alone.",
          .flags = Join(TreeFlags(), HasherFlags()),
          .examples = {{"hashcache update src.hashcache", "a manifest made by sum -r --jsonl src"},
                       {"hashcache update SHA256SUMS dist", "with the new files below dist"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, RunUpdate); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache
