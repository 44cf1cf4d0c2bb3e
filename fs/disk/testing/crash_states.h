// Makes the disks that a power cut could leave after a recorded run.
//
// Shape:   between two flushes there are n pending writes. Of up to `subset_writes_max` of
//          them every subset is kept; of more, every prefix, every one alone, all but each
//          one, and `samples` random subsets. Then each write in turn is torn (every prefix
//          and suffix of its sectors up to `tears_max`, and random sets of sectors) and
//          scrambled, with all the others kept, none of them, and those before it.
//          A subset is made once, at the latest moment that could leave it: just before
//          the next flush returns, when the most has been promised. (An earlier cut with
//          the same subset leaves the same disk and promises less.)
// Threads: no state.
// Source:  sim_device.h, "power-cut model".
#ifndef FS_DISK_TESTING_CRASH_STATES_H_
#define FS_DISK_TESTING_CRASH_STATES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/disk/testing/sim_device.h"

namespace fs::testing {

struct CrashOptions {
  size_t subset_writes_max = 10;
  size_t samples = 64;
  size_t tears_max = 16;
  bool tear = true;
  bool scramble = true;
  uint64_t seed = 1;
  // Cuts before this position were looked at already: states that they leave are left out.
  size_t first_position = 0;
};

struct CrashState {
  // Only for the time of the visit; copy it to keep it.
  const DiskImage* image = nullptr;
  // Events before this position had happened: every promise made up to here holds.
  size_t position = 0;
  // What became of each pending event, for messages.
  std::string Describe() const;

  enum class Fate : uint8_t { kLost = 0, kKept, kTorn, kScrambled };
  const std::vector<size_t>* pending = nullptr;  // indices into the trace
  const std::vector<Fate>* fates = nullptr;      // beside `pending`
};

// Visits each state that a power cut in `trace`, which began on `start`, may leave, until
// `visit` returns false. Returns how many were visited.
uint64_t ForEachCrashState(const DiskImage& start, const DiskTrace& trace, const CrashOptions& options,
                           absl::FunctionRef<bool(const CrashState&)> visit);

}  // namespace fs::testing

#endif  // FS_DISK_TESTING_CRASH_STATES_H_
