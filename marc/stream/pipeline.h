// RunPipeline reads, transforms and serialises records on several threads and
// gives the results out in input order.
//
// Shape:   chunks of whole records go to workers; each parses, transforms and
//          serialises its chunk into one buffer; results are accepted in order on
//          the calling thread. The bytes are the same for any number of threads.
// Bounds:  at most 2 * threads + 1 chunks with their results at a time.
// Errors:  DataLoss   `strict`, and a record was rejected; everything before it was
//                     accepted
//          Cancelled  `cancelled` said so; what was accepted are whole records
//          other      the reader's or the output's
// Threads: the factories are called on the calling thread before any work; their
//          products run on one thread at a time.
#ifndef MARC_STREAM_PIPELINE_H_
#define MARC_STREAM_PIPELINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "marc/codec/parser.h"
#include "marc/stream/chunk_reader.h"

namespace marc {

// What is done to each record between reading and writing.
//
// Threads: thread-compatible.
class Transform {
 public:
  enum class Verdict {
    kKeep,    // *out is written
    kDrop,    // not wanted
    kReject,  // not written because of a reported problem
  };
  virtual ~Transform() = default;
  // *out starts as `record` and must be valid until the next call.
  virtual Verdict Apply(const RecordView& record, RecordView* out) = 0;
};

struct ChunkResult {
  Buffer bytes;                                // serialised records
  std::vector<std::string> record_keys;        // one a record, with PipelineOptions::key
  std::vector<size_t> record_ends;             // in `bytes`
  std::vector<Problem> problems;               // ordinals count over the whole input
  std::map<ProblemCode, uint64_t> suppressed;  // beyond the chunk's bound on problems
  Buffer rejected;                             // as they were in the input, if wanted
  Buffer diverted;                             // records for the other output, if there is one
  uint64_t records_read = 0;                   // rejected ones included
  uint64_t records_rejected = 0;
  uint64_t input_bytes = 0;
};

struct PipelineOptions {
  Strictness strictness = Strictness::kLenient;
  size_t threads = 1;
  bool keep_rejected = false;
  std::string input_name;                                                        // for problems
  std::function<std::unique_ptr<Transform>(RecordSink*)> transform;              // null: every record is kept
  std::function<std::unique_ptr<Serializer>(RecordSink*)> serializer;            // null: nothing is written
  std::function<std::unique_ptr<Serializer>(RecordSink*)> diverter;              // null: there is no other output
  std::function<std::string(const RecordView&)> key;                             // of a written record; null: none
  std::function<std::unique_ptr<RecordParser>(Strictness, RecordSink*)> parser;  // null: by the reader's format
  std::function<bool()> cancelled;                                               // null: never
};

struct PipelineSummary {
  uint64_t records_read = 0;
  uint64_t records_rejected = 0;
  uint64_t records_written = 0;
  uint64_t input_bytes = 0;
};

// Takes a result, in order. False ends the run early without an error.
using ResultAcceptor = std::function<absl::StatusOr<bool>(ChunkResult& result)>;

absl::StatusOr<PipelineSummary> RunPipeline(ChunkReader& reader, const PipelineOptions& options,
                                            const ResultAcceptor& accept);

}  // namespace marc

#endif  // MARC_STREAM_PIPELINE_H_
