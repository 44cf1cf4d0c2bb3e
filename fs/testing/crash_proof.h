// The crash proof: runs a workload on a simulated disk, cuts the power in every way the disk's
// model allows, mounts what is left, and compares it with what had been promised.
//
// The oracle: after every call of the volume's the whole tree is written down. A mount after
// a power cut has to find exactly one of these trees: not older than the last that was
// acknowledged by fsync, sync or flush before the cut, not newer than the last that had been
// begun. That is "acknowledged means present, the rest old or new, never mixed". The mount
// has to succeed and fsck to find nothing, before the mount and in it, on every disk.
// For some of the disks the game goes on: the mount that recovers is recorded as well, goes
// on with a change of its own, and the power is cut in all of that. A cut inside the recovery
// changes nothing; and once a mount has shown a tree, no later mount may show another one that
// the first run had left: what recovery cut off must not come back.
// Likewise a process may be killed at any moment and mounted again at once, while what it wrote
// last still sits in the disk's cache: what that mount shows may not be lost by a power cut later.
//
// Shape:   runs of one proof share a judge: what two of them leave alike is mounted once.
//
// Errors:  DataLoss  a violation: names workload, power cut and trees
//          other     the volume's, on an undamaged disk
// Threads: thread-compatible.
//
// Example:
//   ASSIGN_OR_RETURN(const CrashProof proof, CrashProof::Create({}));
//   ASSIGN_OR_RETURN(const CrashCounts counts, proof.Run(workload));
#ifndef FS_TESTING_CRASH_PROOF_H_
#define FS_TESTING_CRASH_PROOF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "fs/disk/testing/crash_states.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/disk/testing/error_device.h"
#include "fs/disk/testing/sim_device.h"
#include "fs/testing/disk_judge.h"
#include "fs/testing/proof_store.h"
#include "fs/testing/workload.h"

namespace fs::testing {

struct CrashCounts {
  uint64_t workloads = 0;
  uint64_t states = 0;           // power cuts in a workload
  uint64_t kills = 0;            // of the process, without a power cut
  uint64_t recovery_states = 0;  // power cuts in the mount after a power cut or kill, and later
  uint64_t disks = 0;            // that no cut before had left: mounted, read, given to fsck

  CrashCounts& operator+=(const CrashCounts& other);
  std::string DebugString() const;
};

struct CrashProofOptions {
  ProofStoreOptions store;
  CrashOptions crash;
  CrashOptions recovery_crash = {.subset_writes_max = 4, .samples = 8, .tears_max = 2};
  // One disk in so many, by its content, goes on into a second crash; 0 = none.
  uint64_t recovery_every = 25;
};

// How a run is driven besides the workload.
struct RunOptions {
  bool checkpoint_between = false;  // after each op
  bool step_between = false;        // background work after each op
  bool close_at_end = false;        // a clean unmount, interrupted
  // Instead of cutting the power: kills the process after each write and flush, mounts again, goes on, and cuts the
  // power in that.
  bool kill = false;
  // A disk that breaks its word, to see that the proof sees it.
  absl::optional<DiskFault> hidden_fault;
};

// Plain, with a clean unmount, with checkpoints, with background work.
absl::Span<const RunOptions> EveryWay();

class CrashProof {
 public:
  // Formats a disk and puts the prepared tree on it.
  static absl::StatusOr<CrashProof> Create(const CrashProofOptions& options);

  // From the prepared tree.
  absl::StatusOr<CrashCounts> Run(absl::Span<const Op> workload, const RunOptions& run) const;
  // From `disk`, which is left as one of the power cuts left it, by `seed`: so a run can follow
  // on the crash of the one before.
  absl::StatusOr<CrashCounts> RunOn(DiskImage* disk, absl::Span<const Op> workload, const RunOptions& run,
                                    uint64_t seed) const;

  const DiskImage& prepared() const { return prepared_; }

 private:
  CrashProof(const CrashProofOptions& options, DiskImage prepared)
      : options_(options), prepared_(std::move(prepared)), judge_(std::make_unique<DiskJudge>(options.store)) {}

  CrashProofOptions options_;
  DiskImage prepared_;
  std::unique_ptr<DiskJudge> judge_;
};

}  // namespace fs::testing

#endif  // FS_TESTING_CRASH_PROOF_H_
