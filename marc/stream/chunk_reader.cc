#include "marc/stream/chunk_reader.h"

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"

namespace marc {

// A record, and enough behind it to see that the next one begins there.
constexpr size_t kWindowMax = kRecordSizeMax + (size_t{64} << 10);

ChunkReader::ChunkReader(std::unique_ptr<base::Source> source, Format format, size_t chunk_bytes)
    : source_(std::move(source)), format_(format), chunk_bytes_(chunk_bytes) {}

ChunkReader::ChunkReader(absl::string_view whole, Format format, size_t chunk_bytes)
    : whole_(whole), format_(format), chunk_bytes_(chunk_bytes) {}

std::unique_ptr<Splitter> ChunkReader::NewSplitter() const {
  return make_splitter_ != nullptr ? make_splitter_() : MakeSplitter(format_);
}

void ChunkReader::SetFormat(absl::string_view begin) {
  if (format_ == Format::kAuto) format_ = DetectFormat(begin);
  if (splitter_ == nullptr) splitter_ = NewSplitter();
}

// Reads until `memory` holds `size` bytes or the source ends.
absl::Status ChunkReader::Fill(Buffer* memory, size_t size) {
  while (memory->size() < size && !at_end_) {
    const size_t want = size - memory->size();
    char* to = memory->Reserve(want);
    ASSIGN_OR_RETURN(const size_t count, source_->Read(absl::MakeSpan(to, want)));
    memory->Advance(count);
    at_end_ = count == 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<Format> ChunkReader::Detect() {
  if (source_ == nullptr) return format_ == Format::kAuto && !whole_.empty() ? DetectFormat(whole_) : format_;
  Buffer begin;
  RETURN_IF_ERROR(Fill(&begin, 4096));
  rest_.assign(begin.data(), begin.size());
  return format_ == Format::kAuto && !rest_.empty() ? DetectFormat(rest_) : format_;
}

absl::StatusOr<bool> ChunkReader::Next(OwnedChunk* owned) {
  if (source_ == nullptr) return NextMapped(owned);
  Buffer& memory = owned->memory;
  memory.Clear();
  memory.Append(rest_);
  size_t window = std::max(chunk_bytes_, rest_.size() + 1);
  size_t cut = 0;
  while (true) {
    RETURN_IF_ERROR(Fill(&memory, window));
    if (memory.size() == 0) return false;
    SetFormat(memory.view());
    cut = splitter_->Cut(memory.view(), at_end_);
    if (cut != 0) break;
    if (at_end_ || memory.size() >= kWindowMax) {
      cut = memory.size();
      splitter_ = NewSplitter();
      break;
    }
    window = std::min(kWindowMax, memory.size() * 2);
  }
  rest_.assign(memory.data() + cut, memory.size() - cut);
  memset(memory.Reserve(kPaddingBytes), 0, kPaddingBytes);
  owned->chunk.bytes = memory.view().substr(0, cut);
  owned->chunk.behind = memory.view().substr(cut);
  owned->chunk.byte_offset = offset_;
  owned->chunk.at_end = at_end_;
  offset_ += cut;
  return true;
}

bool ChunkReader::NextMapped(OwnedChunk* owned) {
  if (offset_ == whole_.size()) return false;
  SetFormat(whole_);
  size_t window = chunk_bytes_;
  absl::string_view view;
  size_t cut = 0;
  while (cut == 0) {
    view = whole_.substr(offset_, window);
    at_end_ = offset_ + view.size() == whole_.size();
    cut = splitter_->Cut(view, at_end_);
    if (cut != 0) break;
    if (window >= kWindowMax) {
      cut = view.size();
      splitter_ = NewSplitter();
    }
    window *= 2;
  }
  owned->chunk.byte_offset = offset_;
  owned->chunk.at_end = at_end_;
  offset_ += cut;
  if (whole_.size() - offset_ < kPaddingBytes) {
    owned->memory.Clear();
    owned->memory.Append(view);
    memset(owned->memory.Reserve(kPaddingBytes), 0, kPaddingBytes);
    view = owned->memory.view();
  }
  owned->chunk.bytes = view.substr(0, cut);
  owned->chunk.behind = view.substr(cut);
  return true;
}

}  // namespace marc
