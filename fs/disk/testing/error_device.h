// An ErrorDevice passes requests on to another device, but for those that it was told to
// spoil: the n-th of a kind fails, or lies.
//
// Shape:   requests are numbered from 0 in order of submission, each kind by itself. A
//          fault spoils request `nth` of its kind and, if `lasting`, all that follow.
//            kFail         nothing happens; EIO
//            kPartial      a write puts its first half down, a read fills its first half;
//                          then EIO
//            kNoSpace      nothing happens; ENOSPC (writes)
//            kFailedFlush  the flush is not passed on, so what was written since the last
//                          good one stays pending below; EIO
//            kBitFlip      a read comes back, a write goes down, with one bit wrong; OK
//            kMisdirected  a read comes from, a write goes to, the place one alignment unit
//                          too far (at the end of the device: too near); OK
//            kLost         a write, flush or discard does not happen; OK
// Threads: thread-safe.
#ifndef FS_DISK_TESTING_ERROR_DEVICE_H_
#define FS_DISK_TESTING_ERROR_DEVICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "fs/disk/device.h"

namespace fs::testing {

struct DiskFault {
  enum class Kind : uint8_t { kFail = 1, kPartial, kNoSpace, kFailedFlush, kBitFlip, kMisdirected, kLost };
  Kind kind = Kind::kFail;
  IoRequest::Kind request = IoRequest::Kind::kRead;
  uint64_t nth = 0;
  bool lasting = false;
};

class ErrorDevice : public Device {
 public:
  // `device` must outlive this one.
  explicit ErrorDevice(Device& device);

  void Add(const DiskFault& fault) ABSL_LOCKS_EXCLUDED(mutex_);
  // From now on everything is passed on; the numbering starts again.
  void Heal() ABSL_LOCKS_EXCLUDED(mutex_);
  // While paused, requests are passed on and not counted.
  void set_paused(bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  // How many requests of `kind` there were, so that a test knows the last n worth spoiling.
  uint64_t count(IoRequest::Kind kind) ABSL_LOCKS_EXCLUDED(mutex_);
  // How many requests were spoilt.
  uint64_t spoilt_count() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::optional<DiskFault::Kind> FaultOf(const IoRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);
  void Spoil(DiskFault::Kind fault, IoRequest request);
  void SpoilRead(DiskFault::Kind fault, IoRequest request);
  void SpoilWrite(DiskFault::Kind fault, IoRequest request);

  Device& device_;

  base::Mutex mutex_;
  std::vector<DiskFault> faults_ ABSL_GUARDED_BY(mutex_);
  std::array<uint64_t, 5> counts_ ABSL_GUARDED_BY(mutex_) = {};  // by IoRequest::Kind
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t spoilt_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_ERROR_DEVICE_H_
