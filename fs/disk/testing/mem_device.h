// A MemDevice is a disk in memory that does everything at once and never fails.
//
// Shape:   every request is carried out inside Submit(), in order, callbacks
// included. Threads: thread-safe; requests of distinct threads happen one after
// the other.
#ifndef FS_DISK_TESTING_MEM_DEVICE_H_
#define FS_DISK_TESTING_MEM_DEVICE_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "base/mutex.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/device.h"

namespace fs::testing {

class MemDevice : public Device {
 public:
  struct Options {
    std::string name = "mem";
    size_t alignment = 4096;
    size_t transfer_bytes_max = 64 << 20;
    bool read_only = false;
    bool can_discard = true;
  };

  // Starts as zeros.
  explicit MemDevice(uint64_t size_bytes) : MemDevice(size_bytes, Options()) {}
  MemDevice(uint64_t size_bytes, const Options& options);

  // The bytes themselves, for damage and for comparing. REQUIRES: no request in
  // flight.
  absl::Span<uint8_t> bytes() { return bytes_.span(); }

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_);

  base::Mutex mutex_;    // held during a request, never during its callback
  AlignedBuffer bytes_;  // guarded by mutex_, but for bytes()
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_MEM_DEVICE_H_
