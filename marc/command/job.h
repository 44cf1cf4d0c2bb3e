// A Job is one run of a command over its inputs: common flags, reading, the
// pipeline, reporting, and the exit code.
//
// Exit codes: 0 clean, 1 problems, 2 input or output, 3 usage, 128 + signal.
// Threads: single thread (main).
#ifndef MARC_COMMAND_JOB_H_
#define MARC_COMMAND_JOB_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "base/command_line.h"
#include "base/os/stream.h"
#include "marc/charset/transcoder.h"
#include "marc/command/report.h"
#include "marc/formats/table.h"
#include "marc/query/predicate.h"
#include "marc/stream/format.h"
#include "marc/stream/pipeline.h"

namespace marc {

constexpr int kExitClean = 0;
constexpr int kExitProblems = 1;
constexpr int kExitIo = 2;
constexpr int kExitUsage = 3;

// The flags that all commands share, read and checked.
struct JobOptions {
  std::vector<std::string> inputs;  // "-" is standard input
  std::string output = "-";
  Format from = Format::kAuto;
  Format to = Format::kAuto;  // kAuto: by the output's name, else as the input
  absl::optional<TableKind> from_table;
  absl::optional<TableMapping> mapping;
  Strictness strictness = Strictness::kLenient;
  size_t threads = 1;
  uint64_t offset = 0;
  uint64_t limit = UINT64_MAX;
  absl::optional<Predicate> where;
  TranscodeOptions coding;  // coding.to == kAuto: as it is, UTF-8 for text formats
  Iso2709WriteOptions iso2709;
  bool map = false;             // map large inputs instead of reading them
  std::string rejects;          // path; empty: not kept
  std::string oversize_output;  // path of MARCXML for OversizePolicy::kOther
  Reporter::Options report;
  std::string progress = "auto";
};
absl::StatusOr<JobOptions> ReadJobOptions(const base::Arguments& arguments);
// The flags themselves, for the command table.
std::vector<base::Flag> JobFlags();

// One step of a command, made for each thread.
using TransformFactory = std::function<std::unique_ptr<Transform>(RecordSink*)>;
using SerializerFactory = std::function<std::unique_ptr<Serializer>(RecordSink*)>;

// What a command adds to the common part.
struct JobSteps {
  TransformFactory transform;    // behind --where; null: none
  SerializerFactory serializer;  // null: by `to`
  bool writes = true;            // false: no records go out
  bool transcodes = true;        // brings records to the output's coding
  std::function<std::string(const RecordView&)> key;
  // Takes results instead of the output, behind offset and limit.
  std::function<absl::StatusOr<bool>(ChunkResult&, Serializer&)> accept;
  // After all input, before the exit code is decided.
  std::function<absl::Status(const PipelineSummary&)> finish;
};

// Runs it all and returns the exit code; errors were printed.
int RunJob(const base::Arguments& arguments, const JobOptions& options, const JobSteps& steps);
// Prints the error and returns kExitUsage.
int UsageError(const base::Arguments& arguments, const absl::Status& status);

// The format that goes out, when the input has `input`.
Format OutputFormat(const JobOptions& options, Format input);

}  // namespace marc

#endif  // MARC_COMMAND_JOB_H_
