// ChunkReader cuts a stream into chunks of whole records.
//
// Bounds:  a chunk has about `chunk_bytes`, more only when one record is longer,
//          up to kRecordSizeMax and some; then it is cut anyway and its parser says so.
// Errors:  the source's
// Threads: thread-compatible; chunks may go to other threads.
#ifndef MARC_STREAM_CHUNK_READER_H_
#define MARC_STREAM_CHUNK_READER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/os/stream.h"
#include "marc/codec/parser.h"
#include "marc/stream/format.h"

namespace marc {

// A chunk and the memory it lies in. Moves keep the views valid.
struct OwnedChunk {
  Buffer memory;
  Chunk chunk;
};

class ChunkReader {
 public:
  // Small enough that a chunk is still in the cache when it is parsed.
  static constexpr size_t kChunkBytes = size_t{256} << 10;

  // kAuto looks at the first bytes. `source` is owned.
  ChunkReader(std::unique_ptr<base::Source> source, Format format, size_t chunk_bytes = kChunkBytes);
  // Bytes in memory, such as a mapped file: chunks are views of them (only the
  // last one is copied, for its padding). `whole` must outlive the reader.
  ChunkReader(absl::string_view whole, Format format, size_t chunk_bytes = kChunkBytes);

  // Cuts by `make` instead of by the format. REQUIRES: before the first Next().
  void SetSplitter(std::function<std::unique_ptr<Splitter>()> make) { make_splitter_ = std::move(make); }

  // The format of the content, before anything was taken from it.
  // REQUIRES: before the first Next().
  absl::StatusOr<Format> Detect();

  // The next chunk into `chunk`, whose memory is reused. False: the end.
  absl::StatusOr<bool> Next(OwnedChunk* chunk);

  // The format read, known after the first Next().
  Format format() const { return format_; }
  uint64_t bytes_read() const { return offset_ + rest_.size(); }

 private:
  absl::Status Fill(Buffer* memory, size_t size);
  std::unique_ptr<Splitter> NewSplitter() const;
  void SetFormat(absl::string_view begin);
  bool NextMapped(OwnedChunk* chunk);

  std::unique_ptr<base::Source> source_;
  absl::string_view whole_;
  Format format_;
  const size_t chunk_bytes_;
  std::function<std::unique_ptr<Splitter>()> make_splitter_;
  std::unique_ptr<Splitter> splitter_;
  std::string rest_;     // behind the last cut
  uint64_t offset_ = 0;  // of rest_ in the input
  bool at_end_ = false;
};

}  // namespace marc

#endif  // MARC_STREAM_CHUNK_READER_H_
