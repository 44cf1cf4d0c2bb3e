// The fault proof: runs a workload on a disk that fails, or lies, once, and judges what the
// volume said then, what it says afterwards, and what the next mount finds.
//
// The oracle. A fault that the disk owns up to (an error, a partial write, no space, a failed
// flush) may make calls fail, and the volume read-only. But its reads stay right; and what it
// acknowledged, before or after the fault, survives: the process's end, and power cuts after
// the fault. A call that failed may have happened or not, never in part.
// A fault that the disk hides (a flipped bit, a write gone astray or lost) is either without
// consequence or found: the mount is refused with DataLoss or FailedPrecondition, or single
// reads are; every byte that is given is right. Only when the lie befell the newest batch of the
// log, a mount may come up with the tree before it, and says so (EngineStats::recovery_cut). It
// cannot say so when nothing at all is left of that batch (a write that was lost or went astray)
// and nothing was promised after it: then, and only then, the loss is silent.
// fsck is asked of every disk that is mounted: after a fault that was owned up to it finds nothing,
// and of each harm that a mount shows it finds something.
//
// Errors:  DataLoss  a violation: names workload, fault and trees
// Threads: thread-compatible.
#ifndef FS_TESTING_FAULT_PROOF_H_
#define FS_TESTING_FAULT_PROOF_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fs/disk/testing/crash_states.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/disk/testing/error_device.h"
#include "fs/testing/crash_proof.h"
#include "fs/testing/disk_judge.h"
#include "fs/testing/proof_store.h"
#include "fs/testing/run_log.h"
#include "fs/testing/workload.h"

namespace fs::testing {

struct FaultCounts {
  uint64_t runs = 0;          // a workload with one fault that struck
  uint64_t failed_calls = 0;  // in them
  uint64_t read_only = 0;     // volumes that gave up writing
  uint64_t mounts = 0;        // afterwards, power cuts included; each disk that occurs again is mounted once
  uint64_t refused = 0;       // mounts or reads that named the damage
  uint64_t cuts = 0;          // mounts of an older tree that said so

  FaultCounts& operator+=(const FaultCounts& other);
  std::string DebugString() const;
};

// Whether the disk hides a fault of this kind.
bool IsLie(DiskFault::Kind kind);
std::string DebugString(const DiskFault& fault);

class FaultProof {
 public:
  // Runs start from `start`, a volume that was closed or whose last run was cut.
  FaultProof(const ProofStoreOptions& store, const CrashOptions& crash, DiskImage start)
      : store_(store), crash_(crash), start_(std::move(start)), judge_(std::make_unique<DiskJudge>(store)) {}

  uint64_t disks() const { return judge_->disks(); }  // distinct ones that were mounted

  // What the workload does on a sound disk.
  struct Reference {
    std::vector<std::string> trees;
    // By IoRequest::Kind, mount included: the numbers that are worth a fault.
    std::array<uint64_t, 5> request_counts = {};
  };
  absl::StatusOr<Reference> RunSound(absl::Span<const Op> workload, const RunOptions& run) const;
  absl::StatusOr<FaultCounts> Run(absl::Span<const Op> workload, const RunOptions& run, const Reference& reference,
                                  const DiskFault& fault) const;

 private:
  const ProofStoreOptions store_;
  const CrashOptions crash_;
  const DiskImage start_;
  const std::unique_ptr<DiskJudge> judge_;
};

}  // namespace fs::testing

#endif  // FS_TESTING_FAULT_PROOF_H_
