#include "fs/disk/testing/mem_device.h"

#include <cstring>

namespace fs::testing {

MemDevice::MemDevice(uint64_t size_bytes, const Options& options)
    : Device({.name = options.name,
              .size_bytes = size_bytes,
              .alignment = options.alignment,
              .transfer_bytes_max = options.transfer_bytes_max,
              .read_only = options.read_only,
              .can_discard = options.can_discard}),
      bytes_(this->size_bytes()) {}

void MemDevice::DoSubmit(absl::Span<IoRequest> requests) {
  for (IoRequest& request : requests) {
    {
      base::MutexLock lock(&mutex_);
      uint8_t* at = bytes_.data() + request.offset;
      switch (request.kind) {
        case IoRequest::Kind::kRead:
          std::memcpy(request.out, at, request.length);
          break;
        case IoRequest::Kind::kWrite:
          std::memcpy(at, request.bytes, request.length);
          break;
        // Undefined means: not what was there before, and not zeros either.
        case IoRequest::Kind::kDiscard:
          std::memset(at, 0xD5, request.length);
          break;
        case IoRequest::Kind::kFlush:
          break;
      }
    }
    Complete(request, absl::OkStatus());
  }
}

}  // namespace fs::testing
