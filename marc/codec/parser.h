// The parts every format offers: a Splitter that cuts a stream of bytes at
// record borders, a RecordParser that reads the records of such a piece, and a
// Serializer that appends records to a buffer.
//
// Shape:   input -> Splitter -> chunks of whole records -> RecordParser ->
//          RecordView -> Serializer -> bytes. Chunks are independent of each
//          other, so any number of threads may work on them; where they are
//          cut never changes what is read from them.
// Threads: thread-compatible; one parser and one serializer a thread.
#ifndef MARC_CODEC_PARSER_H_
#define MARC_CODEC_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "marc/codec/buffer.h"
#include "marc/codec/problem.h"
#include "marc/codec/record_view.h"

namespace marc {

// How much is forgiven while reading, whatever is checked.
//   kStrict   a record with an error is rejected, and its consumer stops there
//   kLenient  a record is repaired where the bytes leave one reading, else
//   rejected kSalvage  whatever can be read is read, also by guess
// Every repair and rejection is reported.
enum class Strictness { kStrict, kLenient, kSalvage };

// A piece of input that holds whole records.
struct Chunk {
  absl::string_view bytes;   // followed by kPaddingBytes readable bytes
  absl::string_view behind;  // what follows in the input, as far as it is at hand
  uint64_t byte_offset = 0;  // of `bytes` in the input
  bool at_end = false;       // the input ends with `behind`
};

// Takes the problems and the rejected records of a parser or serializer.
class RecordSink : public ProblemSink {
 public:
  // `bytes`: the record as it was in the input.
  virtual void Reject(absl::string_view bytes) = 0;
  // Takes a record that does not fit the output's format, for another output.
  // False: there is none.
  virtual bool Divert(const RecordView& /*record*/) { return false; }
};

// Keeps problems and counts rejections.
//
// Threads: thread-compatible.
class RecordProblems : public RecordSink {
 public:
  void Report(Problem problem) override { list_.Report(std::move(problem)); }
  void Reject(absl::string_view bytes) override { rejected_.emplace_back(bytes); }
  const std::vector<Problem>& problems() const { return list_.problems(); }
  const ProblemList& list() const { return list_; }
  const std::vector<std::string>& rejected() const { return rejected_; }

 private:
  ProblemList list_;
  std::vector<std::string> rejected_;
};

class Splitter {
 public:
  virtual ~Splitter() = default;
  // Length of the longest prefix of `window` that ends between two records; 0
  // when not even one record is whole (more bytes are needed). With `at_end`
  // it is everything. `window` begins where the last cut was made.
  virtual size_t Cut(absl::string_view window, bool at_end) = 0;
};

class RecordParser {
 public:
  virtual ~RecordParser() = default;
  // Begins to read `chunk`, whose bytes must outlive the views of its records.
  virtual void Start(const Chunk& chunk) = 0;
  // The next record, valid until the next call. False: the chunk is done.
  // Records are numbered from 1 in each chunk; rejected ones count.
  virtual bool Next(RecordView* record) = 0;
  // How many records Next() has passed, rejected ones included.
  virtual uint64_t records_seen() const = 0;
};

class Serializer {
 public:
  virtual ~Serializer() = default;
  // What comes before the first and behind the last record.
  virtual absl::string_view header() const { return {}; }
  virtual absl::string_view footer() const { return {}; }
  // Begins every record but is left out before the first of the output.
  virtual absl::string_view separator() const { return {}; }
  // Appends `record`, separator included. False: it cannot be written in this
  // format; nothing was appended and the reason was reported.
  virtual bool Append(const RecordView& record, Buffer* out) = 0;
};

// Problem with the place of `record` filled in.
Problem ProblemAt(ProblemCode code, const RecordView& record, absl::string_view expected, absl::string_view action);

}  // namespace marc

#endif  // MARC_CODEC_PARSER_H_
