// A Device is a disk: aligned reads and writes at byte offsets, flush, discard;
// many at once.
//
// Order:   Requests in flight have no order among each other, whether submitted
// together
//          or one after the other. Who needs one, waits for the completion. A
//          read that overlaps a write in flight, or a write that overlaps
//          another, yields either version for each 512-byte sector.
// Durable: a completed write is visible to every later read, and survives the
// end of this
//          process; it survives power loss only after a Flush that was
//          *submitted after the write completed* has itself completed with OK.
//          A Flush promises nothing about writes still in flight when it was
//          submitted. Until then a power cut may keep any subset of the
//          un-flushed writes, each of them whole, not at all, or in any subset
//          of its 512-byte sectors, in any order (testing/sim_device.h plays
//          exactly that). Sectors that no un-flushed request touches keep their
//          contents. After a *failed* Flush or write, the contents of
//          everything written since the last good Flush are unknown, though
//          reads may still look right (the kernel drops the error with the
//          pages): never retry the Flush alone, write again elsewhere.
// Shape:   offsets, lengths and memory are multiples of alignment(); a request
// is at most
//          transfer_bytes_max() long and lies inside size_bytes(), which never
//          changes.
// Errors:  InvalidArgument     misaligned, or longer than transfer_bytes_max()
//          OutOfRange          past the end
//          FailedPrecondition  a write to a read-only device
//          Unimplemented       Discard or RegisterMemory where the device has
//          none ResourceExhausted   the file beneath is out of space
//          Unavailable         the device failed or is gone (EIO, ENXIO,
//          ENODEV, ...) Each names the operation, offset, length and the
//          device.
// Threads: thread-safe. Callbacks run exactly once, on a thread of the device's
// or inside
//          Submit() on the caller's (so: never Submit() with a lock held that
//          the callback takes). They must not block; they may Submit(), but not
//          call Read(), Write(), Flush(), Discard() or SubmitAndWait().
//
// Example (eight reads at once, the point of the interface):
//   std::vector<IoRequest> reads;
//   for (Unit& unit : units) reads.push_back(IoRequest::Read(unit.address,
//   unit.buffer.span()));
//   RETURN_IF_ERROR(device.SubmitAndWait(absl::MakeSpan(reads)));
#ifndef FS_DISK_DEVICE_H_
#define FS_DISK_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

namespace fs {

// The unit that a device writes whole or not at all.
constexpr size_t kSectorBytes = 512;

// One request, its memory borrowed until `done` is called.
//
// Threads: thread-compatible.
struct IoRequest {
  enum class Kind : uint8_t { kRead = 1, kWrite, kFlush, kDiscard };
  using Done = absl::AnyInvocable<void(absl::Status)>;

  static IoRequest Read(uint64_t offset, absl::Span<uint8_t> out, Done done = nullptr);
  static IoRequest Write(uint64_t offset, absl::Span<const uint8_t> bytes, Done done = nullptr);
  static IoRequest Flush(Done done = nullptr);
  // What the range holds afterwards is undefined until it is written again.
  static IoRequest Discard(uint64_t offset, uint64_t length, Done done = nullptr);

  Kind kind = Kind::kFlush;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint8_t* out = nullptr;          // kRead
  const uint8_t* bytes = nullptr;  // kWrite
  Done done;                       // may be null
};

class Device {
 public:
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // For people and messages: the path, mostly.
  const std::string& name() const { return geometry_.name; }
  uint64_t size_bytes() const { return geometry_.size_bytes; }
  size_t alignment() const { return geometry_.alignment; }
  size_t transfer_bytes_max() const { return geometry_.transfer_bytes_max; }
  bool read_only() const { return geometry_.read_only; }
  bool can_discard() const { return geometry_.can_discard; }

  // Starts all of `requests`, each of which is moved from. A request that is
  // not valid gets its error through `done`, like one that failed, and does not
  // stop the others.
  void Submit(absl::Span<IoRequest> requests);
  void Submit(IoRequest request) { Submit(absl::MakeSpan(&request, 1)); }

  // Submits all and returns when all are done: OK, or the error of the first
  // request (by index) that failed. Each `done` is called as well, before this
  // returns.
  absl::Status SubmitAndWait(absl::Span<IoRequest> requests);

  absl::Status Read(uint64_t offset, absl::Span<uint8_t> out);
  absl::Status Write(uint64_t offset, absl::Span<const uint8_t> bytes);
  absl::Status Flush();
  absl::Status Discard(uint64_t offset, uint64_t length);

  // Tells the device that requests will often use `memory`, which must stay
  // alive as long as the device: a hint that saves pinning its pages for each
  // request. Requests are the same with or without it, so a caller may ignore
  // the error.
  absl::Status RegisterMemory(absl::Span<uint8_t> memory);

 protected:
  struct Geometry {
    std::string name;
    uint64_t size_bytes = 0;
    size_t alignment = 4096;
    size_t transfer_bytes_max = 64 << 20;
    bool read_only = false;
    bool can_discard = false;
  };

  // REQUIRES: alignment is a power of two in [512, AlignedBuffer::kAlignment],
  // and divides transfer_bytes_max. A size that is no multiple of it is rounded
  // down.
  explicit Device(Geometry geometry);

  // The core. Each request is valid; move it and see that Complete() is called
  // for it once.
  virtual void DoSubmit(absl::Span<IoRequest> requests) = 0;
  // For devices that can do better than to wake the caller from another thread: returns
  // when Complete() was called for all of `requests`, or has them under way like DoSubmit().
  virtual void DoSubmitAndWait(absl::Span<IoRequest> requests) { DoSubmit(requests); }
  virtual absl::Status DoRegisterMemory(absl::Span<uint8_t> memory);

  // Gives `status` with the request's coordinates to its callback.
  void Complete(IoRequest& request, absl::Status status) const;

 private:
  using Core = void (Device::*)(absl::Span<IoRequest>);

  // Completes what is not valid, or empty, and hands the others to `core`.
  void Pass(absl::Span<IoRequest> requests, Core core);
  absl::Status Check(const IoRequest& request) const;
  absl::Status Coordinates(const IoRequest& request, const absl::Status& status) const;

  Geometry geometry_;
};

}  // namespace fs

#endif  // FS_DISK_DEVICE_H_
