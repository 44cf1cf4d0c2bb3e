// The common flags: what they are, and reading them.
#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "base/units.h"
#include "marc/command/job.h"

namespace marc {

std::vector<base::Flag> JobFlags() {
  return {
      {.name = "output",
       .letter = 'o',
       .value = "FILE",
       .help = "write there, atomically; .gz and .zst compress",
       .fallback = "-"},
      {.name = "from",
       .value = "FORMAT",
       .help = "format of the input",
       .fallback = "auto",
       .choices = {"auto", "marc", "marcxml", "json", "ndjson", "mrk", "csv", "tsv"}},
      {.name = "to",
       .value = "FORMAT",
       .help = "format of the output; auto goes by its name, then by the input",
       .fallback = "auto",
       .choices = {"auto", "marc", "marcxml", "json", "ndjson", "mrk"}},
      {.name = "where", .value = "CONDITION", .help = "only records for which it holds"},
      {.name = "offset", .value = "N", .help = "leave out the first N records", .fallback = "0"},
      {.name = "limit", .value = "N", .help = "stop behind N records"},
      {.name = "jobs",
       .letter = 'j',
       .value = "N",
       .help = "threads; the output is the same for any number",
       .fallback = "all CPUs"},
      {.name = "strict", .help = "stop at the first record with an error"},
      {.name = "salvage", .help = "read what can be read, also by guess"},
      {.name = "coding",
       .value = "FROM:TO",
       .help = "auto, marc8, utf8, latin1 for each; FROM auto is leader/09",
       .fallback = "auto:auto"},
      {.name = "normalize", .value = "FORM", .help = "Unicode normal form", .choices = {"nfc", "nfd"}},
      {.name = "oversize",
       .value = "POLICY",
       .help = "records and fields too long for ISO 2709: report them, split them, or write them as MARCXML only",
       .fallback = "error",
       .choices = {"error", "split", "xml"}},
      {.name = "oversize-output", .value = "FILE", .help = "where --oversize xml writes them"},
      {.name = "rebuild", .help = "write a new directory also for records that did not change"},
      {.name = "map", .help = "map input files instead of reading them; for files that nobody truncates meanwhile"},
      {.name = "mapping", .value = "FILE", .help = "which column of a table goes where"},
      {.name = "rejects", .value = "FILE", .help = "keep rejected records there as they were"},
      {.name = "report", .value = "FILE", .help = "problems as NDJSON"},
      {.name = "max-per-code",
       .value = "N",
       .help = "show so many problems of a code; all are counted",
       .fallback = "20"},
      {.name = "quiet", .letter = 'q', .help = "no problems on stderr"},
      {.name = "progress",
       .value = "HOW",
       .help = "a line on a terminal, or NDJSON on stderr",
       .fallback = "auto",
       .choices = {"auto", "json", "none"}},
  };
}

namespace {

absl::Status ReadFormats(const base::Arguments& arguments, JobOptions* options) {
  const std::string from = arguments.Get("from");
  if (from == "csv" || from == "tsv") {
    options->from_table = from == "csv" ? TableKind::kCsv : TableKind::kTsv;
    if (!arguments.Has("mapping")) return absl::InvalidArgumentError("--from csv and tsv want --mapping FILE");
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(arguments.Get("mapping"), base::kMiB));
    ASSIGN_OR_RETURN(options->mapping, TableMapping::Parse(text));
    for (const std::string& input : options->inputs) {
      if (input == "-") return absl::InvalidArgumentError("a table is read from a file, not from standard input");
    }
  } else {
    ASSIGN_OR_RETURN(options->from, ParseFormat(from));
  }
  ASSIGN_OR_RETURN(options->to, ParseFormat(arguments.Get("to")));
  const std::vector<std::string> codings = absl::StrSplit(arguments.Get("coding"), ':');
  if (codings.size() != 2) return absl::InvalidArgumentError("--coding wants FROM:TO, such as marc8:utf8");
  ASSIGN_OR_RETURN(options->coding.from, ParseCoding(codings[0]));
  ASSIGN_OR_RETURN(options->coding.to, ParseCoding(codings[1]));
  if (arguments.Has("normalize")) {
    options->coding.normalization = arguments.Get("normalize") == "nfc" ? Normalization::kNfc : Normalization::kNfd;
  }
  return absl::OkStatus();
}

absl::Status ReadOversize(const base::Arguments& arguments, JobOptions* options) {
  const std::string policy = arguments.Get("oversize");
  if (policy == "split") options->iso2709.oversize = OversizePolicy::kSplit;
  if (policy == "xml") options->iso2709.oversize = OversizePolicy::kOther;
  if ((policy == "xml") != arguments.Has("oversize-output")) {
    return absl::InvalidArgumentError("--oversize xml and --oversize-output FILE go together");
  }
  options->oversize_output = arguments.Get("oversize-output");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JobOptions> ReadJobOptions(const base::Arguments& arguments) {
  JobOptions options;
  options.inputs = arguments.positional();
  if (options.inputs.empty()) options.inputs.push_back("-");
  options.output = arguments.Get("output");
  RETURN_IF_ERROR(ReadFormats(arguments, &options));
  if (arguments.Has("strict") && arguments.Has("salvage")) {
    return absl::InvalidArgumentError("--strict and --salvage exclude each other");
  }
  if (arguments.Has("strict")) options.strictness = Strictness::kStrict;
  if (arguments.Has("salvage")) options.strictness = Strictness::kSalvage;
  options.threads = base::DefaultParallelism();
  if (arguments.Has("jobs")) {
    ASSIGN_OR_RETURN(const int64_t jobs, arguments.GetInt("jobs", 1, 256));
    options.threads = static_cast<size_t>(jobs);
  }
  ASSIGN_OR_RETURN(const int64_t offset, arguments.GetInt("offset", 0, INT64_MAX));
  options.offset = static_cast<uint64_t>(offset);
  if (arguments.Has("limit")) {
    ASSIGN_OR_RETURN(const int64_t limit, arguments.GetInt("limit", 0, INT64_MAX));
    options.limit = static_cast<uint64_t>(limit);
  }
  if (arguments.Has("where")) {
    absl::StatusOr<Predicate> where = Predicate::Parse(arguments.Get("where"));
    if (!where.ok()) return base::Annotate(where.status(), "--where");
    options.where = *std::move(where);
  }
  options.iso2709.rebuild = arguments.Has("rebuild");
  RETURN_IF_ERROR(ReadOversize(arguments, &options));
  options.map = arguments.Has("map");
  options.rejects = arguments.Get("rejects");
  options.report.path = arguments.Get("report");
  ASSIGN_OR_RETURN(const int64_t per_code, arguments.GetInt("max-per-code", 0, INT64_MAX));
  options.report.per_code_max = static_cast<uint64_t>(per_code);
  options.report.quiet = arguments.Has("quiet");
  options.progress = arguments.Get("progress");
  return options;
}

}  // namespace marc
