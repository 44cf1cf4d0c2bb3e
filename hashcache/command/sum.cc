#include "base/status_macros.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/inputs.h"
#include "hashcache/command/run.h"
#include "hashcache/manifest/manifest.h"

namespace hashcache {
namespace {

absl::StatusOr<ManifestFormat> FormatOf(const base::Arguments& arguments, const std::vector<Algorithm>& order) {
  std::vector<ManifestFormat> given;
  if (arguments.Has("tag")) given.push_back(ManifestFormat::kTag);
  if (arguments.Has("zero")) given.push_back(ManifestFormat::kZero);
  if (arguments.Has("json")) given.push_back(ManifestFormat::kJson);
  if (arguments.Has("jsonl")) given.push_back(ManifestFormat::kJsonl);
  if (given.size() > 1) return absl::InvalidArgumentError("--tag, --zero, --json and --jsonl exclude each other");
  if (!given.empty()) return given[0];
  // Plain lines do not tell one algorithm from another, nor XXH3 from XXH64.
  const bool plain = order.size() == 1 && order[0] != Algorithm::kXxh3_64;
  return plain || arguments.Has("no-names") ? ManifestFormat::kGnu : ManifestFormat::kTag;
}

absl::Status Sum(Run& run) {
  const base::Arguments& arguments = run.arguments();
  ASSIGN_OR_RETURN(const ManifestFormat format, FormatOf(arguments, run.order()));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, InputNames(arguments));
  const bool recursive = arguments.Has("recursive");
  const bool json = format == ManifestFormat::kJson || format == ManifestFormat::kJsonl;
  ManifestWriter::Options options = {.format = format,
                                     .algorithms = run.order(),
                                     .names = !arguments.Has("no-names"),
                                     .binary = arguments.Has("binary")};
  if (recursive && names.size() == 1) {
    options.root = names[0];
    options.recursive = true;
  }
  // xxhsum calls standard input so.
  const bool as_xxhsum = !json && run.order().size() == 1 &&
                         (run.order()[0] == Algorithm::kXxh3_64 || run.order()[0] == Algorithm::kXxh3_128);
  ManifestWriter writer(options);
  run.Print(writer.Header());
  const absl::Status status = HashInputs(run, names, recursive, [&](absl::string_view path, FileResult&& result) {
    const bool usable = run.Count(path, result);
    if (usable || (json && !Run::Interrupted())) {
      run.Print(writer.Entry(path == "-" && as_xxhsum ? "stdin" : path, result));
    }
  });
  // An interrupted listing has no last line, so that it does not pass for a whole one.
  if (!Run::Interrupted()) run.Print(writer.Footer());
  return status;
}

}  // namespace

base::Command SumCommand() {
  std::vector<base::Flag> flags = {
      {.name = "tag", .help = "lines as BSD has them: BLAKE3 (name) = digest"},
      {.name = "zero", .letter = 'z', .help = "end lines with NUL and do not escape names"},
      {.name = "json", .help = "one JSON document"},
      {.name = "jsonl", .help = "a JSON object per line, between a header and a last line that seals them"},
      {.name = "no-names", .help = "digests only"},
      {.name = "binary", .letter = 'b', .help = "mark names with * as sha256sum -b does"},
      {.name = "text", .letter = 't', .help = "accepted and without effect, as in coreutils"},
  };
  return {.name = "sum",
          .summary = "print digests of files, trees or standard input",
          .arguments = "[FILE]...",
          .description =
              "Prints a line for each file, in the order of the arguments and, in trees, of the paths' bytes, "
              "whatever the number of threads. Names are escaped as coreutils does. With several algorithms the "
              "lines are tagged.\n\n"
              "Unchanged files are not read again: see the section on the cache in the manual.",
          .flags = Join(Join(flags, InputFlags()), Join(TreeFlags(), HasherFlags())),
          .examples = {{"hashcache sum *.iso", "BLAKE3, as b3sum prints it"},
                       {"hashcache sum -a sha256,crc32c --tag dist/app.tar", "two algorithms in one pass"},
                       {"hashcache sum -r --jsonl src > src.hashcache", "a manifest of a tree"},
                       {"find . -name '*.c' -print0 | hashcache sum --files-from=- -0", "names from another program"}},
          .run = [](const base::Arguments& arguments) { return WithRun(arguments, true, Sum); },
          .usage_error_code = kUsage};
}

}  // namespace hashcache
