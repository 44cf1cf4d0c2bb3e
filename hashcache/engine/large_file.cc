#include "hashcache/engine/large_file.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/digest/blake3_tree.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/engine/segment_digest.h"
#include "hashcache/os/guarded_map.h"
#include "hashcache/os/threaded_files.h"

namespace hashcache {
namespace {

constexpr unsigned kReadsInFlight = 8;
constexpr size_t kBuffers = 12;  // some being hashed while eight are being read
constexpr size_t kBufferAlignment = 4096;
constexpr uint64_t kMapWindow = 16 << 20;
constexpr double kResidentMin = 0.95;
constexpr double kColdMax = 0.1;

uint64_t SegmentCount(uint64_t size_bytes) { return (size_bytes + kBlake3SegmentSize - 1) / kBlake3SegmentSize; }

absl::Status Stopped() { return absl::CancelledError("stopped while reading"); }

// The buffers of one direct reading and where each is.
class BufferRing {
 public:
  BufferRing() : memory_(static_cast<uint8_t*>(std::aligned_alloc(kBufferAlignment, kBuffers * kBlake3SegmentSize))) {
    for (size_t i = 0; i < kBuffers; ++i) free_.push_back(i);
  }
  ~BufferRing() { std::free(memory_); }
  absl::Span<uint8_t> At(size_t buffer) const { return {memory_ + buffer * kBlake3SegmentSize, kBlake3SegmentSize}; }
  // The index of a free buffer; -1 if there is none and `wait` is false.
  int Take(bool wait) ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    while (free_.empty() && wait) freed_.Wait(&mutex_);
    if (free_.empty()) return -1;
    const size_t buffer = free_.back();
    free_.pop_back();
    return static_cast<int>(buffer);
  }
  void Give(size_t buffer) ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    free_.push_back(buffer);
    freed_.Signal();
  }

 private:
  uint8_t* const memory_;
  base::Mutex mutex_;
  base::CondVar freed_;
  std::vector<size_t> free_ ABSL_GUARDED_BY(mutex_);
};

struct DirectRead {
  int buffer = -1;
  int result = -1;
  bool done = false;
};

}  // namespace

ReadMethod LargeFileHasher::Choose(uint64_t size_bytes, double residency, bool leased) {
  if (size_bytes >= kMapSizeMin && residency >= kResidentMin && leased) return ReadMethod::kMapped;
  if (size_bytes >= kDirectSizeMin && residency >= 0 && residency < kColdMax) return ReadMethod::kDirect;
  return ReadMethod::kBlocking;
}

absl::StatusOr<LargeRead> LargeFileHasher::Hash(int fd, uint64_t size_bytes, AlgorithmSet algorithms,
                                                ReadMethod method) {
  if (method == ReadMethod::kMapped) return HashMapped(fd, size_bytes, algorithms);
  if (method == ReadMethod::kDirect) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0) {
      absl::StatusOr<LargeRead> read = HashDirect(fd, size_bytes, algorithms);
      fcntl(fd, F_SETFL, flags);
      // Some filesystems accept the flag and then refuse the read.
      if (base::ErrnoOf(read.status()) != EINVAL) return read;
    }
  }
  return HashBlocking(fd, size_bytes, algorithms);
}

absl::StatusOr<LargeRead> LargeFileHasher::HashBlocking(int fd, uint64_t size_bytes, AlgorithmSet algorithms) {
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  HashStream stream(algorithms);
  std::vector<uint8_t> buffer(kReadSize);
  LargeRead read;
  uint64_t until_asked = kBlake3SegmentSize;
  for (;;) {
    const ssize_t size = filesystem_.Read(fd, absl::MakeSpan(buffer), read.bytes_read, false);
    if (size < 0) return base::ErrnoStatus(static_cast<int>(-size), "read");
    if (size == 0) break;
    stream.Update(absl::MakeConstSpan(buffer).subspan(0, static_cast<size_t>(size)));
    read.bytes_read += static_cast<uint64_t>(size);
    // A file that grows as fast as it is read would never end.
    if (size_bytes > 0 && read.bytes_read > size_bytes) return absl::CancelledError("grew while being read");
    if (read.bytes_read < until_asked) continue;
    until_asked = read.bytes_read + kBlake3SegmentSize;
    if (size_bytes == 0 && read.bytes_read > kMadeUpSizeMax) return absl::OutOfRangeError("has no size and no end");
    if (!keep_going_()) return Stopped();
  }
  read.digests = stream.Finish();
  return read;
}

absl::StatusOr<LargeRead> LargeFileHasher::HashMapped(int fd, uint64_t size_bytes, AlgorithmSet algorithms) {
  LargeRead read;
  GuardedMap map;
  SegmentDigest digest(algorithms, SegmentCount(size_bytes), pool_);
  base::Mutex mutex;
  base::CondVar changed;
  size_t in_use = 0;
  const auto wait_unused = [&] {
    base::MutexLock lock(&mutex);
    while (in_use > 0) changed.Wait(&mutex);
  };
  // The window may go only when no thread of the pool looks at it.
  const absl::Cleanup wait_at_end = wait_unused;
  for (uint64_t window = 0; window < size_bytes; window += kMapWindow) {
    wait_unused();
    if (map.faulted()) return absl::CancelledError("cut short while mapped");
    const size_t window_size = std::min(kMapWindow, size_bytes - window);
    ASSIGN_OR_RETURN(map, GuardedMap::Map(fd, window, window_size));
    for (size_t at = 0; at < window_size; at += kBlake3SegmentSize) {
      if (!keep_going_()) return Stopped();
      const absl::Span<const uint8_t> segment = map.bytes().subspan(at, kBlake3SegmentSize);
      {
        base::MutexLock lock(&mutex);
        ++in_use;
      }
      digest.Feed(segment, [&] {
        base::MutexLock lock(&mutex);
        if (--in_use == 0) changed.Signal();
      });
      read.bytes_read += segment.size();
    }
  }
  read.digests = digest.Finish();
  wait_unused();
  if (map.faulted()) return absl::CancelledError("cut short while mapped");
  return read;
}

absl::StatusOr<LargeRead> LargeFileHasher::HashDirect(int fd, uint64_t size_bytes, AlgorithmSet algorithms) {
  std::unique_ptr<AsyncFiles> files;
  absl::StatusOr<std::unique_ptr<AsyncFiles>> ring = filesystem_.NewAsyncFiles(kReadsInFlight);
  if (ring.ok()) {
    files = *std::move(ring);
  } else {
    files = std::make_unique<ThreadedFiles>(filesystem_, kReadsInFlight);
  }
  const uint64_t count = SegmentCount(size_bytes);
  BufferRing buffers;
  SegmentDigest digest(algorithms, count,
                       pool_);             // before the buffers go it waits for the pool
  std::array<DirectRead, kBuffers> reads;  // of segment i at i % kBuffers
  LargeRead read;
  unsigned in_flight = 0;
  absl::Status status;
  const auto finished = [&](void* tag, int result) {
    auto* const done = static_cast<DirectRead*>(tag);
    done->result = result;
    done->done = true;
    --in_flight;
  };
  uint64_t next_read = 0;
  for (uint64_t next = 0; next < count && status.ok();) {
    while (next_read < count && in_flight < kReadsInFlight && next_read < next + kBuffers) {
      const int buffer = buffers.Take(/*wait=*/in_flight == 0 && next_read == next);
      if (buffer < 0) break;
      DirectRead& slot = reads[next_read % kBuffers];
      slot = {.buffer = buffer};
      files->Read(fd, buffers.At(static_cast<size_t>(buffer)), next_read * kBlake3SegmentSize, &slot);
      ++in_flight;
      ++next_read;
    }
    DirectRead& slot = reads[next % kBuffers];
    if (!slot.done || next >= next_read) {
      status = files->Reap(1, finished);
      continue;
    }
    const auto buffer = static_cast<size_t>(slot.buffer);
    const uint64_t expected = std::min<uint64_t>(kBlake3SegmentSize, size_bytes - next * kBlake3SegmentSize);
    if (slot.result < 0) {
      status = base::ErrnoStatus(-slot.result, "read");
    } else if (static_cast<uint64_t>(slot.result) != expected) {
      status = absl::CancelledError("changed its size while being read");
    } else if (!keep_going_()) {
      status = Stopped();
    } else {
      digest.Feed(buffers.At(buffer).subspan(0, expected), [&buffers, buffer] { buffers.Give(buffer); });
      read.bytes_read += expected;
      slot.done = false;
      ++next;
    }
  }
  while (in_flight > 0) status.Update(files->Reap(1, finished));
  RETURN_IF_ERROR(status);
  read.digests = digest.Finish();
  return read;
}

}  // namespace hashcache
