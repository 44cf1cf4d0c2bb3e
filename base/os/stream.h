// Streams of bytes: files, standard input and output, gzip and zstd.
//
// Errors:  DataLoss  compressed input is damaged or cut short
//          other     the file's error, with its path
// Threads: thread-compatible.
//
// Example:
//   ASSIGN_OR_RETURN(auto source, base::OpenSource(path));       // "-", .gz and .zst too
//   ASSIGN_OR_RETURN(auto sink, base::OpenSink(out, {}));        // replaced on Close()
#ifndef BASE_OS_STREAM_H_
#define BASE_OS_STREAM_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/os/file.h"

namespace base {

enum class Compression { kNone, kGzip, kZstd };

class Source {
 public:
  virtual ~Source() = default;
  // At least one byte unless the stream has ended (0) or `out` is empty.
  virtual absl::StatusOr<size_t> Read(absl::Span<char> out) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;  // abandons what was not closed
  virtual absl::Status Write(absl::string_view data) = 0;
  // Nothing may be written after it. Only now a file appears.
  virtual absl::Status Close() = 0;
};

// Reads `path` ("-" = standard input), decompressing what starts as gzip or zstd does.
absl::StatusOr<std::unique_ptr<Source>> OpenSource(const std::string& path);
// Decompresses `source` if its first bytes say so, else gives it back as it is.
absl::StatusOr<std::unique_ptr<Source>> Decompress(std::unique_ptr<Source> source);
// Bytes in memory; `data` is borrowed.
std::unique_ptr<Source> MemorySource(absl::string_view data);

// Replaces `path` atomically on Close(); "-" is standard output, a FIFO or a
// device is written as it goes. Compresses as asked, or by the name's ending
// (.gz, .zst) with `by_name`.
struct SinkOptions {
  Compression compression = Compression::kNone;
  bool by_name = true;
  ReplaceOptions replace;
};
absl::StatusOr<std::unique_ptr<Sink>> OpenSink(const std::string& path, const SinkOptions& options);
std::unique_ptr<Sink> Compress(std::unique_ptr<Sink> sink, Compression compression);
// Appends to `out`, which is borrowed.
std::unique_ptr<Sink> MemorySink(std::string* out);

}  // namespace base

#endif  // BASE_OS_STREAM_H_
