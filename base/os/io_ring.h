// An IoRing is one io_uring, or the clear statement that there is none.
//
// Containers often forbid io_uring: whoever uses one has another way too, and
// CACHEFS_NO_IO_URING=1 in the environment forbids it for tests and comparisons.
// Errors:  Unavailable  the kernel or the environment forbids io_uring
// Threads: thread-compatible; one thread may fill and submit while another waits.
#ifndef BASE_OS_IO_RING_H_
#define BASE_OS_IO_RING_H_

#include <liburing.h>

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

class IoRing {
 public:
  static absl::StatusOr<std::unique_ptr<IoRing>> Create(unsigned entries, unsigned flags = 0);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  // A request to fill (io_uring_prep_*), submitting what is queued if that is
  // needed to make room; never null.
  io_uring_sqe* Next();
  absl::Status Submit();
  // Submits, waits for at least `count_min` completions (0 = only looks), and
  // calls `done` for each there is with its user data and result. EINTR is
  // repeated. Returns how many there were.
  absl::StatusOr<unsigned> Reap(unsigned count_min, absl::FunctionRef<void(void* user_data, int result)> done);

  io_uring* raw() { return &ring_; }

 private:
  IoRing() = default;
  io_uring ring_ = {};
};

}  // namespace base

#endif  // BASE_OS_IO_RING_H_
