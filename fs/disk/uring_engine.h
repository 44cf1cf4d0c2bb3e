// A UringEngine carries out requests with io_uring.
//
// Shape:   Submit() goes through one ring, whose answers one thread waits for.
//          SubmitAndWait() takes a ring of its own from a small pool and does the waiting
//          in the caller: one system call for the whole batch, and nobody to wake.
// Bounds:  `depth` requests under way on each ring, kOwnRingsMax rings for waiters; when
//          these are all taken, SubmitAndWait() goes the way of Submit().
// Threads: thread-safe.
// Source:  io_uring(7).
#ifndef FS_DISK_URING_ENGINE_H_
#define FS_DISK_URING_ENGINE_H_

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "fs/disk/io_engine.h"
#include "fs/disk/uring_ring.h"

namespace fs {

class UringEngine : public IoEngine {
 public:
  static constexpr size_t kOwnRingsMax = 8;

  // Unimplemented where io_uring cannot be used. `fd` is borrowed.
  static absl::StatusOr<std::unique_ptr<UringEngine>> Create(int fd, unsigned depth, Completion completion);
  ~UringEngine() override ABSL_LOCKS_EXCLUDED(mutex_);

  void Submit(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_);
  void SubmitAndWait(absl::Span<IoRequest> requests) override ABSL_LOCKS_EXCLUDED(mutex_, rings_mutex_);
  // Rings that waiters made keep their own registrations and learn of `memory` at next use.
  absl::Status RegisterMemory(absl::Span<uint8_t> memory) override ABSL_LOCKS_EXCLUDED(mutex_, rings_mutex_);
  absl::string_view name() const override { return "io_uring"; }

 private:
  UringEngine(int fd, unsigned depth, Completion completion, std::unique_ptr<UringRing> ring);

  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  void StartWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<UringRing> TakeRing() ABSL_LOCKS_EXCLUDED(rings_mutex_);
  void ReturnRing(std::unique_ptr<UringRing> ring) ABSL_LOCKS_EXCLUDED(rings_mutex_);

  const int fd_;
  const unsigned depth_;
  const Completion completion_;
  // Its submission side is guarded by mutex_, its completion side is thread_'s.
  const std::unique_ptr<UringRing> ring_;

  base::Mutex mutex_;
  base::CondVar idle_;
  std::deque<IoRequest> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t unfinished_ ABSL_GUARDED_BY(mutex_) = 0;

  base::Mutex rings_mutex_;
  std::vector<std::unique_ptr<UringRing>> rings_ ABSL_GUARDED_BY(rings_mutex_);
  size_t rings_made_ ABSL_GUARDED_BY(rings_mutex_) = 0;
  std::vector<absl::Span<uint8_t>> memories_ ABSL_GUARDED_BY(rings_mutex_);

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace fs

#endif  // FS_DISK_URING_ENGINE_H_
