// check, stats, count, print, grep, select, bench.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/mutex.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "marc/codec/json_text.h"
#include "marc/command/commands.h"
#include "marc/command/job.h"
#include "marc/command/output.h"
#include "marc/command/text_output.h"
#include "marc/command/transforms.h"

namespace marc {
namespace {

bool ColoursWanted(const JobOptions& options) {
  return options.output == "-" && isatty(1) != 0 && getenv("NO_COLOR") == nullptr;
}

absl::Status WriteText(const std::string& path, absl::string_view text) {
  ASSIGN_OR_RETURN(const std::unique_ptr<base::Sink> sink, OpenOutput(path));
  RETURN_IF_ERROR(sink->Write(text));
  return sink->Close();
}

std::string Tag(uint32_t packed) { return std::string(reinterpret_cast<const char*>(&packed), 3); }

std::string StatisticsText(const RecordStatistics& s) {
  const double records = s.records == 0 ? 1 : static_cast<double>(s.records);
  std::string text = absl::StrCat(base::HumanCount(s.records), " records, ", base::HumanCount(s.fields), " fields, ",
                                  base::HumanCount(s.subfields), " subfields, ", base::HumanSize(s.bytes), "\n");
  absl::StrAppend(&text, "a record: ", static_cast<uint64_t>(static_cast<double>(s.bytes) / records), " bytes, ",
                  static_cast<double>(s.fields * 10 / std::max<uint64_t>(1, s.records)) / 10, " fields, ",
                  static_cast<double>(s.subfields * 10 / std::max<uint64_t>(1, s.records)) / 10,
                  " subfields; the longest ", base::HumanCount(s.size_max), " bytes\n");
  absl::StrAppend(&text, base::HumanCount(s.utf8), " flagged UTF-8, ", base::HumanCount(s.with_high_bytes),
                  " with bytes beyond ASCII\n\ntag  fields      records\n");
  for (const auto& [tag, count] : s.tags) {
    absl::StrAppend(&text, Tag(tag), "  ", count,
                    std::string(count < 1000000000 ? 12 - std::to_string(count).size() : 1, ' '),
                    s.records_with.at(tag), "\n");
  }
  return text;
}

std::string StatisticsJson(const RecordStatistics& s) {
  std::string json = absl::StrCat("{\"v\":1,\"records\":", s.records, ",\"fields\":", s.fields,
                                  ",\"subfields\":", s.subfields, ",\"bytes\":", s.bytes, ",\"size_max\":", s.size_max,
                                  ",\"utf8\":", s.utf8, ",\"with_high_bytes\":", s.with_high_bytes, ",\"tags\":{");
  bool first = true;
  for (const auto& [tag, count] : s.tags) {
    absl::StrAppend(&json, first ? "" : ",");
    AppendJsonString(Tag(tag), &json);
    absl::StrAppend(&json, ":{\"fields\":", count, ",\"records\":", s.records_with.at(tag), "}");
    first = false;
  }
  json += "},\"subfields_of\":{";
  first = true;
  for (const auto& [key, count] : s.subfields_of) {
    absl::StrAppend(&json, first ? "" : ",");
    AppendJsonString(key, &json);
    absl::StrAppend(&json, ":", count);
    first = false;
  }
  return json + "}}\n";
}

}  // namespace

int RunCheck(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  const absl::StatusOr<CheckLevel> level = ParseCheckLevel(arguments.Get("level"));
  if (!level.ok()) return UsageError(arguments, level.status());
  JobSteps steps;
  steps.transform = [level = *level](RecordSink* sink) { return std::make_unique<CheckTransform>(level, sink); };
  steps.writes = false;
  steps.transcodes = false;
  return RunJob(arguments, *options, steps);
}

int RunStats(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  // One for each thread; deque-like stability by pointers.
  auto all = std::make_shared<std::vector<std::unique_ptr<RecordStatistics>>>();
  JobSteps steps;
  steps.transform = [all](RecordSink*) {
    all->push_back(std::make_unique<RecordStatistics>());
    return std::make_unique<StatisticsTransform>(all->back().get());
  };
  steps.writes = false;
  steps.transcodes = false;
  const bool json = arguments.Has("json");
  const std::string path = options->output;
  steps.finish = [=](const PipelineSummary&) {
    RecordStatistics sum;
    for (const auto& one : *all) sum.Add(*one);
    return WriteText(path, json ? StatisticsJson(sum) : StatisticsText(sum));
  };
  return RunJob(arguments, *options, steps);
}

int RunCount(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  auto count = std::make_shared<uint64_t>(0);
  JobSteps steps;
  // Counted are the records that pass --where, offset and limit.
  class Nothing : public Serializer {
   public:
    bool Append(const RecordView&, Buffer*) override { return true; }
  };
  steps.serializer = [](RecordSink*) { return std::make_unique<Nothing>(); };
  steps.transcodes = false;
  steps.accept = [count](ChunkResult& result, Serializer&) -> absl::StatusOr<bool> {
    *count += result.record_ends.size();
    return true;
  };
  const std::string path = options->output;
  steps.finish = [=](const PipelineSummary&) { return WriteText(path, absl::StrCat(*count, "\n")); };
  return RunJob(arguments, *options, steps);
}

int RunPrint(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  if (options->coding.to == Coding::kAuto) options->coding.to = Coding::kUtf8;
  JobSteps steps;
  steps.serializer = [colours = ColoursWanted(*options)](RecordSink*) {
    return std::make_unique<LineSerializer>(colours);
  };
  return RunJob(arguments, *options, steps);
}

int RunGrep(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  if (arguments.positional().empty()) {
    return UsageError(arguments, absl::InvalidArgumentError("a regular expression is wanted"));
  }
  re2::RE2::Options regex_options;
  regex_options.set_log_errors(false);
  regex_options.set_case_sensitive(!arguments.Has("ignore-case"));
  auto regex = std::make_shared<const re2::RE2>(arguments.positional()[0], regex_options);
  if (!regex->ok()) return UsageError(arguments, absl::InvalidArgumentError(regex->error()));
  options->inputs.erase(options->inputs.begin());
  if (options->inputs.empty()) options->inputs.push_back("-");
  if (options->coding.to == Coding::kAuto) options->coding.to = Coding::kUtf8;
  JobSteps steps;
  steps.serializer = [=, colours = ColoursWanted(*options)](RecordSink*) {
    return std::make_unique<GrepSerializer>(regex, colours);
  };
  return RunJob(arguments, *options, steps);
}

int RunSelect(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  if (arguments.positional().empty()) {
    return UsageError(arguments, absl::InvalidArgumentError("columns are wanted, such as '001,245$a,650$a'"));
  }
  TableOptions table;
  table.kind = arguments.Get("format") == "csv" ? TableKind::kCsv : TableKind::kTsv;
  table.joiner = arguments.Get("joiner");
  table.with_header = !arguments.Has("no-header");
  absl::string_view rest = arguments.positional()[0];
  while (true) {
    const absl::string_view before = rest;
    absl::StatusOr<Spec> spec = Spec::ParsePrefix(&rest);
    if (!spec.ok()) return UsageError(arguments, spec.status());
    table.titles.emplace_back(before.substr(0, before.size() - rest.size()));
    table.columns.push_back(*std::move(spec));
    // "650$a*": all values, which is what a column holds anyway.
    absl::ConsumePrefix(&rest, "*");
    if (rest.empty()) break;
    if (!absl::ConsumePrefix(&rest, ",")) {
      return UsageError(arguments, absl::InvalidArgumentError(absl::StrCat("expected ',' at '", rest, "'")));
    }
  }
  options->inputs.erase(options->inputs.begin());
  if (options->inputs.empty()) options->inputs.push_back("-");
  if (options->coding.to == Coding::kAuto) options->coding.to = Coding::kUtf8;
  JobSteps steps;
  steps.serializer = [table](RecordSink*) { return std::make_unique<TableSerializer>(table); };
  return RunJob(arguments, *options, steps);
}

int RunBench(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  if (arguments.positional().empty()) return UsageError(arguments, absl::InvalidArgumentError("a file is wanted"));
  for (const std::string& input : options->inputs) {
    const absl::StatusOr<std::string> bytes = base::ReadFile(input, uint64_t{4} << 30);
    if (!bytes.ok()) {
      base::PrintError(arguments.full_name(), bytes.status().message());
      return kExitIo;
    }
    printf("%s, %s, %zu threads\n", input.c_str(), base::HumanSize(bytes->size()).c_str(), options->threads);
    for (const Format to : {Format::kAuto, Format::kIso2709, Format::kMarcXml, Format::kNdjson, Format::kMrk}) {
      ChunkReader reader(absl::string_view(*bytes), options->from);
      PipelineOptions pipeline;
      pipeline.threads = options->threads;
      pipeline.transform = [to](RecordSink* sink) -> std::unique_ptr<Transform> {
        class Coder : public Transform {
         public:
          Coder(const TranscodeOptions& coding, RecordSink* sink) : coder_(coding, sink) {}
          Verdict Apply(const RecordView& record, RecordView* out) override {
            return coder_.Apply(record, out) ? Verdict::kKeep : Verdict::kReject;
          }

         private:
          Transcoder coder_;
        };
        TranscodeOptions coding;
        coding.to = IsTextFormat(to) ? Coding::kUtf8 : Coding::kAuto;
        return std::make_unique<Coder>(coding, sink);
      };
      if (to != Format::kAuto) {
        Iso2709WriteOptions rebuild;
        rebuild.rebuild = true;
        pipeline.serializer = [=](RecordSink* sink) { return MakeSerializer(to, rebuild, sink); };
      }
      uint64_t written = 0;
      const auto start = std::chrono::steady_clock::now();
      const absl::StatusOr<PipelineSummary> summary =
          RunPipeline(reader, pipeline, [&](ChunkResult& result) -> absl::StatusOr<bool> {
            written += result.bytes.size();
            return true;
          });
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (!summary.ok()) {
        base::PrintError(arguments.full_name(), summary.status().message());
        return kExitIo;
      }
      printf("  %-8s %12s records/s  %8.1f MB/s in  %8.1f MB/s out\n",
             to == Format::kAuto ? "read" : std::string(FormatName(to)).c_str(),
             base::HumanCount(static_cast<uint64_t>(static_cast<double>(summary->records_read) / seconds)).c_str(),
             static_cast<double>(summary->input_bytes) / seconds / 1e6, static_cast<double>(written) / seconds / 1e6);
    }
  }
  return kExitClean;
}

}  // namespace marc
