#include "fs/disk/testing/sim_device.h"

#include <utility>

namespace fs::testing {

SimDevice::SimDevice(DiskImage image, const Options& options)
    : Device({.name = options.name, .size_bytes = image.size_bytes(), .can_discard = options.can_discard}),
      record_(options.record),
      image_(std::move(image)) {}

size_t SimDevice::position() {
  base::MutexLock lock(&mutex_);
  return trace_.size();
}

void SimDevice::DoSubmit(absl::Span<IoRequest> requests) {
  const size_t completed_before = position();
  for (IoRequest& request : requests) {
    {
      base::MutexLock lock(&mutex_);
      CarryOut(request, completed_before);
    }
    Complete(request, absl::OkStatus());
  }
}

void SimDevice::CarryOut(const IoRequest& request, size_t completed_before) {
  DiskEvent event;
  event.offset = request.offset;
  event.length = request.length;
  switch (request.kind) {
    case IoRequest::Kind::kRead:
      image_.Read(request.offset, absl::MakeSpan(request.out, request.length));
      return;
    case IoRequest::Kind::kWrite:
      image_.Write(request.offset, absl::MakeSpan(request.bytes, request.length));
      event.kind = DiskEvent::Kind::kWrite;
      if (record_) {
        event.bytes = std::make_shared<std::vector<uint8_t>>(request.bytes, request.bytes + request.length);
      }
      break;
    case IoRequest::Kind::kDiscard:
      image_.Fill(request.offset, request.length, 0xD5);
      event.kind = DiskEvent::Kind::kDiscard;
      break;
    case IoRequest::Kind::kFlush:
      event.kind = DiskEvent::Kind::kFlush;
      event.covers = completed_before;
      break;
  }
  if (record_) trace_.push_back(std::move(event));
}

}  // namespace fs::testing
