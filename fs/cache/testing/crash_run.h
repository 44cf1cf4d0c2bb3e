// A CrashRun records a workload on an engine and checks every disk that a power cut could
// have left: what was promised is there, and the volume holds exactly the mutations up to
// some sequence.
//
// Threads: single thread.
#ifndef FS_CACHE_TESTING_CRASH_RUN_H_
#define FS_CACHE_TESTING_CRASH_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/crash_states.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/disk/testing/sim_device.h"

namespace fs::testing {

struct CrashReport {
  uint64_t states = 0;
  uint64_t nested_states = 0;  // power cuts inside recovery
  std::string violation;       // the first; empty if none
};

class CrashRun {
 public:
  // Goes on from `image`, which holds a volume whose contents are `model`.
  CrashRun(const DiskImage& image, const Model& model, const EngineOptions& options);

  // The workload: each call does it and notes what is promised.
  void Apply(const Mutation& mutation);
  void Commit();
  void Checkpoint();
  void Step();
  void Reopen(bool cleanly);

  RawEngine& engine() { return *engine_; }
  const DiskImage& image() const { return device_.image(); }
  const Model& model() const { return snapshots_.back().model; }

  // Every `nested_every`-th state also goes through power cuts while it recovers.
  CrashReport Check(const CrashOptions& options, const std::vector<InodeNumber>& inodes, uint64_t nested_every);

 private:
  struct Snapshot {
    Sequence sequence;
    Model model;
  };
  struct Promise {
    size_t position;
    size_t snapshot;  // index
  };
  std::string Mount(Device& device, size_t first_snapshot, const std::vector<InodeNumber>& inodes);
  void Note();

  const DiskImage start_;
  const EngineOptions options_;
  SimDevice device_;
  std::unique_ptr<RawEngine> engine_;
  std::vector<Snapshot> snapshots_;
  std::vector<Promise> promises_;
};

}  // namespace fs::testing

#endif  // FS_CACHE_TESTING_CRASH_RUN_H_
