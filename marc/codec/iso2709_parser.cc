#include "marc/codec/iso2709_parser.h"

#include <utility>

#include "marc/codec/iso2709_frame.h"
#include "marc/codec/iso2709_repair.h"

namespace marc {

size_t Iso2709Splitter::Cut(absl::string_view window, bool at_end) {
  if (at_end) return window.size();
  size_t at = 0;
  while (true) {
    const Frame frame = FrameRecord(window.substr(at), at_end);
    if (frame.kind != FrameKind::kRecord) return at;
    at += frame.skipped + frame.size;
  }
}

Iso2709Parser::Iso2709Parser(Strictness strictness, RecordSink* sink) : strictness_(strictness), sink_(*sink) {}

void Iso2709Parser::Start(const Chunk& chunk) {
  text_ = absl::string_view(chunk.bytes.data(), chunk.bytes.size() + chunk.behind.size());
  chunk_size_ = chunk.bytes.size();
  at_end_ = chunk.at_end;
  byte_offset_ = chunk.byte_offset;
  at_ = 0;
  ordinal_ = 0;
}

bool Iso2709Parser::Next(RecordView* record) {
  while (at_ < chunk_size_) {
    Frame frame = FrameRecord(text_.substr(at_), at_end_);
    if (frame.kind == FrameKind::kNeedMore) {
      // Only for a chunk that was not cut by the splitter.
      frame = FrameRecord(text_.substr(at_), /*at_end=*/true);
    }
    if (frame.skipped > 0) ReportSkipped(text_.substr(at_, frame.skipped), at_);
    at_ += frame.skipped;
    if (frame.kind == FrameKind::kEnd) {
      at_ = chunk_size_;
      return false;
    }
    const absl::string_view bytes = text_.substr(at_, frame.size);
    const uint64_t offset = byte_offset_ + at_;
    at_ += frame.size;
    ++ordinal_;
    FastRecord fast;
    if (fields_.size() < kEntriesMax) fields_.resize(kEntriesMax);
    if (frame.length_true && ParseWellFormed(bytes, fields_.data(), &fast)) {
      record->Set(bytes.data(), absl::MakeConstSpan(fields_.data(), fast.fields_count), bytes);
      record->SetText(fast.high, fast.controls, fast.regular);
      record->SetPlace(ordinal_, offset);
      return true;
    }
    const RepairRequest request = {bytes, frame, ordinal_, offset, strictness_};
    if (RepairIso2709(request, &fields_, &sink_, record)) return true;
  }
  return false;
}

void Iso2709Parser::ReportSkipped(absl::string_view skipped, size_t offset) {
  // Line ends between records are what many exports do (SPEC R2).
  if (skipped.find_first_not_of("\r\n") == absl::string_view::npos) return;
  Problem problem = MakeProblem(ProblemCode::kBytesBetweenRecords, "a record", "skipped");
  problem.record = ordinal_ + 1;
  problem.byte_offset = byte_offset_ + offset;
  problem.found = std::string(skipped.substr(0, 64));
  sink_.Report(std::move(problem));
}

}  // namespace marc
