#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/inputs.h"
#include "hashcache/command/manifests.h"
#include "hashcache/command/run.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {
namespace {

struct Tally {
  uint64_t ok = 0, changed = 0, corrupt = 0, missing = 0, fresh = 0, unreadable = 0, bad_lines = 0;
};

// The checking of one manifest.
class Check {
 public:
  Check(Run& run, Tally* tally)
      : run_(run),
        tally_(*tally),
        quiet_(run.arguments().Has("quiet")),
        silent_(run.arguments().Has("status")),
        ignore_missing_(run.arguments().Has("ignore-missing")) {}

  absl::Status Manifest(const std::string& name) {
    ASSIGN_OR_RETURN(const hashcache::Manifest manifest,
                     ReadManifest(run_, name, {.root = run_.arguments().Get("root"), .silent = silent_}));
    ReportBadLines(name, manifest);
    const std::vector<const ManifestEntry*> entries = Usable(name, manifest);
    if (manifest.entries.empty()) {
      run_.Problem(name, absl::InvalidArgumentError("no properly formatted checksum lines found"));
      run_.Code(kDifferences);
      return absl::OkStatus();
    }
    run_.ExpectBytes(TotalBytes(entries));
    HashEntries(entries);
    return LookForNew(name, manifest);
  }

 private:
  void ReportBadLines(const std::string& name, const hashcache::Manifest& manifest) {
    tally_.bad_lines += manifest.bad_lines.size();
    if (run_.arguments().Has("warn") || run_.arguments().Has("strict")) {
      for (const auto& bad : manifest.bad_lines) run_.Warn(absl::StrCat(name, ": ", bad.line, ": ", bad.reason));
    }
    if (run_.arguments().Has("strict") && !manifest.bad_lines.empty()) run_.Code(kDifferences);
    if (manifest.truncated) {
      run_.Problem(name,
                   absl::DataLossError("the manifest is truncated or was changed; its lines are checked all the same"));
    }
  }

  std::string Located(const std::string& path) const {
    const std::string root = run_.arguments().Get("root");
    return root.empty() ? path : base::JoinPath(root, path);
  }

  std::vector<const ManifestEntry*> Usable(const std::string& name, const hashcache::Manifest& manifest) {
    std::vector<const ManifestEntry*> entries;
    for (const ManifestEntry& entry : manifest.entries) {
      if (!run_.arguments().Get("root").empty() && EscapesRoot(entry.path)) {
        run_.Problem(name,
                     absl::InvalidArgumentError(absl::StrCat(entry.line, ": leads outside --root: ", entry.path)));
        ++tally_.unreadable;
        continue;
      }
      entries.push_back(&entry);
    }
    return entries;
  }

  // 0 = not known: text manifests tell no sizes.
  static uint64_t TotalBytes(absl::Span<const ManifestEntry* const> entries) {
    uint64_t total = 0;
    for (const ManifestEntry* const entry : entries) {
      if (!entry->fingerprint.has_value()) return 0;
      total += entry->fingerprint->size_bytes;
    }
    return total;
  }

  void HashEntries(absl::Span<const ManifestEntry* const> entries) {
    constexpr size_t kBatchSize = 16384;
    for (size_t first = 0; first < entries.size() && !Run::Interrupted(); first += kBatchSize) {
      const auto part = entries.subspan(first, kBatchSize);
      std::vector<std::string> paths;
      std::vector<HashRequest> requests;
      for (const ManifestEntry* const entry : part) paths.push_back(Located(entry->path));
      for (size_t i = 0; i < part.size(); ++i) {
        requests.push_back({.path = paths[i], .algorithms = part[i]->digests.algorithms()});
      }
      const absl::Status status =
          run_.hasher().HashBatch(requests, [&](size_t i, FileResult&& result) { Compare(*part[i], result); });
      if (!status.ok()) run_.Warn(status.message());
    }
  }

  void Say(absl::string_view path, absl::string_view verdict) {
    if (silent_) return;
    // As coreutils: here a '\\' alone does not need it.
    bool escaped = path.find_first_of("\n\r") != absl::string_view::npos;
    const std::string name = escaped ? EscapeName(path, &escaped) : std::string(path);
    run_.Print(absl::StrCat(escaped ? "\\" : "", name, ": ", verdict, "\n"));
  }

  void Compare(const ManifestEntry& entry, const FileResult& result) {
    if (Run::Interrupted() && !result.status.ok()) return;
    if (absl::IsNotFound(result.status)) {
      if (ignore_missing_) return;
      ++tally_.missing;
      run_.Code(kDifferences);
      Say(entry.path, "FAILED (missing)");
      return;
    }
    if (!run_.Count(entry.path, result)) {
      ++tally_.unreadable;
      Say(entry.path, "FAILED open or read");
      return;
    }
    checked_ = true;
    if (result.digests.Only(entry.digests.algorithms()) == entry.digests) {
      ++tally_.ok;
      if (!quiet_) Say(entry.path, "OK");
      return;
    }
    run_.Code(kDifferences);
    // The same times and size with other bytes: nobody wrote it, it rotted.
    const bool same_file = entry.fingerprint.has_value() && entry.fingerprint->inode == result.fingerprint.inode &&
                           entry.fingerprint->size_bytes == result.fingerprint.size_bytes &&
                           entry.fingerprint->mtime_ns == result.fingerprint.mtime_ns &&
                           entry.fingerprint->ctime_ns == result.fingerprint.ctime_ns;
    ++(same_file ? tally_.corrupt : tally_.changed);
    Say(entry.path, same_file ? "FAILED (corrupt)" : "FAILED (changed)");
  }

  // Files below the manifest's root, or --new's directories, that it does not list.
  absl::Status LookForNew(const std::string& name, const hashcache::Manifest& manifest) {
    std::vector<std::string> roots = run_.arguments().GetAll("new");
    if (roots.empty() && manifest.recursive && !manifest.root.empty()) roots.push_back(manifest.root);
    if (roots.empty() || ignore_missing_ || Run::Interrupted()) return absl::OkStatus();
    absl::flat_hash_set<absl::string_view> listed;
    for (const ManifestEntry& entry : manifest.entries) listed.insert(entry.path);
    const std::vector<Algorithm> order = run_.order();
    run_.UseAlgorithms({});  // only look
    std::vector<std::string> located;
    for (const std::string& root : roots) located.push_back(Located(root));
    const size_t prefix = Located("x").size() - 1;
    const absl::Status status = HashInputs(run_, located, true,
                                           [&](absl::string_view path, FileResult&&) {
                                             const absl::string_view below =
                                                 path.substr(run_.arguments().Get("root").empty() ? 0 : prefix);
                                             if (listed.contains(below)) return;
                                             ++tally_.fresh;
                                             run_.Code(kDifferences);
                                             Say(below, "NEW");
                                           },
                                           {name});
    run_.UseAlgorithms(order);
    return status;
  }

  Run& run_;
  Tally& tally_;
  const bool quiet_, silent_, ignore_missing_;
  bool checked_ = false;
};

absl::Status RunCheck(Run& run) {
  Tally tally;
  std::vector<std::string> names = run.arguments().positional();
  if (names.empty()) names.push_back("-");
  for (const std::string& name : names) {
    if (Run::Interrupted()) break;
    const absl::Status status = Check(run, &tally).Manifest(name);
    if (!status.ok()) run.Problem(name, status);
  }
  if (run.arguments().Has("ignore-missing") && tally.ok + tally.changed + tally.corrupt == 0 && !Run::Interrupted()) {
    run.Problem(names[0], absl::NotFoundError("no file was verified"));
    run.Code(kDifferences);
  }
  if (!run.arguments().Has("status")) {
    std::vector<std::string> parts = {absl::StrCat(base::HumanCount(tally.ok), " ok")};
    const auto add = [&parts](uint64_t count, absl::string_view what) {
      if (count > 0) parts.push_back(absl::StrCat(base::HumanCount(count), " ", what));
    };
    add(tally.changed, "changed");
    add(tally.corrupt, "corrupt");
    add(tally.missing, "missing");
    add(tally.fresh, "new");
    add(tally.unreadable, "unreadable");
    add(tally.bad_lines, tally.bad_lines == 1 ? "line not understood" : "lines not understood");
    run.Summary(parts);
  }
  return absl::OkStatus();
}

}  // namespace

base::Command CheckCommand() {
  std::vector<base::Flag> flags = {
      {.name = "ignore-missing", .help = "say nothing of files that are not there, and do not look for new ones"},
      {.name = "quiet", .letter = 'q', .help = "say nothing of files that are as listed"},
      {.name = "status", .help = "say nothing; the exit code tells"},
      {.name = "warn", .letter = 'w', .help = "say which lines are not understood"},
      {.name = "root", .value = "DIR", .help = "names are relative to DIR and must not lead out of it"},
      {.name = "new", .value = "DIR", .help = "report files below DIR that are not listed; repeatable"},
  };
  return {.name = "check",
          .summary = "compare files with manifests in any format",
          .arguments = "[MANIFEST]...",
          .description =
              "Reads what sum, sha256sum, b3sum, xxhsum (plain, --tag, -z) and hashcache (--json, --jsonl) write, and "
              "says for each file OK, FAILED (changed), FAILED (corrupt: other bytes under the same inode, size and "
              "times), FAILED (missing), or NEW (not listed; for manifests of whole trees, or with --new).\n\n"
              "A plain line of 64 digits is BLAKE3 or SHA-256: as -a says, else as the manifest's name says "
              "(sha256, blake3, b3), else whichever one of the first listed files is found to have. With --strict a line that is not understood counts as a difference.",
          .flags = Join(Join(flags, TreeFlags()), HasherFlags()),
          .examples = {{"hashcache check SHA256SUMS", "as sha256sum -c"},
                       {"hashcache check -q src.hashcache", "only what is wrong, and the summary"},
                       {"hashcache check --root=/srv/data --new=. data.b3", "elsewhere, with files not listed"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, RunCheck); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache
