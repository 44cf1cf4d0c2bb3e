// Writer serialises records into large batches; WriterSet holds independent ones.
//
// Phases:  snapshot and serialise happen in Write(), into the writer's own batch
//          and under no lock; a full batch (1 MiB) is handed to the sink, by a
//          thread of the writer with `asynchronous`. So a slow sink holds up
//          only its own writer, and that only once its queue is full.
// Bounds:  memory is (queue_max + 2) batches a writer.
// Errors:  InvalidArgument     the record cannot be written in this format; it was
//                              reported, nothing of it was written
//          FailedPrecondition  closed already
//          other               the sink's; from then on every call gives it
// Threads: thread-compatible; distinct writers share nothing.
//
// Example:
//   WriterSet set;
//   Writer& writer = set.Add(std::move(sink), {.format = Format::kMarcXml}, &problems);
//   RETURN_IF_ERROR(writer.Write(record));
//   ASSIGN_OR_RETURN(const WriterSummary summary, set.CloseAll());
#ifndef MARC_STREAM_WRITER_H_
#define MARC_STREAM_WRITER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/os/stream.h"
#include "marc/codec/parser.h"
#include "marc/codec/record.h"
#include "marc/stream/format.h"

namespace marc {

struct WriterOptions {
  Format format = Format::kIso2709;
  Iso2709WriteOptions iso2709;
  size_t batch_bytes = size_t{1} << 20;
  bool asynchronous = false;
  size_t queue_max = 4;  // batches waiting for the sink, with `asynchronous`
};

struct WriterSummary {
  uint64_t records = 0;
  uint64_t rejected = 0;  // could not be written in the format
  uint64_t bytes = 0;
  uint32_t crc32c = 0;  // of all bytes
};

class Writer {
 public:
  // REQUIRES: options.format is not kAuto. `problems` must outlive the writer.
  Writer(std::unique_ptr<base::Sink> sink, const WriterOptions& options, RecordSink* problems);
  ~Writer();  // abandons what was not closed

  absl::Status Write(const RecordView& record);
  absl::Status Write(const Record& record) { return Write(record.view()); }
  // Hands over what is in the batch, and waits for the sink.
  absl::Status Flush();
  // Footer, last batch, and the sink's Close(). Nothing may be written after it.
  absl::StatusOr<WriterSummary> Close();

 private:
  class Queue;

  absl::Status HandOver();

  const WriterOptions options_;
  std::unique_ptr<base::Sink> sink_;
  std::unique_ptr<Serializer> serializer_;
  Buffer batch_;
  WriterSummary summary_;
  absl::Status status_;
  bool closed_ = false;
  std::unique_ptr<Queue> queue_;  // last, so that its thread ends first
};

// Threads: Add() and CloseAll() from one thread; the writers from any, each by
//          one at a time.
class WriterSet {
 public:
  // The writer is the set's and lives as long.
  Writer& Add(std::unique_ptr<base::Sink> sink, const WriterOptions& options, RecordSink* problems);
  size_t size() const { return writers_.size(); }
  Writer& writer(size_t index) { return *writers_[index]; }
  // Closes all, also behind a failure; sums, or the first error. The CRC is 0.
  absl::StatusOr<WriterSummary> CloseAll();

 private:
  std::vector<std::unique_ptr<Writer>> writers_;
};

}  // namespace marc

#endif  // MARC_STREAM_WRITER_H_
