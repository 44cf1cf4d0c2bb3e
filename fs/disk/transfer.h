// A Transfer is one request on its way through system calls that may be interrupted, be
// refused for the moment, or move only a part.
//
// Shape:   loop { result = one attempt at the rest; } until Advance(result) says kDone.
// Errors:  ResourceExhausted   ENOSPC, EDQUOT
//          Unavailable         any other errno, an end of file inside the device, or no
//                              progress in kIdleAttemptsMax attempts; ErrnoOf() where known
// Threads: thread-compatible.
// Source:  pread(2), pwrite(2), io_uring_enter(2), open(2) "O_DIRECT".
#ifndef FS_DISK_TRANSFER_H_
#define FS_DISK_TRANSFER_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "fs/disk/device.h"

namespace fs {

// EIO and its like as Unavailable, a full file as ResourceExhausted.
absl::Status IoErrorStatus(int error_number);

class Transfer {
 public:
  enum class Step : uint8_t { kDone = 1, kAgain };
  static constexpr int kIdleAttemptsMax = 1000;

  Transfer() = default;
  explicit Transfer(IoRequest request) : request_(std::move(request)) {}

  IoRequest& request() { return request_; }
  // What the next attempt has to move.
  uint64_t offset() const { return request_.offset + moved_; }
  uint64_t length() const { return request_.length - moved_; }
  uint8_t* out() const { return request_.out + moved_; }
  const uint8_t* bytes() const { return request_.bytes + moved_; }

  // Takes the result of one attempt: bytes moved, or a negative errno.
  Step Advance(int64_t result);
  // REQUIRES: Advance() returned kDone.
  const absl::Status& status() const { return status_; }

  // One attempt with pread, pwrite, fdatasync or the discard call, in this thread.
  int64_t Attempt(int fd) const;
  // Attempts until done.
  absl::Status Run(int fd);

 private:
  Step Finish(absl::Status status);

  IoRequest request_;
  uint64_t moved_ = 0;
  int idle_attempts_ = 0;
  absl::Status status_;
};

}  // namespace fs

#endif  // FS_DISK_TRANSFER_H_
