// The asynchronous half of Worker: files that the disk must deliver.
//
// Life of a ColdFile: [opening] -> waiting for room -> lease and first look ->
// reading, as often as it takes -> second look. The lease is taken only when
// there is room to read, so that no writer waits for files that merely queue.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/status.h"
#include "glog/logging.h"
#include "hashcache/engine/attempt.h"
#include "hashcache/engine/large_file.h"
#include "hashcache/engine/worker.h"
#include "hashcache/os/threaded_files.h"

namespace hashcache {
namespace {

constexpr int kOpenFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
// Hashed while they are in L2; a larger file takes several reads, which the kernel's
// read-ahead, started at once, answers from memory.
constexpr std::array<size_t, 2> kBufferSizes = {8 << 10, 128 << 10};
constexpr uint64_t kReadAheadMax = 8 << 20;

}  // namespace

AsyncFiles& Worker::async() {
  if (async_ == nullptr) {
    const auto depth = static_cast<unsigned>(limits_.files_max);
    absl::StatusOr<std::unique_ptr<AsyncFiles>> ring = absl::UnavailableError("io_uring is not wanted");
    if (context_.use_ring) ring = filesystem_.NewAsyncFiles(depth);
    if (ring.ok()) {
      async_ = *std::move(ring);
    } else {
      async_ = std::make_unique<ThreadedFiles>(filesystem_, limits_.fallback_threads);
    }
  }
  return *async_;
}

void Worker::Reap(bool wait) {
  EndSingle();
  if (async_ == nullptr || in_flight_ == 0) return;
  const absl::Status status = async_->Reap(
      wait ? 1 : 0, [this](void* tag, int result) { Continue(static_cast<ColdFile*>(tag), result); });
  CHECK(status.ok()) << status;
}

void Worker::StartCold(std::unique_ptr<Attempt> attempt) {
  auto* const file = new ColdFile{.attempt = std::move(attempt)};
  ++in_flight_;
  if (file->attempt->fd >= 0) {
    StartReading(file);
    return;
  }
  file->opening = true;
  const FileTask& task = file->attempt->task;
  const int flags = kOpenFlags | (no_atime_ ? O_NOATIME : 0) | (task.follow ? 0 : O_NOFOLLOW);
  async().Open(task.directory, task.name, flags, file);
}

void Worker::Continue(ColdFile* file, int result) {
  if (file->opening) {
    Opened(file, result);
    return;
  }
  Attempt& attempt = *file->attempt;
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    return EndCold(file, FailAttempt(&attempt, base::ErrnoStatus(-result, "read")));
  }
  if (result < 0) return ReadOn(file);
  const auto size = static_cast<uint64_t>(result);
  const uint64_t expected = attempt.reading.before.size_bytes;
  const absl::Span<const uint8_t> data = file->buffer.subspan(0, size);
  file->bytes_read += size;
  const bool ended = size == 0 || file->bytes_read >= expected;
  if (ended && file->stream == nullptr && file->bytes_read == size) {
    return EndCold(file, Finish(&attempt, size, Stream(attempt.task.algorithms).HashWhole(data)));
  }
  if (file->stream == nullptr) file->stream = std::make_unique<HashStream>(attempt.task.algorithms);
  file->stream->Update(data);
  if (ended) return EndCold(file, Finish(&attempt, file->bytes_read, file->stream->Finish()));
  // A writer that waits for our lease must not wait for the rest of the file.
  if (attempt.reading.lease == Lease::kHeld && !filesystem_.LeaseIsWhole(attempt.fd)) {
    return EndCold(file, Unstable(&attempt, Digests()));
  }
  ReadOn(file);
}

void Worker::Opened(ColdFile* file, int result) {
  Attempt& attempt = *file->attempt;
  file->opening = false;
  if (result == -EPERM && no_atime_) {
    // Only a file's owner may ask for O_NOATIME.
    no_atime_ = false;
    result = -EAGAIN;
  }
  if (result == -EAGAIN || result == -EINTR || (result == -EPERM && !no_atime_)) {
    result =
        filesystem_.Open(attempt.task.directory, attempt.task.name, kOpenFlags, attempt.task.follow, false);
  }
  if (result < 0) {
    Fail(attempt.task, base::ErrnoStatus(-result, "open"));
    return EndCold(file, Step::kDone);
  }
  attempt.fd = result;
  StartReading(file);
}

void Worker::StartReading(ColdFile* file) {
  Attempt& attempt = *file->attempt;
  if (!attempt.begun) {
    if (buffer_bytes_ >= limits_.bytes_max) {
      waiting_for_buffer_.push_back(file);
      return;
    }
    if (!Begin(&attempt)) return EndCold(file, Step::kDone);
  }
  if (attempt.reading.before.size_bytes >= kDirectSizeMin) return EndCold(file, ReadLarge(&attempt));
  if (!TakeBuffer(file)) {
    waiting_for_buffer_.push_back(file);
    return;
  }
  const uint64_t size_bytes = attempt.reading.before.size_bytes;
  if (size_bytes > kBufferSizes.back()) {
    posix_fadvise(attempt.fd, 0, static_cast<off_t>(std::min(size_bytes, kReadAheadMax)), POSIX_FADV_WILLNEED);
  }
  ReadOn(file);
}

void Worker::ReadOn(ColdFile* file) { async().Read(file->attempt->fd, file->buffer, file->bytes_read, file); }

bool Worker::TakeBuffer(ColdFile* file) {
  const uint64_t wanted = std::max<uint64_t>(file->attempt->reading.before.size_bytes, 1);
  size_t at = 0;
  while (at + 1 < kBufferSizes.size() && kBufferSizes[at] < wanted) ++at;
  if (buffer_bytes_ > 0 && buffer_bytes_ + kBufferSizes[at] > limits_.bytes_max) return false;
  if (free_buffers_[at].empty()) {
    file->memory.reset(new uint8_t[kBufferSizes[at]]);
  } else {
    file->memory = std::move(free_buffers_[at].back());
    free_buffers_[at].pop_back();
  }
  file->buffer_class = at;
  file->buffer = {file->memory.get(), kBufferSizes[at]};
  buffer_bytes_ += kBufferSizes[at];
  return true;
}

void Worker::GiveBuffer(ColdFile* file) {
  if (file->memory == nullptr) return;
  buffer_bytes_ -= kBufferSizes[file->buffer_class];
  free_buffers_[file->buffer_class].push_back(std::move(file->memory));
}

void Worker::EndCold(ColdFile* file, Step step) {
  GiveBuffer(file);
  --in_flight_;
  const std::unique_ptr<ColdFile> ended(file);
  if (step == Step::kRetry) {
    // It is changing right now, so it is in memory: no need to wait for the
    // disk.
    auto attempt = std::make_unique<Attempt>();
    attempt->task = file->attempt->task;
    attempt->number = file->attempt->number + 1;
    StartCold(std::move(attempt));
  }
  for (size_t tries = waiting_for_buffer_.size(); tries > 0; --tries) {
    if (waiting_for_buffer_.empty() || buffer_bytes_ >= limits_.bytes_max) break;
    ColdFile* const next = waiting_for_buffer_.front();
    waiting_for_buffer_.pop_front();
    StartReading(next);
  }
}

}  // namespace hashcache
