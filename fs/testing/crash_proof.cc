#include "fs/testing/crash_proof.h"

#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/testing/run_log.h"
#include "fs/testing/tree_dump.h"

namespace fs::testing {
namespace {

absl::Status Violation(const std::string& what, const CrashState& state, const std::string& found,
                       const std::string& wanted) {
  return absl::DataLossError(
      absl::StrCat(what, "; ", state.Describe(), "\n--- found\n", found, "--- allowed\n", wanted));
}

std::string Join(const RunLog& log, std::pair<size_t, size_t> range) {
  std::string text;
  for (size_t i = range.first; i <= range.second && i < log.trees().size(); ++i) {
    absl::StrAppend(&text, "tree ", i, ":\n", log.trees()[i]);
  }
  return text;
}

// Applies `workload`, taking down the trees and promises.
absl::Status Drive(ProofStore& store, absl::Span<const Op> workload, const RunOptions& run, RunLog& log) {
  RETURN_IF_ERROR(log.Found(store.volume()));
  for (const Op& op : workload) {
    store.clock().Advance(absl::Milliseconds(10));
    RETURN_IF_ERROR(log.Apply(store.volume(), op));
    if (run.checkpoint_between) RETURN_IF_ERROR(store.engine().Checkpoint());
    if (run.step_between) RETURN_IF_ERROR(store.engine().Step().status());
  }
  if (!run.close_at_end) return absl::OkStatus();
  RETURN_IF_ERROR(store.Close());
  log.PromiseEverything();
  return absl::OkStatus();
}

// Mounts the disks that power cuts left, and counts them.
class Checker {
 public:
  // One of the states, by `seed`, is kept as left().
  Checker(const CrashProofOptions& options, uint64_t seed) : options_(options), random_(seed) {}

  // All power cuts of a run that `log` describes.
  absl::Status CheckRun(const DiskImage& start, const DiskTrace& trace, size_t first_position, const RunLog& log) {
    CrashOptions crash = options_.crash;
    crash.first_position = first_position;
    absl::Status status;
    ForEachCrashState(start, trace, crash, [&](const CrashState& state) {
      ++counts_.states;
      if (random_() % counts_.states == 0) left_ = *state.image;
      const bool go_on = options_.recovery_every != 0 && counts_.states % options_.recovery_every == 0;
      if (options_.fsck_every != 0 && counts_.states % options_.fsck_every == 0) status = CheckDisk(state);
      if (!status.ok()) return false;
      status = go_on ? CheckRecovery(state, log) : CheckMount(state, log);
      return status.ok();
    });
    return status;
  }

  const CrashCounts& counts() const { return counts_; }
  const absl::optional<DiskImage>& left() const { return left_; }

 private:
  // A power cut leaves nothing that fsck would call damage.
  absl::Status CheckDisk(const CrashState& state) {
    SimDevice device(*state.image, {.record = false});
    return base::Annotate(ProofStore::Fsck(device, false), absl::StrCat("before mounting; ", state.Describe()));
  }

  absl::Status CheckMount(const CrashState& state, const RunLog& log) {
    SimDevice device(*state.image, {.record = false});
    return Mount(device, state, log, log.Allowed(state.position)).status();
  }

  // Mounts `device`, whose tree has to be one of `log`'s in `range`.
  absl::StatusOr<std::unique_ptr<ProofStore>> Mount(Device& device, const CrashState& state, const RunLog& log,
                                                    std::pair<size_t, size_t> range) {
    absl::StatusOr<std::unique_ptr<ProofStore>> store = ProofStore::Open(device, options_.store);
    if (!store.ok()) return base::Annotate(store.status(), absl::StrCat("mounting; ", state.Describe()));
    const absl::StatusOr<std::string> tree = DumpTree((*store)->volume(), DumpDetail::kAll);
    if (!tree.ok()) return base::Annotate(tree.status(), absl::StrCat("reading; ", state.Describe()));
    if (!log.Contains(*tree, range)) return Violation("another tree", state, *tree, Join(log, range));
    const absl::Status checked = (*store)->Check();
    if (!checked.ok()) return base::Annotate(checked, absl::StrCat("fsck; ", state.Describe()));
    return store;
  }

  // The mount itself, and what it does next, are cut as well.
  absl::Status CheckRecovery(const CrashState& state, const RunLog& log) {
    SimDevice device(*state.image);
    const std::pair<size_t, size_t> allowed = log.Allowed(state.position);
    ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, Mount(device, state, log, allowed));
    const size_t mounted = device.position();
    RunLog second([&device] { return device.position(); });
    RETURN_IF_ERROR(second.Found(store->volume()));
    for (const Op& op : Workload{{.kind = Op::Kind::kStore, .path = "second", .length = 700},
                                 {.kind = Op::Kind::kFsync, .path = "second"},
                                 {.kind = Op::Kind::kAppend, .path = "second", .length = 9000},
                                 {.kind = Op::Kind::kSync}}) {
      RETURN_IF_ERROR(base::Annotate(second.Apply(store->volume(), op), state.Describe()));
    }
    const DiskTrace trace = device.trace();
    absl::Status status;
    ForEachCrashState(*state.image, trace, options_.recovery_crash, [&](const CrashState& again) {
      ++counts_.recovery_states;
      SimDevice last(*again.image, {.record = false});
      // A cut inside the recovery: what the first cut allowed is still allowed.
      status = again.position < mounted ? Mount(last, again, log, allowed).status()
                                        : Mount(last, again, second, second.Allowed(again.position)).status();
      status = base::Annotate(status, absl::StrCat("after a first ", state.Describe()));
      return status.ok();
    });
    return status;
  }

  const CrashProofOptions& options_;
  std::mt19937_64 random_;
  absl::optional<DiskImage> left_;
  CrashCounts counts_;
};

}  // namespace

CrashCounts& CrashCounts::operator+=(const CrashCounts& other) {
  workloads += other.workloads;
  states += other.states;
  recovery_states += other.recovery_states;
  return *this;
}

absl::StatusOr<CrashProof> CrashProof::Create(const CrashProofOptions& options) {
  SimDevice device(DiskImage(options.store.device_bytes), {.record = false});
  RETURN_IF_ERROR(ProofStore::Format(device, options.store));
  ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(device, options.store));
  RunLog log([] { return 0; });
  RETURN_IF_ERROR(log.Found(store->volume()));
  for (const Op& op : PreparedTree()) RETURN_IF_ERROR(log.Apply(store->volume(), op));
  RETURN_IF_ERROR(store->Close());
  return CrashProof(options, device.image());
}

absl::StatusOr<CrashCounts> CrashProof::Run(absl::Span<const Op> workload, const RunOptions& run) const {
  DiskImage disk = prepared_;
  return RunOn(&disk, workload, run, 1);
}

absl::StatusOr<CrashCounts> CrashProof::RunOn(DiskImage* disk, absl::Span<const Op> workload, const RunOptions& run,
                                              uint64_t seed) const {
  const auto located = [&](const absl::Status& status) {
    return base::Annotate(
        status, absl::StrCat("workload ", DebugString(workload), run.checkpoint_between ? " +checkpoints" : "",
                             run.step_between ? " +steps" : "", run.close_at_end ? " +close" : ""));
  };
  SimDevice sim(*disk);
  ErrorDevice device(sim);
  absl::StatusOr<std::unique_ptr<ProofStore>> store = ProofStore::Open(device, options_.store);
  if (!store.ok()) return located(store.status());
  const size_t mounted = sim.position();
  if (run.hidden_fault.has_value()) {
    device.Heal();
    device.Add(*run.hidden_fault);
  }
  RunLog log([&sim] { return sim.position(); });
  const absl::Status driven = Drive(**store, workload, run, log);
  if (!driven.ok()) return located(driven);
  const DiskTrace trace = sim.trace();
  store->reset();
  Checker checker(options_, seed);
  const absl::Status checked = checker.CheckRun(*disk, trace, mounted, log);
  if (!checked.ok()) return located(checked);
  if (checker.left().has_value()) *disk = *checker.left();
  CrashCounts counts = checker.counts();
  counts.workloads = 1;
  return counts;
}

}  // namespace fs::testing
