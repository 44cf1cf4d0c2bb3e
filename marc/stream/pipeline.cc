#include "marc/stream/pipeline.h"

#include <deque>
#include <utility>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"

namespace marc {
namespace {

// Of one code in one chunk; the rest is counted.
constexpr uint64_t kProblemsPerCodeMax = 1000;

// Collects what happens in a chunk.
class ChunkSink : public RecordSink {
 public:
  void Begin(ChunkResult* result, bool keep_rejected) {
    result_ = result;
    keep_rejected_ = keep_rejected;
    counts_.clear();
    error_seen_ = false;
  }
  void Report(Problem problem) override {
    error_seen_ = error_seen_ || problem.severity == Severity::kError;
    if (++counts_[problem.code] > kProblemsPerCodeMax) {
      ++result_->suppressed[problem.code];
    } else {
      result_->problems.push_back(std::move(problem));
    }
  }
  void ReportMore(ProblemCode code, uint64_t count) override {
    error_seen_ = error_seen_ || DefaultSeverity(code) == Severity::kError;
    result_->suppressed[code] += count;
  }
  void Reject(absl::string_view bytes) override {
    ++result_->records_rejected;
    if (keep_rejected_) result_->rejected.Append(bytes);
  }
  bool Divert(const RecordView& record) override {
    return diverter_ != nullptr && diverter_->Append(record, &result_->diverted);
  }
  void SetDiverter(std::unique_ptr<Serializer> diverter) { diverter_ = std::move(diverter); }
  bool error_seen() const { return error_seen_; }

 private:
  std::unique_ptr<Serializer> diverter_;
  ChunkResult* result_ = nullptr;
  bool keep_rejected_ = false;
  std::map<ProblemCode, uint64_t> counts_;
  bool error_seen_ = false;
};

// Parser, transform and serializer of one thread.
class Worker {
 public:
  explicit Worker(const PipelineOptions& options) : options_(options) {
    if (options.transform != nullptr) transform_ = options.transform(&sink_);
    if (options.serializer != nullptr) serializer_ = options.serializer(&sink_);
    if (options.diverter != nullptr) sink_.SetDiverter(options.diverter(&sink_));
  }

  void Process(Format format, const Chunk& chunk, ChunkResult* result) {
    Clear(result);
    sink_.Begin(result, options_.keep_rejected);
    if (parser_ == nullptr) {
      parser_ = options_.parser != nullptr ? options_.parser(options_.strictness, &sink_)
                                           : MakeParser(format, options_.strictness, &sink_);
    }
    parser_->Start(chunk);
    const bool strict = options_.strictness == Strictness::kStrict;
    RecordView record;
    while (parser_->Next(&record)) {
      // Strict: nothing behind the first error.
      if (strict && sink_.error_seen()) break;
      ProcessRecord(record, result);
      if (strict && sink_.error_seen()) break;
    }
    result->records_read = parser_->records_seen();
    result->input_bytes = chunk.bytes.size();
  }

 private:
  static void Clear(ChunkResult* result) {
    result->bytes.Clear();
    result->record_ends.clear();
    result->record_keys.clear();
    result->problems.clear();
    result->suppressed.clear();
    result->rejected.Clear();
    result->diverted.Clear();
    result->records_rejected = 0;
  }

  void ProcessRecord(const RecordView& record, ChunkResult* result) {
    RecordView out = record;
    Transform::Verdict verdict = Transform::Verdict::kKeep;
    if (transform_ != nullptr) verdict = transform_->Apply(record, &out);
    if (verdict == Transform::Verdict::kReject) sink_.Reject(record.bytes());
    if (verdict != Transform::Verdict::kKeep || serializer_ == nullptr) return;
    if (!serializer_->Append(out, &result->bytes)) return;
    result->record_ends.push_back(result->bytes.size());
    if (options_.key != nullptr) result->record_keys.push_back(options_.key(out));
  }

  const PipelineOptions& options_;
  ChunkSink sink_;
  std::unique_ptr<RecordParser> parser_;
  std::unique_ptr<Transform> transform_;
  std::unique_ptr<Serializer> serializer_;
};

// A chunk on its way. `done` is guarded by the run's mutex.
struct Job {
  OwnedChunk chunk;
  ChunkResult result;
  bool done = false;
};

class Run {
 public:
  Run(ChunkReader& reader, const PipelineOptions& options, const ResultAcceptor& accept)
      : reader_(reader), options_(options), accept_(accept) {}

  absl::Status OnThisThread() {
    Worker worker(options_);
    Job job;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, reader_.Next(&job.chunk));
      if (!more) return absl::OkStatus();
      worker.Process(reader_.format(), job.chunk.chunk, &job.result);
      ASSIGN_OR_RETURN(const bool go_on, Accept(job.result));
      if (!go_on) return absl::OkStatus();
    }
  }

  absl::Status OnThreads() ABSL_LOCKS_EXCLUDED(mutex_);
  const PipelineSummary& summary() const { return summary_; }

 private:
  absl::StatusOr<bool> Accept(ChunkResult& result);
  std::unique_ptr<Job> TakeIdleJob();
  void WorkOn(Job* job) ABSL_LOCKS_EXCLUDED(mutex_);

  ChunkReader& reader_;
  const PipelineOptions& options_;
  const ResultAcceptor& accept_;
  PipelineSummary summary_;
  std::vector<std::unique_ptr<Job>> idle_jobs_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::unique_ptr<Worker>> idle_workers_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<bool> Run::Accept(ChunkResult& result) {
  bool error = false;
  std::string first_error;
  for (Problem& problem : result.problems) {
    if (problem.record != 0) problem.record += summary_.records_read;
    problem.input = options_.input_name;
    if (problem.severity == Severity::kError && !error) first_error = DebugString(problem);
    error = error || problem.severity == Severity::kError;
  }
  summary_.records_read += result.records_read;
  summary_.records_rejected += result.records_rejected;
  summary_.records_written += result.record_ends.size();
  summary_.input_bytes += result.input_bytes;
  ASSIGN_OR_RETURN(const bool go_on, accept_(result));
  if (options_.strictness == Strictness::kStrict && error) return absl::DataLossError(first_error);
  if (options_.cancelled != nullptr && options_.cancelled()) return absl::CancelledError("interrupted");
  return go_on;
}

std::unique_ptr<Job> Run::TakeIdleJob() {
  if (idle_jobs_.empty()) return std::make_unique<Job>();
  std::unique_ptr<Job> job = std::move(idle_jobs_.back());
  idle_jobs_.pop_back();
  return job;
}

void Run::WorkOn(Job* job) {
  std::unique_ptr<Worker> worker;
  {
    base::MutexLock lock(&mutex_);
    worker = std::move(idle_workers_.back());
    idle_workers_.pop_back();
  }
  worker->Process(reader_.format(), job->chunk.chunk, &job->result);
  base::MutexLock lock(&mutex_);
  idle_workers_.push_back(std::move(worker));
  job->done = true;
  changed_.SignalAll();
}

absl::Status Run::OnThreads() {
  {
    base::MutexLock lock(&mutex_);
    for (size_t i = 0; i < options_.threads; ++i) idle_workers_.push_back(std::make_unique<Worker>(options_));
  }
  std::deque<std::unique_ptr<Job>> jobs;  // in order; outlives the pool
  base::ThreadPool pool("marc", options_.threads);
  bool more = true;
  absl::Status read_status;
  absl::Status status;
  while (true) {
    while (more && jobs.size() < 2 * options_.threads + 1) {
      std::unique_ptr<Job> job = TakeIdleJob();
      const absl::StatusOr<bool> read = reader_.Next(&job->chunk);
      // A reading error counts once everything read before it was accepted.
      if (!read.ok()) read_status = read.status();
      more = read.ok() && *read;
      if (!more) break;
      job->done = false;
      Job* raw = job.get();
      jobs.push_back(std::move(job));
      pool.Add([this, raw] { WorkOn(raw); });
    }
    if (jobs.empty()) {
      status = read_status;
      break;
    }
    {
      base::MutexLock lock(&mutex_);
      while (!jobs.front()->done) changed_.Wait(&mutex_);
    }
    const absl::StatusOr<bool> accepted = Accept(jobs.front()->result);
    if (!accepted.ok()) status = accepted.status();
    if (!accepted.ok() || !*accepted) break;
    idle_jobs_.push_back(std::move(jobs.front()));
    jobs.pop_front();
  }
  pool.Wait();
  return status;
}

}  // namespace

absl::StatusOr<PipelineSummary> RunPipeline(ChunkReader& reader, const PipelineOptions& options,
                                            const ResultAcceptor& accept) {
  Run run(reader, options, accept);
  RETURN_IF_ERROR(options.threads <= 1 ? run.OnThisThread() : run.OnThreads());
  return run.summary();
}

}  // namespace marc
