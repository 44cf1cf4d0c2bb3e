#include "marc/stream/writer.h"

#include <isa-l/crc.h>

#include <deque>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"

namespace marc {

// Batches on their way to the sink, and the thread that brings them there.
//
// Threads: Push(), Drain() from the writer's thread.
class Writer::Queue {
 public:
  Queue(base::Sink& sink, size_t queue_max) : sink_(sink), queue_max_(queue_max), thread_([this] { Work(); }) {}
  ~Queue() {
    {
      base::MutexLock lock(&mutex_);
      stopping_ = true;
      changed_.SignalAll();
    }
    thread_.join();
  }

  // Swaps `batch` for an empty one. Waits while the queue is full.
  absl::Status Push(Buffer* batch) ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    while (waiting_.size() >= queue_max_ && status_.ok()) changed_.Wait(&mutex_);
    RETURN_IF_ERROR(status_);
    waiting_.push_back(std::move(*batch));
    *batch = Buffer();
    if (!free_.empty()) {
      *batch = std::move(free_.back());
      free_.pop_back();
    }
    changed_.SignalAll();
    return absl::OkStatus();
  }

  absl::Status Drain() ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    while ((!waiting_.empty() || writing_) && status_.ok()) changed_.Wait(&mutex_);
    return status_;
  }

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_) {
    base::SetThreadName("marc-writer");
    Buffer batch;
    while (true) {
      {
        base::MutexLock lock(&mutex_);
        while (waiting_.empty() && !stopping_) changed_.Wait(&mutex_);
        if (stopping_) return;
        batch = std::move(waiting_.front());
        waiting_.pop_front();
        writing_ = true;
      }
      const absl::Status status = sink_.Write(batch.view());
      batch.Clear();
      base::MutexLock lock(&mutex_);
      writing_ = false;
      if (status_.ok()) status_ = status;
      free_.push_back(std::move(batch));
      batch = Buffer();
      changed_.SignalAll();
    }
  }

  base::Sink& sink_;
  const size_t queue_max_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Buffer> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Buffer> free_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

Writer::Writer(std::unique_ptr<base::Sink> sink, const WriterOptions& options, RecordSink* problems)
    : options_(options),
      sink_(std::move(sink)),
      serializer_(MakeSerializer(options.format, options.iso2709, problems)) {
  batch_.Append(serializer_->header());
  if (options_.asynchronous) queue_ = std::make_unique<Queue>(*sink_, options_.queue_max);
}

Writer::~Writer() = default;

absl::Status Writer::Write(const RecordView& record) {
  if (closed_) return absl::FailedPreconditionError("record written to a closed writer");
  RETURN_IF_ERROR(status_);
  const size_t before = batch_.size();
  if (!serializer_->Append(record, &batch_)) {
    ++summary_.rejected;
    return absl::InvalidArgumentError("the record cannot be written in this format");
  }
  const size_t separator = serializer_->separator().size();
  if (summary_.records == 0 && separator != 0) {
    // The first record has nothing to be separated from.
    const size_t size = batch_.size() - before - separator;
    memmove(batch_.data() + before, batch_.data() + before + separator, size);
    batch_.Truncate(before + size);
  }
  ++summary_.records;
  return batch_.size() < options_.batch_bytes ? absl::OkStatus() : HandOver();
}

absl::Status Writer::HandOver() {
  if (batch_.size() == 0) return status_;
  summary_.bytes += batch_.size();
  summary_.crc32c =
      ~crc32_iscsi(reinterpret_cast<unsigned char*>(batch_.data()), static_cast<int>(batch_.size()), ~summary_.crc32c);
  if (queue_ != nullptr) {
    status_ = queue_->Push(&batch_);
  } else {
    status_ = sink_->Write(batch_.view());
  }
  batch_.Clear();
  return status_;
}

absl::Status Writer::Flush() {
  RETURN_IF_ERROR(status_);
  RETURN_IF_ERROR(HandOver());
  if (queue_ != nullptr) status_ = queue_->Drain();
  return status_;
}

absl::StatusOr<WriterSummary> Writer::Close() {
  if (closed_) return absl::FailedPreconditionError("writer closed twice");
  closed_ = true;
  batch_.Append(serializer_->footer());
  RETURN_IF_ERROR(Flush());
  queue_.reset();
  RETURN_IF_ERROR(sink_->Close());
  return summary_;
}

Writer& WriterSet::Add(std::unique_ptr<base::Sink> sink, const WriterOptions& options, RecordSink* problems) {
  writers_.push_back(std::make_unique<Writer>(std::move(sink), options, problems));
  return *writers_.back();
}

absl::StatusOr<WriterSummary> WriterSet::CloseAll() {
  WriterSummary sum;
  absl::Status first;
  for (const std::unique_ptr<Writer>& writer : writers_) {
    const absl::StatusOr<WriterSummary> one = writer->Close();
    if (!one.ok()) {
      if (first.ok()) first = one.status();
      continue;
    }
    sum.records += one->records;
    sum.rejected += one->rejected;
    sum.bytes += one->bytes;
  }
  RETURN_IF_ERROR(first);
  return sum;
}

}  // namespace marc
