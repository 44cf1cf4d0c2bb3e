#include "fs/testing/crash_proof.h"

#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/testing/run_log.h"

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

// Judges the disks that power cuts left, and counts them.
class Checker {
 public:
  // One of the states, by `seed`, is kept as left().
  Checker(const CrashProofOptions& options, DiskJudge& judge, uint64_t seed)
      : options_(options), judge_(judge), random_(seed) {}

  // All power cuts of a run that `log` describes.
  absl::Status CheckRun(const DiskImage& start, const DiskTrace& trace, size_t first_position, const RunLog& log) {
    CrashOptions crash = options_.crash;
    crash.first_position = first_position;
    const uint64_t disks_before = judge_.disks();
    absl::Status status;
    ForEachCrashState(start, trace, crash, [&](const CrashState& state) {
      ++counts_.states;
      if (random_() % counts_.states == 0) left_ = *state.image;
      const uint64_t known = judge_.disks();
      const Verdict& verdict = judge_.Judge(*state.image);
      status = CheckVerdict(verdict, state, log, log.Allowed(state.position));
      const bool go_on = options_.recovery_every != 0 && judge_.disks() > known &&
                         state.image->digest().high % options_.recovery_every == 0;
      if (status.ok() && go_on) status = CheckRecovery(state, verdict.tree);
      return status.ok();
    });
    counts_.disks = judge_.disks() - disks_before;
    return status;
  }

  // The process of a run that `log` describes is killed after each event, and what it wrote is there, though not yet
  // durable: the next mount reads it, and has to make it durable before it shows it.
  absl::Status CheckKills(const DiskImage& start, const DiskTrace& trace, size_t first_position, const RunLog& log) {
    const uint64_t disks_before = judge_.disks();
    DiskImage image = start;
    for (size_t position = 0; position <= trace.size(); ++position) {
      if (position > 0) Happen(trace[position - 1], image);
      if (position < first_position) continue;
      ++counts_.kills;
      RETURN_IF_ERROR(base::Annotate(
          CheckKill(start, {trace.begin(), trace.begin() + static_cast<ptrdiff_t>(position)}, image, log),
          absl::StrCat("killed after event ", position)));
    }
    left_ = image;
    counts_.disks = judge_.disks() - disks_before;
    return absl::OkStatus();
  }

  const CrashCounts& counts() const { return counts_; }
  const absl::optional<DiskImage>& left() const { return left_; }

 private:
  // The mount succeeded, fsck is content.
  static absl::Status CheckSound(const Verdict& verdict, const CrashState& state) {
    RETURN_IF_ERROR(base::Annotate(verdict.mounted, absl::StrCat("mounting; ", state.Describe())));
    RETURN_IF_ERROR(base::Annotate(verdict.shown(), absl::StrCat("reading; ", state.Describe())));
    return base::Annotate(verdict.fsck, state.Describe());
  }

  static absl::Status CheckVerdict(const Verdict& verdict, const CrashState& state, const RunLog& log,
                                   std::pair<size_t, size_t> range) {
    RETURN_IF_ERROR(CheckSound(verdict, state));
    if (log.Contains(verdict.tree, range)) return absl::OkStatus();
    return Violation("another tree", state, verdict.tree, Join(log, range));
  }

  static void Happen(const DiskEvent& event, DiskImage& image) {
    if (event.kind == DiskEvent::Kind::kWrite) image.Write(event.offset, *event.bytes);
    if (event.kind == DiskEvent::Kind::kDiscard) image.Fill(event.offset, event.length, 0xD5);
  }

  // Mounts and changes the tree; `second` has what was promised, `mounted` the position when the mount was done.
  absl::Status GoOn(SimDevice& device, RunLog& second, size_t* mounted) {
    ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(device, options_.store));
    *mounted = device.position();
    RETURN_IF_ERROR(second.Found(store->volume()));
    for (const Op& op : Workload{{.kind = Op::Kind::kStore, .path = "second", .length = 700},
                                 {.kind = Op::Kind::kFsync, .path = "second"},
                                 {.kind = Op::Kind::kAppend, .path = "second", .length = 9000},
                                 {.kind = Op::Kind::kSync}}) {
      RETURN_IF_ERROR(second.Apply(store->volume(), op));
    }
    return absl::OkStatus();
  }

  // `image` is `start` after `trace`, the last writes of which may still be lost.
  absl::Status CheckKill(const DiskImage& start, DiskTrace trace, const DiskImage& image, const RunLog& log) {
    const size_t killed = trace.size();
    const std::pair<size_t, size_t> allowed = log.Allowed(killed);
    SimDevice device(image);
    RunLog second([&device] { return device.position(); });
    size_t mounted = 0;
    RETURN_IF_ERROR(GoOn(device, second, &mounted));
    if (!log.Contains(second.trees().front(), allowed)) {
      return absl::DataLossError(
          absl::StrCat("another tree\n--- found\n", second.trees().front(), "--- allowed\n", Join(log, allowed)));
    }
    for (DiskEvent event : device.trace()) {
      event.covers += killed;  // what the killed process had written was complete before
      trace.push_back(std::move(event));
    }
    CrashOptions crash = options_.recovery_crash;
    crash.first_position = killed;
    absl::Status status;
    ForEachCrashState(start, trace, crash, [&](const CrashState& state) {
      ++counts_.recovery_states;
      const Verdict& verdict = judge_.Judge(*state.image);
      const bool shown = state.position >= killed + mounted;
      status = shown ? CheckVerdict(verdict, state, second, second.Allowed(state.position - killed))
                     : CheckVerdict(verdict, state, log, allowed);
      return status.ok();
    });
    return status;
  }

  // The mount of `state`, which shows `tree`, and what it does next, are cut as well.
  absl::Status CheckRecovery(const CrashState& state, const std::string& tree) {
    SimDevice device(*state.image);
    RunLog second([&device] { return device.position(); });
    size_t mounted = 0;
    RETURN_IF_ERROR(base::Annotate(GoOn(device, second, &mounted), state.Describe()));
    const DiskTrace trace = device.trace();
    absl::Status status;
    ForEachCrashState(*state.image, trace, options_.recovery_crash, [&](const CrashState& again) {
      ++counts_.recovery_states;
      const Verdict& verdict = judge_.Judge(*again.image);
      status = CheckSound(verdict, again);
      if (status.ok() && again.position < mounted) {
        if (verdict.tree != tree) status = Violation("the recovery was cut, and", again, verdict.tree, tree);
      } else if (status.ok()) {
        status = CheckVerdict(verdict, again, second, second.Allowed(again.position));
      }
      status = base::Annotate(status, absl::StrCat("after a first ", state.Describe()));
      return status.ok();
    });
    return status;
  }

  const CrashProofOptions& options_;
  DiskJudge& judge_;
  std::mt19937_64 random_;
  absl::optional<DiskImage> left_;
  CrashCounts counts_;
};

}  // namespace

CrashCounts& CrashCounts::operator+=(const CrashCounts& other) {
  workloads += other.workloads;
  states += other.states;
  kills += other.kills;
  recovery_states += other.recovery_states;
  disks += other.disks;
  return *this;
}

std::string CrashCounts::DebugString() const {
  return absl::StrFormat(
      "%d workloads: %d power cuts, %d kills, %d more cuts in or after a recovery; %d disks mounted and checked",
      workloads, states, kills, recovery_states, disks);
}

absl::Span<const RunOptions> EveryWay() {
  static constexpr RunOptions kWays[] = {
      {}, {.close_at_end = true}, {.checkpoint_between = true}, {.step_between = true}};
  return kWays;
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
  Checker checker(options_, *judge_, seed);
  const absl::Status checked =
      run.kill ? checker.CheckKills(*disk, trace, mounted, log) : checker.CheckRun(*disk, trace, mounted, log);
  if (!checked.ok()) return located(checked);
  if (checker.left().has_value()) *disk = *checker.left();
  CrashCounts counts = checker.counts();
  counts.workloads = 1;
  return counts;
}

}  // namespace fs::testing
