#include "base/os/io_ring.h"

#include <cerrno>
#include <cstdlib>

#include "absl/strings/match.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace base {

absl::StatusOr<std::unique_ptr<IoRing>> IoRing::Create(unsigned entries, unsigned flags) {
  const char* const forbidden = std::getenv("CACHEFS_NO_IO_URING");
  if (forbidden != nullptr && absl::string_view(forbidden) == "1") {
    return absl::UnavailableError("io_uring is switched off by CACHEFS_NO_IO_URING");
  }
  std::unique_ptr<IoRing> ring(new IoRing);
  const int result = io_uring_queue_init(entries, &ring->ring_, flags);
  if (result < 0) {
    ring->ring_.ring_fd = -1;
    return absl::UnavailableError(ErrnoStatus(-result, "io_uring").message());
  }
  return ring;
}

IoRing::~IoRing() {
  if (ring_.ring_fd >= 0 && ring_.sq.ring_ptr != nullptr) io_uring_queue_exit(&ring_);
}

io_uring_sqe* IoRing::Next() {
  for (;;) {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
    if (sqe != nullptr) return sqe;
    // EBUSY and EAGAIN ask to try again; anything else would be a bug here,
    // and the queue stays full until it goes away.
    io_uring_submit(&ring_);
  }
}

absl::Status IoRing::Submit() {
  for (;;) {
    const int result = io_uring_submit(&ring_);
    if (result >= 0) return absl::OkStatus();
    if (result != -EINTR && result != -EAGAIN && result != -EBUSY) return ErrnoStatus(-result, "io_uring submit");
  }
}

absl::StatusOr<unsigned> IoRing::Reap(unsigned count_min,
                                      absl::FunctionRef<void(void* user_data, int result)> done) {
  for (;;) {
    const int result =
        count_min > 0 ? io_uring_submit_and_wait(&ring_, count_min) : io_uring_submit(&ring_);
    if (result >= 0) break;
    if (result != -EINTR && result != -EAGAIN && result != -EBUSY) return ErrnoStatus(-result, "io_uring wait");
  }
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    done(io_uring_cqe_get_data(cqe), cqe->res);
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
  return count;
}

}  // namespace base
