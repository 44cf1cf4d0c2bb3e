// A SimDevice is a disk in memory that remembers every write and flush, so that each state
// a power cut could have left can be made and mounted (crash_states.h).
//
// The power-cut model, which is our durability claim: what we promise holds on every disk
// that behaves no worse than this.
//   1. A write is *pending* from its submission until a Flush has returned OK that was
//      submitted after the write had completed. A flush submitted together with writes
//      covers none of them.
//   2. When the power goes, at any moment, each pending write is, whatever happened to the
//      others and in whatever order they came: kept whole; lost whole; torn, so that any
//      subset of its 512-byte sectors is new and the rest old; or scrambled, so that any
//      of its sectors holds noise that neither write nor disk ever held.
//   3. A pending discard is, likewise, done or not done; what it discarded reads as noise.
//   4. What is not pending stays exactly as it is. A disk that loses flushed data, or harms
//      sectors that nobody writes to, is broken: that we detect (checksums), not survive.
//   5. The power may go again, in the same way, during the recovery.
//
// Shape:   requests are carried out inside Submit(), one after the other, with their
//          callbacks, so that a single-threaded user is deterministic.
// Threads: thread-safe; trace() and image() need the device at rest.
#ifndef FS_DISK_TESTING_SIM_DEVICE_H_
#define FS_DISK_TESTING_SIM_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/mutex.h"
#include "fs/disk/device.h"
#include "fs/disk/testing/disk_image.h"

namespace fs::testing {

// What was done to a disk, in order.
struct DiskEvent {
  enum class Kind : uint8_t { kWrite = 1, kDiscard, kFlush };
  Kind kind = Kind::kFlush;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::shared_ptr<const std::vector<uint8_t>> bytes;  // kWrite
  size_t covers = 0;                                  // kFlush: events before this index are durable now
};
using DiskTrace = std::vector<DiskEvent>;

class SimDevice : public Device {
 public:
  struct Options {
    std::string name = "sim";
    bool record = true;
    bool can_discard = true;
  };

  explicit SimDevice(DiskImage image) : SimDevice(std::move(image), Options()) {}
  SimDevice(DiskImage image, const Options& options);

  // What the disk holds with all writes done, i.e. without a power cut.
  const DiskImage& image() const { return image_; }
  const DiskTrace& trace() const { return trace_; }
  // The number of events so far. A promise made at position p is one that a power cut
  // after p events has to respect.
  size_t position() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_);
  void CarryOut(const IoRequest& request, size_t completed_before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool record_;

  base::Mutex mutex_;
  // Guarded by mutex_, but for image() and trace().
  DiskImage image_;
  DiskTrace trace_;
};

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_SIM_DEVICE_H_
