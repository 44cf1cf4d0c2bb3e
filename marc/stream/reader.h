// Reader gives the records of a stream one after another, BatchReader by the chunk.
//
// Life:    a view of Reader lives until its next Next(), of a RecordBatch as long
//          as the batch.
// Errors:  DataLoss  kStrict met a record with an error; its problem's text
//          other     the source's
// Threads: thread-compatible; batches may go to other threads.
//
// Example:
//   ASSIGN_OR_RETURN(auto source, base::OpenSource("in.mrc.gz"));
//   Reader reader(std::move(source), {}, &problems);
//   RecordView record;
//   while (true) {
//     ASSIGN_OR_RETURN(const bool more, reader.Next(&record));
//     if (!more) break;
//     ...
//   }
#ifndef MARC_STREAM_READER_H_
#define MARC_STREAM_READER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "marc/stream/chunk_reader.h"
#include "marc/stream/format.h"

namespace marc {

struct ReaderOptions {
  Format format = Format::kAuto;
  Strictness strictness = Strictness::kLenient;
  size_t chunk_bytes = ChunkReader::kChunkBytes;
};

class Reader {
 public:
  // `sink` must outlive the reader.
  Reader(std::unique_ptr<base::Source> source, const ReaderOptions& options, RecordSink* sink);
  ~Reader();

  // False: the end.
  absl::StatusOr<bool> Next(RecordView* record);
  Format format() const { return chunks_.format(); }

 private:
  class StrictSink;

  const ReaderOptions options_;
  ChunkReader chunks_;
  std::unique_ptr<StrictSink> sink_;
  std::unique_ptr<RecordParser> parser_;
  OwnedChunk chunk_;
  bool in_chunk_ = false;
  uint64_t ordinals_before_ = 0;  // records of earlier chunks
};

// The records of one chunk.
//
// Threads: immutable; thread-safe to read.
class RecordBatch {
 public:
  const std::vector<RecordView>& records() const { return records_; }

 private:
  friend class BatchReader;
  OwnedChunk chunk_;
  std::vector<std::unique_ptr<std::vector<FieldView>>> fields_;
  std::vector<std::unique_ptr<Buffer>> copies_;  // of what a parser holds itself
  std::vector<RecordView> records_;
};

class BatchReader {
 public:
  BatchReader(std::unique_ptr<base::Source> source, const ReaderOptions& options, RecordSink* sink);

  // The next chunk's records, at least one; nullptr: the end.
  absl::StatusOr<std::unique_ptr<RecordBatch>> Next();

 private:
  const ReaderOptions options_;
  RecordSink& sink_;
  ChunkReader chunks_;
  uint64_t ordinals_before_ = 0;
};

}  // namespace marc

#endif  // MARC_STREAM_READER_H_
