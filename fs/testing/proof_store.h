// A ProofStore is a small volume on a Device of the test's: engine and volume, driven
// without threads and without a real clock, so that a run can be repeated exactly.
//
// Errors:  the engine's and the volume's
// Threads: thread-compatible.
#ifndef FS_TESTING_PROOF_STORE_H_
#define FS_TESTING_PROOF_STORE_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/device.h"
#include "fs/volume/volume.h"

namespace fs::testing {

// The geometry and limits of the volumes that the proof works on.
struct ProofStoreOptions {
  uint64_t device_bytes = 24 << 20;
  uint64_t log_bytes = 1 << 20;
  uint32_t inline_bytes_max = 8 << 10;  // so that the workloads' larger writes take the other way
  uint64_t dirty_bytes_max = 4 << 20;
  bool read_only = false;
};

class ProofStore {
 public:
  // Makes an empty volume on `device`, leaving it closed.
  static absl::Status Format(Device& device, const ProofStoreOptions& options);
  // `device` must outlive the result; the clock goes on where `clock_ns` says.
  static absl::StatusOr<std::unique_ptr<ProofStore>> Open(Device& device, const ProofStoreOptions& options);
  ~ProofStore();  // as when the process is killed: nothing is written

  Volume& volume() { return *volume_; }
  RawEngine& engine() { return *engine_; }
  base::ManualClock& clock() { return clock_; }
  absl::Status Close();
  // Fsck of the mounted tree: DataLoss with the first broken rules.
  absl::Status Check();
  // Fsck of a disk that is not mounted, as cachectl does it, file data included. What the next mount repairs by itself
  // counts only if `strict`.
  static absl::Status Fsck(Device& device, bool strict);

 private:
  ProofStore() = default;

  base::ManualClock clock_;
  std::unique_ptr<RawEngine> engine_;
  std::unique_ptr<Volume> volume_;
};

}  // namespace fs::testing

#endif  // FS_TESTING_PROOF_STORE_H_
