// A CountingDevice passes everything on to another device and counts it.
//
// Threads: thread-safe.
//
// Example (the promise "one flush for each commit"):
//   CountingDevice device(mem);
//   const CountingDevice::Counts before = device.counts();
//   ...
//   EXPECT_EQ((device.counts() - before).flushes, 1u);
#ifndef FS_DISK_TESTING_COUNTING_DEVICE_H_
#define FS_DISK_TESTING_COUNTING_DEVICE_H_

#include <atomic>
#include <cstdint>

#include "absl/types/span.h"
#include "fs/disk/device.h"

namespace fs::testing {

class CountingDevice : public Device {
 public:
  struct Counts {
    uint64_t reads = 0;
    uint64_t writes = 0;
    uint64_t flushes = 0;
    uint64_t discards = 0;
    uint64_t read_bytes = 0;
    uint64_t written_bytes = 0;
    uint64_t submissions = 0;  // calls, each with one request or many

    friend Counts operator-(const Counts& a, const Counts& b);
  };

  // `device` must outlive this one.
  explicit CountingDevice(Device& device);

  // Of requests submitted so far, whether they succeeded or not.
  Counts counts() const;

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override;
  void DoSubmitAndWait(absl::Span<IoRequest> requests) override;
  absl::Status DoRegisterMemory(absl::Span<uint8_t> memory) override;
  void Count(absl::Span<const IoRequest> requests);

  Device& device_;
  std::atomic<uint64_t> reads_ = 0;
  std::atomic<uint64_t> writes_ = 0;
  std::atomic<uint64_t> flushes_ = 0;
  std::atomic<uint64_t> discards_ = 0;
  std::atomic<uint64_t> read_bytes_ = 0;
  std::atomic<uint64_t> written_bytes_ = 0;
  std::atomic<uint64_t> submissions_ = 0;
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_COUNTING_DEVICE_H_
