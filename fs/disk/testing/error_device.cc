#include "fs/disk/testing/error_device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "fs/disk/aligned_buffer.h"
#include "fs/disk/transfer.h"

namespace fs::testing {
namespace {

// Where in a request the wrong bit is: not at its start, which a magic number guards.
uint64_t FlippedByte(uint64_t length) { return length * 5 / 8; }

// One unit beside the place that was meant, and inside the device.
uint64_t WrongOffset(const Device& device, const IoRequest& request) {
  if (request.offset + request.length < device.size_bytes()) return request.offset + device.alignment();
  return request.offset - std::min<uint64_t>(request.offset, device.alignment());
}

}  // namespace

ErrorDevice::ErrorDevice(Device& device)
    : Device({.name = device.name(),
              .size_bytes = device.size_bytes(),
              .alignment = device.alignment(),
              .transfer_bytes_max = device.transfer_bytes_max(),
              .read_only = device.read_only(),
              .can_discard = device.can_discard()}),
      device_(device) {}

void ErrorDevice::Add(const DiskFault& fault) {
  base::MutexLock lock(&mutex_);
  faults_.push_back(fault);
}

void ErrorDevice::Heal() {
  base::MutexLock lock(&mutex_);
  faults_.clear();
  counts_ = {};
}

void ErrorDevice::set_paused(bool paused) {
  base::MutexLock lock(&mutex_);
  paused_ = paused;
}

uint64_t ErrorDevice::count(IoRequest::Kind kind) {
  base::MutexLock lock(&mutex_);
  return counts_[static_cast<size_t>(kind)];
}

uint64_t ErrorDevice::spoilt_count() {
  base::MutexLock lock(&mutex_);
  return spoilt_;
}

absl::optional<DiskFault::Kind> ErrorDevice::FaultOf(const IoRequest& request) {
  base::MutexLock lock(&mutex_);
  if (paused_) return absl::nullopt;
  const uint64_t number = counts_[static_cast<size_t>(request.kind)]++;
  for (const DiskFault& fault : faults_) {
    if (fault.request == request.kind && (fault.nth == number || (fault.lasting && fault.nth < number))) {
      ++spoilt_;
      return fault.kind;
    }
  }
  return absl::nullopt;
}

void ErrorDevice::DoSubmit(absl::Span<IoRequest> requests) {
  std::vector<IoRequest> passed;
  passed.reserve(requests.size());
  for (IoRequest& request : requests) {
    const absl::optional<DiskFault::Kind> fault = FaultOf(request);
    if (fault.has_value()) {
      Spoil(*fault, std::move(request));
    } else {
      passed.push_back(std::move(request));
    }
  }
  device_.Submit(absl::MakeSpan(passed));
}

void ErrorDevice::Spoil(DiskFault::Kind fault, IoRequest request) {
  switch (fault) {
    case DiskFault::Kind::kFail:
    case DiskFault::Kind::kFailedFlush:
      return Complete(request, IoErrorStatus(EIO));
    case DiskFault::Kind::kNoSpace:
      return Complete(request, IoErrorStatus(ENOSPC));
    case DiskFault::Kind::kPartial:
    case DiskFault::Kind::kBitFlip:
    case DiskFault::Kind::kMisdirected:
    case DiskFault::Kind::kLost:
      break;
  }
  switch (request.kind) {
    case IoRequest::Kind::kRead:
      return SpoilRead(fault, std::move(request));
    case IoRequest::Kind::kWrite:
      return SpoilWrite(fault, std::move(request));
    // One that only claims to have happened.
    case IoRequest::Kind::kFlush:
    case IoRequest::Kind::kDiscard:
      return Complete(request, absl::OkStatus());
  }
}

void ErrorDevice::SpoilRead(DiskFault::Kind fault, IoRequest request) {
  IoRequest passed = IoRequest::Read(request.offset, absl::MakeSpan(request.out, request.length));
  if (fault == DiskFault::Kind::kPartial) passed.length = request.length / 2 / alignment() * alignment();
  if (fault == DiskFault::Kind::kMisdirected) passed.offset = WrongOffset(*this, request);
  passed.done = [this, fault, request = std::move(request)](absl::Status status) mutable {
    if (status.ok() && fault == DiskFault::Kind::kPartial) status = IoErrorStatus(EIO);
    if (status.ok() && fault == DiskFault::Kind::kBitFlip) request.out[FlippedByte(request.length)] ^= 0x10;
    Complete(request, std::move(status));
  };
  device_.Submit(std::move(passed));
}

void ErrorDevice::SpoilWrite(DiskFault::Kind fault, IoRequest request) {
  if (fault == DiskFault::Kind::kLost) return Complete(request, absl::OkStatus());
  auto bytes = std::make_unique<AlignedBuffer>(request.length);
  std::memcpy(bytes->data(), request.bytes, request.length);
  IoRequest passed = IoRequest::Write(request.offset, bytes->span());
  if (fault == DiskFault::Kind::kBitFlip) bytes->data()[FlippedByte(request.length)] ^= 0x10;
  if (fault == DiskFault::Kind::kPartial) passed.length = request.length / 2 / alignment() * alignment();
  if (fault == DiskFault::Kind::kMisdirected) passed.offset = WrongOffset(*this, request);
  passed.done = [this, fault, request = std::move(request), bytes = std::move(bytes)](absl::Status status) mutable {
    if (status.ok() && fault == DiskFault::Kind::kPartial) status = IoErrorStatus(EIO);
    Complete(request, std::move(status));
  };
  device_.Submit(std::move(passed));
}

}  // namespace fs::testing
