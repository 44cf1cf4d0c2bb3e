// What tools/bench fs does to the machine while it measures, and undoes.
//
// Threads: thread-compatible.
#ifndef FS_BENCH_MACHINE_H_
#define FS_BENCH_MACHINE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace fs {

// How long a virtual CPU with nothing to do looks for work before it halts: the price of every
// wake on a virtual machine.
//
// Life:    Set() -> destructor, which puts back what was there.
// Errors:  NotFound          the machine has no such setting
//          PermissionDenied  we are not root
class HaltPoll {
 public:
  static absl::StatusOr<std::unique_ptr<HaltPoll>> Set(uint64_t nanoseconds);
  ~HaltPoll();
  HaltPoll(const HaltPoll&) = delete;
  HaltPoll& operator=(const HaltPoll&) = delete;

 private:
  explicit HaltPoll(std::string found) : found_(std::move(found)) {}
  const std::string found_;
};

// Programs that use a CPU each, all the time, until the destructor.
class BusyNeighbours {
 public:
  explicit BusyNeighbours(int count);
  ~BusyNeighbours();
  BusyNeighbours(const BusyNeighbours&) = delete;
  BusyNeighbours& operator=(const BusyNeighbours&) = delete;

 private:
  std::vector<pid_t> pids_;
};

// CPU seconds of a process of ours, all threads; 0 if there is none.
double ProcessCpuSeconds(pid_t pid);

}  // namespace fs

#endif  // FS_BENCH_MACHINE_H_
