// cat, convert, filter, edit, repair, split, sample.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "marc/command/commands.h"
#include "marc/command/job.h"
#include "marc/command/output.h"
#include "marc/command/text_output.h"
#include "marc/command/transforms.h"

namespace marc {

int RunCat(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  return RunJob(arguments, *options, {});
}

int RunFilter(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  // The first argument is the condition.
  if (arguments.positional().empty()) {
    return UsageError(arguments, absl::InvalidArgumentError("a condition is wanted, such as '245$a ~ /jazz/i'"));
  }
  absl::StatusOr<Predicate> condition = Predicate::Parse(arguments.positional()[0]);
  if (!condition.ok()) return UsageError(arguments, base::Annotate(condition.status(), "condition"));
  options->inputs.erase(options->inputs.begin());
  if (options->inputs.empty()) options->inputs.push_back("-");
  JobSteps steps;
  class Filter : public Transform {
   public:
    explicit Filter(Predicate condition) : condition_(std::move(condition)), to_utf8_({}, &nothing_) {}
    Verdict Apply(const RecordView& record, RecordView*) override {
      RecordView utf8;
      to_utf8_.Apply(record, &utf8);
      nothing_.Clear();
      return condition_.Matches(utf8) ? Verdict::kKeep : Verdict::kDrop;
    }

   private:
    const Predicate condition_;
    ProblemList nothing_;
    Transcoder to_utf8_;
  };
  const Predicate parsed = *condition;
  steps.transform = [parsed](RecordSink*) { return std::make_unique<Filter>(parsed); };
  return RunJob(arguments, *options, steps);
}

int RunEdit(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  std::string text;
  for (const auto& [flag, value] : arguments.in_order()) {
    if (flag == "expression") absl::StrAppend(&text, value, "\n");
    if (flag != "file") continue;
    const absl::StatusOr<std::string> file = base::ReadFile(value, base::kMiB);
    if (!file.ok()) return UsageError(arguments, file.status());
    absl::StrAppend(&text, *file, "\n");
  }
  absl::StatusOr<EditScript> script = EditScript::Parse(text);
  if (!script.ok()) return UsageError(arguments, script.status());
  if (script->commands_count() == 0) {
    return UsageError(arguments, absl::InvalidArgumentError("no commands: give -e 'COMMAND' or -f FILE"));
  }
  JobSteps steps;
  const EditScript parsed = *script;
  if (arguments.Has("dry-run")) {
    const bool colours = isatty(1) != 0;
    options->coding.to = Coding::kUtf8;
    steps.serializer = [parsed, colours](RecordSink*) { return std::make_unique<DiffSerializer>(parsed, colours); };
    options->output = "-";
  } else {
    steps.transform = [parsed](RecordSink* sink) { return std::make_unique<EditTransform>(parsed, sink); };
  }
  return RunJob(arguments, *options, steps);
}

int RunRepair(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  if (options->strictness == Strictness::kStrict) {
    return UsageError(arguments, absl::InvalidArgumentError("repair and --strict exclude each other"));
  }
  options->strictness = Strictness::kSalvage;
  options->iso2709.rebuild = true;
  JobSteps steps;
  steps.transform = [](RecordSink* sink) { return std::make_unique<RepairTransform>(sink); };
  return RunJob(arguments, *options, steps);
}

namespace {

// The parts of a split: each an output of its own.
class Parts {
 public:
  static constexpr size_t kOpenMax = 256;
  // So many parts at a time keep the memory small by smaller batches.
  static constexpr size_t kBatchBytes = size_t{64} << 10;
  Parts(std::string pattern, size_t batch_bytes) : pattern_(std::move(pattern)), batch_bytes_(batch_bytes) {}

  // The name of part `key`: the pattern with {} replaced.
  std::string NameOf(const std::string& key) const {
    std::string safe;
    for (const char c : key) safe += c == '/' || c == '\0' || static_cast<unsigned char>(c) < 0x20 ? '_' : c;
    if (safe.empty() || safe[0] == '.') safe = "_" + safe;
    return absl::StrReplaceAll(pattern_, {{"{}", safe.substr(0, 100)}});
  }
  absl::Status Write(const std::string& key, absl::string_view record, Serializer& frame) {
    auto& part = parts_[key];
    if (part == nullptr) {
      if (parts_.size() > kOpenMax) {
        return absl::ResourceExhaustedError(
            absl::StrCat("more than ", kOpenMax, " parts at a time; use a coarser --by"));
      }
      ASSIGN_OR_RETURN(part, OpenOutput(NameOf(key), batch_bytes_));
      RETURN_IF_ERROR(part->Write(frame.header()));
      record.remove_prefix(frame.separator().size());
    }
    return part->Write(record);
  }
  absl::Status Close(const std::string& key, Serializer& frame) {
    const auto part = parts_.find(key);
    if (part == parts_.end()) return absl::OkStatus();
    RETURN_IF_ERROR(part->second->Write(frame.footer()));
    RETURN_IF_ERROR(part->second->Close());
    parts_.erase(part);
    return absl::OkStatus();
  }
  absl::Status CloseAll(Serializer& frame) {
    while (!parts_.empty()) RETURN_IF_ERROR(Close(parts_.begin()->first, frame));
    return absl::OkStatus();
  }

 private:
  const std::string pattern_;
  const size_t batch_bytes_;
  std::map<std::string, std::unique_ptr<base::Sink>> parts_;
};

// Which numbered part a record goes to.
struct PartCounter {
  uint64_t records_max = 0;
  uint64_t bytes_max = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t part = 1;
  // Whether the record begins a new part.
  bool Next(size_t size) {
    const bool full =
        records != 0 && ((records_max != 0 && records == records_max) || (bytes_max != 0 && bytes + size > bytes_max));
    if (full) {
      ++part;
      records = bytes = 0;
    }
    ++records;
    bytes += size;
    return full;
  }
};

}  // namespace

int RunSplit(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  auto counter = std::make_shared<PartCounter>();
  JobSteps steps;
  const int ways = arguments.Has("records") + arguments.Has("bytes") + arguments.Has("by");
  if (ways != 1)
    return UsageError(arguments, absl::InvalidArgumentError("one of --records, --bytes and --by is wanted"));
  if (options->output.find("{}") == std::string::npos) {
    return UsageError(arguments, absl::InvalidArgumentError("-o wants a name with {} in it, such as part-{}.mrc"));
  }
  if (arguments.Has("records")) {
    const absl::StatusOr<int64_t> records = arguments.GetInt("records", 1, INT64_MAX);
    if (!records.ok()) return UsageError(arguments, records.status());
    counter->records_max = static_cast<uint64_t>(*records);
  } else if (arguments.Has("bytes")) {
    const absl::StatusOr<uint64_t> bytes = arguments.GetSize("bytes");
    if (!bytes.ok()) return UsageError(arguments, bytes.status());
    counter->bytes_max = std::max<uint64_t>(1, *bytes);
  } else {
    const absl::StatusOr<Spec> spec = Spec::Parse(arguments.Get("by"));
    if (!spec.ok()) return UsageError(arguments, spec.status());
    steps.key = [spec = *spec](const RecordView& record) {
      std::string key = "none";
      spec.ForEachValue(record, [&](absl::string_view value) {
        key = std::string(value);
        return false;
      });
      return key;
    };
  }
  auto parts = std::make_shared<Parts>(options->output, arguments.Has("by") ? Parts::kBatchBytes : kOutputBatchBytes);
  auto frame = std::make_shared<Serializer*>(nullptr);
  steps.accept = [=](ChunkResult& result, Serializer& serializer) -> absl::StatusOr<bool> {
    *frame = &serializer;
    size_t begin = 0;
    for (size_t i = 0; i < result.record_ends.size(); ++i) {
      const absl::string_view record = result.bytes.view().substr(begin, result.record_ends[i] - begin);
      begin = result.record_ends[i];
      std::string key;
      if (!result.record_keys.empty()) {
        key = result.record_keys[i];
      } else {
        const std::string before = absl::StrFormat("%04d", counter->part);
        if (counter->Next(record.size())) RETURN_IF_ERROR(parts->Close(before, serializer));
        key = absl::StrFormat("%04d", counter->part);
      }
      RETURN_IF_ERROR(parts->Write(key, record, serializer));
    }
    return true;
  };
  steps.finish = [=](const PipelineSummary&) {
    return *frame == nullptr ? absl::OkStatus() : parts->CloseAll(**frame);
  };
  return RunJob(arguments, *options, steps);
}

int RunSample(const base::Arguments& arguments) {
  absl::StatusOr<JobOptions> options = ReadJobOptions(arguments);
  if (!options.ok()) return UsageError(arguments, options.status());
  const absl::StatusOr<int64_t> count = arguments.GetInt("count", 1, 10000000);
  const absl::StatusOr<int64_t> seed = arguments.GetInt("seed", 0, INT64_MAX);
  if (!count.ok()) return UsageError(arguments, count.status());
  if (!seed.ok()) return UsageError(arguments, seed.status());
  // A reservoir of (ordinal, bytes), each record equally likely.
  struct State {
    std::vector<std::pair<uint64_t, std::string>> kept;
    std::mt19937_64 random;
    uint64_t seen = 0;
    Serializer* frame = nullptr;
  };
  auto state = std::make_shared<State>();
  state->random.seed(static_cast<uint64_t>(*seed));
  const auto wanted = static_cast<uint64_t>(*count);
  JobSteps steps;
  steps.accept = [=](ChunkResult& result, Serializer& serializer) -> absl::StatusOr<bool> {
    state->frame = &serializer;
    size_t begin = 0;
    for (const size_t end : result.record_ends) {
      const uint64_t slot = state->seen < wanted ? state->seen : state->random() % (state->seen + 1);
      if (slot < wanted) {
        if (slot >= state->kept.size()) state->kept.resize(slot + 1);
        state->kept[slot] = {state->seen, std::string(result.bytes.view().substr(begin, end - begin))};
      }
      ++state->seen;
      begin = end;
    }
    return true;
  };
  const std::string path = options->output;
  steps.finish = [=](const PipelineSummary&) -> absl::Status {
    std::sort(state->kept.begin(), state->kept.end());
    ASSIGN_OR_RETURN(const std::unique_ptr<base::Sink> sink, OpenOutput(path));
    if (state->frame == nullptr) return sink->Close();
    RETURN_IF_ERROR(sink->Write(state->frame->header()));
    bool first = true;
    for (const auto& [ordinal, bytes] : state->kept) {
      RETURN_IF_ERROR(sink->Write(absl::string_view(bytes).substr(first ? state->frame->separator().size() : 0)));
      first = false;
    }
    RETURN_IF_ERROR(sink->Write(state->frame->footer()));
    return sink->Close();
  };
  return RunJob(arguments, *options, steps);
}

}  // namespace marc
