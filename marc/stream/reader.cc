#include "marc/stream/reader.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"

namespace marc {

// Passes everything on, with ordinals counted over the stream, and remembers
// the first error of a rejected record.
class Reader::StrictSink : public RecordSink {
 public:
  explicit StrictSink(RecordSink& sink) : sink_(sink) {}
  void Report(Problem problem) override {
    if (problem.record != 0) problem.record += ordinals_before_;
    if (problem.severity == Severity::kError && error_.empty()) error_ = DebugString(problem);
    sink_.Report(std::move(problem));
  }
  void Reject(absl::string_view bytes) override {
    rejected_ = true;
    sink_.Reject(bytes);
  }
  void set_ordinals_before(uint64_t count) { ordinals_before_ = count; }
  bool rejected() const { return rejected_; }
  const std::string& error() const { return error_; }

 private:
  RecordSink& sink_;
  uint64_t ordinals_before_ = 0;
  bool rejected_ = false;
  std::string error_;
};

Reader::Reader(std::unique_ptr<base::Source> source, const ReaderOptions& options, RecordSink* sink)
    : options_(options),
      chunks_(std::move(source), options.format, options.chunk_bytes),
      sink_(std::make_unique<StrictSink>(*sink)) {}

Reader::~Reader() = default;

absl::StatusOr<bool> Reader::Next(RecordView* record) {
  while (true) {
    if (options_.strictness == Strictness::kStrict && sink_->rejected()) return absl::DataLossError(sink_->error());
    if (in_chunk_ && parser_->Next(record)) {
      // In kStrict nothing behind a rejected record is delivered.
      if (options_.strictness == Strictness::kStrict && sink_->rejected()) continue;
      record->SetPlace(ordinals_before_ + record->ordinal(), record->byte_offset());
      return true;
    }
    if (in_chunk_) ordinals_before_ += parser_->records_seen();
    sink_->set_ordinals_before(ordinals_before_);
    in_chunk_ = false;
    if (options_.strictness == Strictness::kStrict && sink_->rejected()) continue;
    ASSIGN_OR_RETURN(const bool more, chunks_.Next(&chunk_));
    if (!more) return false;
    if (parser_ == nullptr) parser_ = MakeParser(chunks_.format(), options_.strictness, sink_.get());
    parser_->Start(chunk_.chunk);
    in_chunk_ = true;
  }
}

BatchReader::BatchReader(std::unique_ptr<base::Source> source, const ReaderOptions& options, RecordSink* sink)
    : options_(options), sink_(*sink), chunks_(std::move(source), options.format, options.chunk_bytes) {}

absl::StatusOr<std::unique_ptr<RecordBatch>> BatchReader::Next() {
  while (true) {
    auto batch = std::make_unique<RecordBatch>();
    ASSIGN_OR_RETURN(const bool more, chunks_.Next(&batch->chunk_));
    if (!more) return std::unique_ptr<RecordBatch>();
    const std::unique_ptr<RecordParser> parser = MakeParser(chunks_.format(), options_.strictness, &sink_);
    parser->Start(batch->chunk_.chunk);
    RecordView record;
    while (parser->Next(&record)) {
      auto fields = std::make_unique<std::vector<FieldView>>(record.fields().begin(), record.fields().end());
      const char* leader = record.leader().bytes().data();
      if (chunks_.format() != Format::kIso2709) {
        // These parsers hold the content of one record at a time.
        auto copy = std::make_unique<Buffer>();
        size_t size = kLeaderSize;
        for (const FieldView& field : *fields) size += field.size + 1;
        copy->Reserve(size);
        copy->Append(record.leader().bytes());
        leader = copy->data();
        for (FieldView& field : *fields) {
          const char* at = copy->data() + copy->size();
          copy->Append(field.content());
          copy->Append(kFieldTerminator);
          field.data = at;
        }
        batch->copies_.push_back(std::move(copy));
      }
      RecordView view = record;
      view.Set(leader, *fields, record.bytes());
      view.SetPlace(ordinals_before_ + record.ordinal(), record.byte_offset());
      batch->fields_.push_back(std::move(fields));
      batch->records_.push_back(view);
    }
    ordinals_before_ += parser->records_seen();
    if (!batch->records_.empty()) return batch;
  }
}

}  // namespace marc
