#include "fs/disk/device.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/status.h"
#include "fs/disk/aligned_buffer.h"
#include "glog/logging.h"

namespace fs {
namespace {

absl::string_view KindName(IoRequest::Kind kind) {
  switch (kind) {
    case IoRequest::Kind::kRead:
      return "read";
    case IoRequest::Kind::kWrite:
      return "write";
    case IoRequest::Kind::kFlush:
      return "flush";
    case IoRequest::Kind::kDiscard:
      return "discard";
  }
  return "unknown request";
}

// Counts requests down and keeps the error of the first of them by index.
class Countdown {
 public:
  explicit Countdown(size_t count) : pending_(count) {}

  void Finish(size_t index, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    if (!status.ok() && index < failed_) {
      failed_ = index;
      status_ = status;
    }
    if (--pending_ == 0) done_.SignalAll();
  }

  absl::Status Wait() ABSL_LOCKS_EXCLUDED(mutex_) {
    base::MutexLock lock(&mutex_);
    while (pending_ != 0) done_.Wait(&mutex_);
    return status_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar done_;
  size_t pending_ ABSL_GUARDED_BY(mutex_);
  size_t failed_ ABSL_GUARDED_BY(mutex_) = SIZE_MAX;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

IoRequest IoRequest::Read(uint64_t offset, absl::Span<uint8_t> out, Done done) {
  IoRequest request;
  request.kind = Kind::kRead;
  request.offset = offset;
  request.length = out.size();
  request.out = out.data();
  request.done = std::move(done);
  return request;
}

IoRequest IoRequest::Write(uint64_t offset, absl::Span<const uint8_t> bytes, Done done) {
  IoRequest request;
  request.kind = Kind::kWrite;
  request.offset = offset;
  request.length = bytes.size();
  request.bytes = bytes.data();
  request.done = std::move(done);
  return request;
}

IoRequest IoRequest::Flush(Done done) {
  IoRequest request;
  request.kind = Kind::kFlush;
  request.done = std::move(done);
  return request;
}

IoRequest IoRequest::Discard(uint64_t offset, uint64_t length, Done done) {
  IoRequest request;
  request.kind = Kind::kDiscard;
  request.offset = offset;
  request.length = length;
  request.done = std::move(done);
  return request;
}

Device::Device(Geometry geometry) : geometry_(std::move(geometry)) {
  const size_t alignment = geometry_.alignment;
  CHECK(alignment >= kSectorBytes && alignment <= AlignedBuffer::kAlignment && (alignment & (alignment - 1)) == 0)
      << "alignment=" << alignment;
  CHECK_EQ(geometry_.transfer_bytes_max % alignment, 0u);
  geometry_.size_bytes -= geometry_.size_bytes % alignment;
}

absl::Status Device::Check(const IoRequest& request) const {
  if (request.kind == IoRequest::Kind::kFlush) return absl::OkStatus();
  if (request.kind != IoRequest::Kind::kRead && read_only()) {
    return absl::FailedPreconditionError("the device is open for reading only");
  }
  const bool discard = request.kind == IoRequest::Kind::kDiscard;
  if (discard && !can_discard()) return absl::UnimplementedError("the device cannot discard");
  const uintptr_t memory =
      reinterpret_cast<uintptr_t>(request.kind == IoRequest::Kind::kRead ? request.out : request.bytes);
  if ((request.offset | request.length | (discard ? 0 : memory)) & (alignment() - 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset, length or memory is no multiple of ", alignment(), "; memory ", memory % alignment()));
  }
  if (!discard && request.length > transfer_bytes_max()) {
    return absl::InvalidArgumentError(absl::StrCat("longer than one transfer; at most ", transfer_bytes_max()));
  }
  if (request.offset > size_bytes() || request.length > size_bytes() - request.offset) {
    return absl::OutOfRangeError(absl::StrCat("past the end of the device; size ", size_bytes()));
  }
  return absl::OkStatus();
}

absl::Status Device::Coordinates(const IoRequest& request, const absl::Status& status) const {
  const absl::string_view kind = KindName(request.kind);
  if (request.kind == IoRequest::Kind::kFlush) return base::Annotate(status, absl::StrCat(kind, "; ", name()));
  return base::Annotate(status,
                        absl::StrCat(kind, " offset ", request.offset, " length ", request.length, "; ", name()));
}

void Device::Complete(IoRequest& request, absl::Status status) const {
  if (!status.ok()) status = Coordinates(request, status);
  if (request.done) std::exchange(request.done, nullptr)(std::move(status));
}

void Device::Submit(absl::Span<IoRequest> requests) { Pass(requests, &Device::DoSubmit); }

void Device::Pass(absl::Span<IoRequest> requests, Core core) {
  const auto has_work = [](const IoRequest& request) {
    return request.length != 0 || request.kind == IoRequest::Kind::kFlush;
  };
  // Most often all are valid and go on as they are.
  if (std::all_of(requests.begin(), requests.end(),
                  [&](const IoRequest& request) { return has_work(request) && Check(request).ok(); })) {
    if (!requests.empty()) (this->*core)(requests);
    return;
  }
  std::vector<IoRequest> passed;
  passed.reserve(requests.size());
  for (IoRequest& request : requests) {
    absl::Status status = Check(request);
    if (status.ok() && has_work(request)) {
      passed.push_back(std::move(request));
    } else {
      Complete(request, std::move(status));
    }
  }
  if (!passed.empty()) (this->*core)(absl::MakeSpan(passed));
}

absl::Status Device::SubmitAndWait(absl::Span<IoRequest> requests) {
  Countdown countdown(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].done = [&countdown, i, done = std::move(requests[i].done)](absl::Status status) mutable {
      if (done) done(status);
      countdown.Finish(i, status);
    };
  }
  Pass(requests, &Device::DoSubmitAndWait);
  return countdown.Wait();
}

absl::Status Device::Read(uint64_t offset, absl::Span<uint8_t> out) {
  IoRequest request = IoRequest::Read(offset, out);
  return SubmitAndWait(absl::MakeSpan(&request, 1));
}

absl::Status Device::Write(uint64_t offset, absl::Span<const uint8_t> bytes) {
  IoRequest request = IoRequest::Write(offset, bytes);
  return SubmitAndWait(absl::MakeSpan(&request, 1));
}

absl::Status Device::Flush() {
  IoRequest request = IoRequest::Flush();
  return SubmitAndWait(absl::MakeSpan(&request, 1));
}

absl::Status Device::Discard(uint64_t offset, uint64_t length) {
  IoRequest request = IoRequest::Discard(offset, length);
  return SubmitAndWait(absl::MakeSpan(&request, 1));
}

absl::Status Device::RegisterMemory(absl::Span<uint8_t> memory) { return DoRegisterMemory(memory); }

absl::Status Device::DoRegisterMemory(absl::Span<uint8_t>) {
  return absl::UnimplementedError("the device has no use for registered memory");
}

}  // namespace fs
