#include "base/status.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/run.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {
namespace {

constexpr size_t kTokenSizeMax = 4096;

// One token file per tree and set of options.
std::string TokenPath(const Run& run, const std::string& root) {
  if (run.arguments().Has("token-file")) return run.arguments().Get("token-file");
  std::unique_ptr<char, decltype(&std::free)> real(realpath(root.c_str(), nullptr), &std::free);
  const TreeOptions options = run.tree_options();
  std::string key =
      absl::StrCat(real != nullptr ? real.get() : root.c_str(), "\n", options.follow_links, options.one_file_system,
                   options.use_gitignore, options.use_hashcacheignore, options.skip_tagged_caches);
  for (const std::string& pattern : options.ignore) absl::StrAppend(&key, "\n", pattern);
  HashStream stream(Algorithm::kXxh3_128);
  const Digests digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  return base::JoinPath(run.cache_directory(), absl::StrCat("status/", digests.Hex(Algorithm::kXxh3_128)));
}

absl::string_view NameOf(ChangeSet::Change::Kind kind) {
  switch (kind) {
    case ChangeSet::Change::Kind::kAdded:
      return "added";
    case ChangeSet::Change::Kind::kChanged:
      return "changed";
    case ChangeSet::Change::Kind::kRemoved:
      return "removed";
  }
  return "changed";
}

void PrintChanges(Run& run, const std::string& root, const ChangeSet& changes) {
  const bool json = run.arguments().Has("jsonl");
  for (const ChangeSet::Change& change : changes.changes) {
    const std::string path = PathBelow(root, change.path);
    if (json) {
      run.Print(absl::StrCat("{\"change\":\"", NameOf(change.kind), "\",", JsonPath(path), "}\n"));
    } else if (!run.arguments().Has("quiet")) {
      bool escaped = false;
      const std::string name = EscapeName(path, &escaped);
      run.Print(absl::StrCat(escaped ? "\\" : "", NameOf(change.kind), " ", name, "\n"));
    }
  }
}

absl::Status StatusOf(Run& run, const std::string& root) {
  const std::string path = TokenPath(run, root);
  const absl::StatusOr<std::string> stored = base::ReadFile(path, kTokenSizeMax);
  const std::string token = stored.ok() ? std::string(absl::StripAsciiWhitespace(*stored)) : "";
  absl::StatusOr<ChangeSet> changes = run.hasher().ChangedSince(root, token, run.tree_options());
  if (absl::IsInvalidArgument(changes.status())) {
    run.Warn(absl::StrCat(root, ": ", changes.status().message(), "; starting anew"));
    run.Code(kDifferences);
    changes = run.hasher().ChangedSince(root, "", run.tree_options());
  }
  if (!changes.ok()) return base::Annotate(changes.status(), root);
  for (const absl::Status& error : changes->errors) run.Problem(root, error);
  PrintChanges(run, root, *changes);
  if (changes->rescan)
    run.Warn(absl::StrCat(root, ": nothing is known since the last look; everything may have changed"));
  if (changes->rescan || !changes->changes.empty()) run.Code(kDifferences);
  if (!run.arguments().Has("keep") && changes->token != token) {
    RETURN_IF_ERROR(base::MakeDirectories(std::string(base::DirectoryName(path)), 0700));
    RETURN_IF_ERROR(base::ReplaceFile(path, changes->token + "\n", {.mode = 0600}));
  }
  if (run.arguments().Has("quiet")) return absl::OkStatus();
  const std::string looked = absl::StrCat(Counted(changes->files_looked_at, "file"), " looked at");
  if (token.empty()) {
    run.Summary({absl::StrCat(root, ": first look"), looked});
  } else {
    run.Summary({absl::StrCat(root, ": ", Counted(changes->changes.size(), "change")), looked});
  }
  return absl::OkStatus();
}

absl::Status RunStatus(Run& run) {
  std::vector<std::string> roots = run.arguments().positional();
  if (roots.empty()) roots.push_back(".");
  if (roots.size() > 1 && run.arguments().Has("token-file")) {
    return absl::InvalidArgumentError("--token-file goes with one directory");
  }
  for (const std::string& root : roots) {
    const absl::Status status = StatusOf(run, root);
    if (!status.ok() && !Run::Interrupted()) run.Problem(root, status);
  }
  return absl::OkStatus();
}

}  // namespace

base::Command StatusCommand() {
  return {.name = "status",
          .summary = "tell what changed in a tree since the last status",
          .arguments = "[DIR]...",
          .description =
              "Compares names, inodes, sizes and times with those of the last time, without reading any file; on a "
              "cachefs mount the mount itself is asked. The exit code is 0 if nothing changed, 1 if something did. "
              "The first look at a tree only remembers it.",
          .flags = Join({{.name = "quiet", .letter = 'q', .help = "print nothing; the exit code tells"},
                         {.name = "keep", .help = "do not remember this look: the next compares with the same one"},
                         {.name = "token-file", .value = "FILE", .help = "keep the token there, not in the cache"},
                         {.name = "jsonl", .help = "a JSON object per change"}},
                        Join(TreeFlags(), HasherFlags())),
          .examples = {{"hashcache status src || make", "build only if something changed"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, RunStatus); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache
