// The compressing and decompressing streams behind base/os/stream.h.
//
// Threads: thread-compatible.
#ifndef BASE_OS_STREAM_CODEC_H_
#define BASE_OS_STREAM_CODEC_H_

#include <memory>

#include "base/os/stream.h"

namespace base::internal {

// Concatenated members and frames are read as one stream, as gzip and zstd do.
std::unique_ptr<Source> GzipSource(std::unique_ptr<Source> compressed);
std::unique_ptr<Source> ZstdSource(std::unique_ptr<Source> compressed);
std::unique_ptr<Sink> GzipSink(std::unique_ptr<Sink> compressed);
std::unique_ptr<Sink> ZstdSink(std::unique_ptr<Sink> compressed);

}  // namespace base::internal

#endif  // BASE_OS_STREAM_CODEC_H_
