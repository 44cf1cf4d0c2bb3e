#include "fs/disk/testing/counting_device.h"

namespace fs::testing {

CountingDevice::Counts operator-(const CountingDevice::Counts& a, const CountingDevice::Counts& b) {
  return {.reads = a.reads - b.reads,
          .writes = a.writes - b.writes,
          .flushes = a.flushes - b.flushes,
          .discards = a.discards - b.discards,
          .read_bytes = a.read_bytes - b.read_bytes,
          .written_bytes = a.written_bytes - b.written_bytes,
          .submissions = a.submissions - b.submissions};
}

CountingDevice::CountingDevice(Device& device)
    : Device({.name = device.name(),
              .size_bytes = device.size_bytes(),
              .alignment = device.alignment(),
              .transfer_bytes_max = device.transfer_bytes_max(),
              .read_only = device.read_only(),
              .can_discard = device.can_discard()}),
      device_(device) {}

CountingDevice::Counts CountingDevice::counts() const {
  return {.reads = reads_,
          .writes = writes_,
          .flushes = flushes_,
          .discards = discards_,
          .read_bytes = read_bytes_,
          .written_bytes = written_bytes_,
          .submissions = submissions_};
}

void CountingDevice::Count(absl::Span<const IoRequest> requests) {
  ++submissions_;
  for (const IoRequest& request : requests) {
    switch (request.kind) {
      case IoRequest::Kind::kRead:
        ++reads_;
        read_bytes_ += request.length;
        break;
      case IoRequest::Kind::kWrite:
        ++writes_;
        written_bytes_ += request.length;
        break;
      case IoRequest::Kind::kFlush:
        ++flushes_;
        break;
      case IoRequest::Kind::kDiscard:
        ++discards_;
        break;
    }
  }
}

void CountingDevice::DoSubmit(absl::Span<IoRequest> requests) {
  Count(requests);
  device_.Submit(requests);
}

void CountingDevice::DoSubmitAndWait(absl::Span<IoRequest> requests) {
  Count(requests);
  // Each callback hears of its own error.
  static_cast<void>(device_.SubmitAndWait(requests));
}

absl::Status CountingDevice::DoRegisterMemory(absl::Span<uint8_t> memory) { return device_.RegisterMemory(memory); }

}  // namespace fs::testing
