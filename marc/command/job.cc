#include "marc/command/job.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/os/interrupt.h"
#include "base/os/progress.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "base/units.h"
#include "marc/command/output.h"
#include "marc/formats/marcxml_serializer.h"

namespace marc {
namespace {

class NoProblems : public ProblemSink {
 public:
  void Report(Problem) override {}
};

// --where, the command's own step, then the coding of the output.
class JobTransform : public Transform {
 public:
  JobTransform(const JobOptions& options, const JobSteps& steps, Format to, RecordSink* sink)
      : where_(options.where),
        own_(steps.transform != nullptr ? steps.transform(sink) : nullptr),
        matcher_({}, &nothing_),
        coder_(CodingFor(options, to), sink),
        transcodes_(steps.transcodes) {}

  Verdict Apply(const RecordView& record, RecordView* out) override {
    if (where_.has_value()) {
      // Conditions see UTF-8, whatever the record is in.
      RecordView utf8;
      matcher_.Apply(record, &utf8);
      if (!where_->Matches(utf8)) return Verdict::kDrop;
    }
    RecordView current = record;
    if (own_ != nullptr) {
      const Verdict verdict = own_->Apply(record, &current);
      if (verdict != Verdict::kKeep) return verdict;
    }
    if (!transcodes_) {
      *out = current;
      return Verdict::kKeep;
    }
    return coder_.Apply(current, out) ? Verdict::kKeep : Verdict::kReject;
  }

 private:
  static TranscodeOptions CodingFor(const JobOptions& options, Format to) {
    TranscodeOptions coding = options.coding;
    if (coding.to == Coding::kAuto && IsTextFormat(to)) coding.to = Coding::kUtf8;
    coding.strictness = options.strictness;
    return coding;
  }

  const absl::optional<Predicate> where_;
  const std::unique_ptr<Transform> own_;
  NoProblems nothing_;
  Transcoder matcher_;
  Transcoder coder_;
  const bool transcodes_;
};

// MARCXML, whatever the coding of the records.
class OversizeSerializer : public Serializer {
 public:
  explicit OversizeSerializer(RecordSink* sink) : coder_(ToUtf8(), sink), xml_(sink) {}
  absl::string_view header() const override { return xml_.header(); }
  absl::string_view footer() const override { return xml_.footer(); }
  bool Append(const RecordView& record, Buffer* out) override {
    RecordView utf8;
    return coder_.Apply(record, &utf8) && xml_.Append(utf8, out);
  }

 private:
  static TranscodeOptions ToUtf8() {
    TranscodeOptions options;
    options.to = Coding::kUtf8;
    return options;
  }
  Transcoder coder_;
  MarcXmlSerializer xml_;
};

// Cuts results down to the records [offset, offset + limit) of all inputs.
class Window {
 public:
  explicit Window(const JobOptions& options) : offset_(options.offset), left_(options.limit) {}
  bool done() const { return left_ == 0; }
  void Cut(ChunkResult* result) {
    const uint64_t count = result->record_ends.size();
    const uint64_t skip = std::min(offset_, count);
    const uint64_t keep = std::min(left_, count - skip);
    offset_ -= skip;
    left_ -= keep;
    if (skip == 0 && keep == count) return;
    const size_t begin = skip == 0 ? 0 : result->record_ends[skip - 1];
    const size_t end = skip + keep == 0 ? 0 : result->record_ends[skip + keep - 1];
    memmove(result->bytes.data(), result->bytes.data() + begin, end - begin);
    result->bytes.Truncate(end - begin);
    std::vector<size_t> ends;
    for (uint64_t i = skip; i < skip + keep; ++i) ends.push_back(result->record_ends[i] - begin);
    result->record_ends = std::move(ends);
    if (!result->record_keys.empty()) {
      result->record_keys = {result->record_keys.begin() + static_cast<ptrdiff_t>(skip),
                             result->record_keys.begin() + static_cast<ptrdiff_t>(skip + keep)};
    }
  }

 private:
  uint64_t offset_;
  uint64_t left_;
};

uint64_t SizeOf(const std::vector<std::string>& inputs) {
  uint64_t total = 0;
  for (const std::string& input : inputs) {
    struct stat status;
    if (input == "-" || stat(input.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    total += static_cast<uint64_t>(status.st_size);
  }
  return total;
}

class JobRun {
 public:
  JobRun(const JobOptions& options, const JobSteps& steps)
      : options_(options),
        steps_(steps),
        window_(options),
        progress_({.label = "marc",
                   .unit = base::Progress::Unit::kBytes,
                   .total = SizeOf(options.inputs),
                   .quiet = options.progress != "auto" || options.output == "-",
                   .second_unit = "records"}) {}

  absl::Status Run();
  int ExitCode(const absl::Status& status, const base::Arguments& arguments);

 private:
  absl::Status RunInput(const std::string& input);
  absl::StatusOr<std::unique_ptr<ChunkReader>> OpenInput(const std::string& input);
  void ReleaseMapped(uint64_t consumed);
  absl::Status Begin(Format input);
  absl::StatusOr<bool> Accept(ChunkResult& result);
  void ShowProgress(const ChunkResult& result);

  const JobOptions& options_;
  const JobSteps& steps_;
  Window window_;
  base::Progress progress_;
  int64_t last_progress_ns_ = 0;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<base::Sink> output_;
  std::unique_ptr<base::Sink> rejects_;
  std::unique_ptr<base::Sink> oversize_;
  RecordProblems unused_;
  std::unique_ptr<Serializer> frame_;  // header, footer and separator of the output
  Format to_ = Format::kAuto;
  bool any_written_ = false;
  PipelineSummary total_;
  base::MappedFile mapped_;  // the current input, with --map
  uint64_t consumed_ = 0;    // bytes of it that were accepted
  uint64_t released_ = 0;    // bytes of it whose pages were given back
};

absl::Status JobRun::Begin(Format input) {
  if (frame_ != nullptr) return absl::OkStatus();
  to_ = OutputFormat(options_, input);
  frame_ = steps_.serializer != nullptr ? steps_.serializer(&unused_) : MakeSerializer(to_, options_.iso2709, &unused_);
  if (!steps_.writes || steps_.accept != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(output_, OpenOutput(options_.output));
  return output_->Write(frame_->header());
}

void JobRun::ShowProgress(const ChunkResult& result) {
  progress_.Add(result.input_bytes);
  progress_.AddSecond(result.records_read);
  if (options_.progress != "json") return;
  const int64_t now = base::Clock::Real().MonotonicNs();
  if (now - last_progress_ns_ < 1000000000) return;
  last_progress_ns_ = now;
  fprintf(stderr, "{\"v\":1,\"progress\":true,\"records\":%llu,\"bytes\":%llu,\"problems\":%llu}\n",
          static_cast<unsigned long long>(total_.records_read + result.records_read),
          static_cast<unsigned long long>(total_.input_bytes + result.input_bytes),
          static_cast<unsigned long long>(reporter_->problems_count()));
}

absl::StatusOr<bool> JobRun::Accept(ChunkResult& result) {
  reporter_->Take(result);
  ReleaseMapped(result.input_bytes);
  ShowProgress(result);
  if (rejects_ != nullptr) RETURN_IF_ERROR(rejects_->Write(result.rejected.view()));
  if (oversize_ != nullptr) RETURN_IF_ERROR(oversize_->Write(result.diverted.view()));
  window_.Cut(&result);
  total_.records_read += result.records_read;
  total_.records_rejected += result.records_rejected;
  total_.records_written += result.record_ends.size();
  total_.input_bytes += result.input_bytes;
  if (steps_.accept != nullptr) {
    ASSIGN_OR_RETURN(const bool go_on, steps_.accept(result, *frame_));
    return go_on && !window_.done();
  }
  if (output_ != nullptr && !result.record_ends.empty()) {
    absl::string_view bytes = result.bytes.view();
    if (!any_written_) bytes.remove_prefix(frame_->separator().size());
    any_written_ = true;
    RETURN_IF_ERROR(output_->Write(bytes));
  }
  return !window_.done();
}

// A plain regular file is mapped with --map; everything else is read.
absl::StatusOr<std::unique_ptr<ChunkReader>> JobRun::OpenInput(const std::string& input) {
  mapped_ = base::MappedFile();
  released_ = consumed_ = 0;
  struct stat status;
  if (options_.map && input != "-" && stat(input.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    ASSIGN_OR_RETURN(mapped_, base::MappedFile::Open(input));
    const absl::string_view begin = mapped_.view().substr(0, 4);
    const bool compressed = absl::StartsWith(begin, "\x1F\x8B") || begin == "\x28\xB5\x2F\xFD";
    if (!compressed && !begin.empty()) return std::make_unique<ChunkReader>(mapped_.view(), options_.from);
    mapped_ = base::MappedFile();
  }
  ASSIGN_OR_RETURN(std::unique_ptr<base::Source> source, base::OpenSource(input));
  return std::make_unique<ChunkReader>(std::move(source), options_.from);
}

// Gives back mapped pages that were read, so that memory stays bounded.
void JobRun::ReleaseMapped(uint64_t consumed) {
  constexpr uint64_t kReleaseBytes = 4 * base::kMiB;
  consumed_ += consumed;
  if (mapped_.view().empty() || consumed_ - released_ < kReleaseBytes) return;
  const uint64_t end = base::RoundDown(consumed_, kReleaseBytes);
  madvise(const_cast<char*>(mapped_.view().data()) + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

absl::Status JobRun::RunInput(const std::string& input) {
  ASSIGN_OR_RETURN(std::unique_ptr<ChunkReader> opened, OpenInput(input));
  ChunkReader& reader = *opened;
  PipelineOptions pipeline;
  pipeline.strictness = options_.strictness;
  pipeline.threads = options_.threads;
  pipeline.keep_rejected = rejects_ != nullptr;
  pipeline.input_name = input == "-" ? "standard input" : input;
  pipeline.cancelled = [] { return base::Interrupted() != 0; };
  pipeline.key = steps_.key;
  std::string header;
  if (options_.from_table.has_value()) {
    const TableKind kind = *options_.from_table;
    // The first row is needed before any chunk is parsed.
    ASSIGN_OR_RETURN(auto first, base::OpenSource(input));
    std::string piece(64 * 1024, '\0');
    while (header.find('\n') == std::string::npos && header.size() < base::kMiB) {
      ASSIGN_OR_RETURN(const size_t count, first->Read(absl::MakeSpan(piece)));
      if (count == 0) break;
      header.append(piece, 0, count);
    }
    RecordProblems nothing;
    RETURN_IF_ERROR(TableParser::Create(*options_.mapping, kind, header, &nothing).status());
    reader.SetSplitter([kind] { return std::make_unique<TableSplitter>(kind); });
    pipeline.parser = [this, kind, &header](Strictness, RecordSink* sink) -> std::unique_ptr<RecordParser> {
      return *TableParser::Create(*options_.mapping, kind, header, sink);
    };
  }
  Format format = options_.from;
  if (!options_.from_table.has_value()) {
    ASSIGN_OR_RETURN(format, reader.Detect());
  }
  RETURN_IF_ERROR(Begin(format));
  pipeline.transform = [this](RecordSink* sink) { return std::make_unique<JobTransform>(options_, steps_, to_, sink); };
  if (steps_.writes) {
    pipeline.serializer = [this](RecordSink* sink) {
      return steps_.serializer != nullptr ? steps_.serializer(sink) : MakeSerializer(to_, options_.iso2709, sink);
    };
  }
  if (oversize_ != nullptr) {
    pipeline.diverter = [](RecordSink* sink) { return std::make_unique<OversizeSerializer>(sink); };
  }
  return RunPipeline(reader, pipeline, [this](ChunkResult& result) { return Accept(result); }).status();
}

absl::Status JobRun::Run() {
  ASSIGN_OR_RETURN(reporter_, Reporter::Create(options_.report));
  if (!options_.rejects.empty()) {
    ASSIGN_OR_RETURN(rejects_, OpenOutput(options_.rejects));
  }
  const OversizeSerializer oversize_frame(&unused_);
  if (!options_.oversize_output.empty()) {
    ASSIGN_OR_RETURN(oversize_, OpenOutput(options_.oversize_output));
    RETURN_IF_ERROR(oversize_->Write(oversize_frame.header()));
  }
  absl::Status status;
  for (const std::string& input : options_.inputs) {
    status = RunInput(input);
    if (!status.ok() || window_.done()) break;
  }
  // A strict run keeps what came before the error; a broken input does not
  // replace a file by half of it.
  const bool keeps = status.ok() || absl::IsDataLoss(status) || options_.output == "-";
  if (output_ != nullptr && keeps) {
    RETURN_IF_ERROR(output_->Write(frame_->footer()));
    RETURN_IF_ERROR(output_->Close());
  }
  if (steps_.finish != nullptr && keeps) RETURN_IF_ERROR(steps_.finish(total_));
  if (rejects_ != nullptr) RETURN_IF_ERROR(rejects_->Close());
  if (oversize_ != nullptr && keeps) {
    RETURN_IF_ERROR(oversize_->Write(oversize_frame.footer()));
    RETURN_IF_ERROR(oversize_->Close());
  }
  RETURN_IF_ERROR(reporter_->Close(total_));
  return status;
}

int JobRun::ExitCode(const absl::Status& status, const base::Arguments& arguments) {
  if (base::Interrupted() != 0) {
    base::PrintError(arguments.full_name(), "interrupted; an output file is as it was before");
    return 128 + base::Interrupted();
  }
  if (base::ErrnoOf(status) == EPIPE) return kExitClean;
  if (!status.ok()) {
    base::PrintError(arguments.full_name(), status.message());
    return absl::IsDataLoss(status) && reporter_ != nullptr && reporter_->problems_count() != 0 ? kExitProblems
                                                                                                : kExitIo;
  }
  return reporter_->problems_count() != 0 ? kExitProblems : kExitClean;
}

}  // namespace

Format OutputFormat(const JobOptions& options, Format input) {
  if (options.to != Format::kAuto) return options.to;
  const Format by_name = FormatOfPath(options.output);
  if (by_name != Format::kAuto) return by_name;
  return input == Format::kAuto ? Format::kIso2709 : input;
}

int UsageError(const base::Arguments& arguments, const absl::Status& status) {
  base::PrintError(arguments.full_name(), status.message());
  return kExitUsage;
}

int RunJob(const base::Arguments& arguments, const JobOptions& options, const JobSteps& steps) {
  base::TakeInterrupts();
  JobRun run(options, steps);
  const absl::Status status = run.Run();
  return run.ExitCode(status, arguments);
}

}  // namespace marc
