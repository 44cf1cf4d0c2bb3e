#include "fs/testing/fault_proof.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/testing/tree_dump.h"

namespace fs::testing {
namespace {

// The codes by which a store refuses what is damaged.
bool IsRefusal(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status);
}

// One run on a disk with one fault, and what is mounted afterwards.
class FaultRun {
 public:
  FaultRun(const ProofStoreOptions& store, const CrashOptions& crash, const DiskImage& start,
           const FaultProof::Reference& reference, const DiskFault& fault, DiskJudge& judge)
      : options_(store),
        crash_(crash),
        start_(start),
        lie_(IsLie(fault.kind)),
        judge_(judge),
        sim_(start),
        device_(sim_),
        log_([this] { return sim_.position(); }, [this](bool reading) { device_.set_paused(reading); }) {
    device_.Add(fault);
    if (lie_) log_.set_reference(&reference.trees);
  }

  absl::Status Run(absl::Span<const Op> workload, const RunOptions& run) {
    RETURN_IF_ERROR(FindFirstTree());
    RETURN_IF_ERROR(Drive(workload, run));
    if (device_.spoilt_count() == 0) return absl::OkStatus();
    counts_.runs = 1;
    const DiskTrace trace = sim_.trace();
    // The process is gone, everything it wrote is there.
    RETURN_IF_ERROR(CheckMount(sim_.image(), trace.size(), "killed"));
    absl::Status status;
    CrashOptions crash = crash_;
    crash.first_position = first_promise_;
    ForEachCrashState(start_, trace, crash, [&](const CrashState& state) {
      status = CheckMount(*state.image, state.position, state.Describe());
      return status.ok();
    });
    return status;
  }

  const FaultCounts& counts() const { return counts_; }

 private:
  // The tree of the disk as it is, which a mount without faults shows.
  absl::Status FindFirstTree() {
    SimDevice sound(start_, {.record = false});
    ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(sound, options_));
    return log_.Found(store->volume());
  }

  absl::Status Drive(absl::Span<const Op> workload, const RunOptions& run) {
    absl::StatusOr<std::unique_ptr<ProofStore>> store = ProofStore::Open(device_, options_);
    first_promise_ = sim_.position();
    if (!store.ok()) {
      ++counts_.failed_calls;
      return absl::OkStatus();
    }
    for (const Op& op : workload) {
      (*store)->clock().Advance(absl::Milliseconds(10));
      const bool struck = device_.spoilt_count() != 0;
      absl::Status failed;
      RETURN_IF_ERROR(base::Annotate(log_.Apply((*store)->volume(), op, &failed), "reads must go on"));
      if (failed.ok()) {
        if (run.checkpoint_between) failed = (*store)->engine().Checkpoint();
        if (run.step_between) failed = (*store)->engine().Step().status();
      }
      if (!failed.ok()) ++counts_.failed_calls;
      NoteLie(struck);
      // What follows a lie that was found is not what the reference did.
      if (lie_ && !failed.ok()) break;
      if (lie_) RETURN_IF_ERROR(CheckLive((*store)->volume()));
    }
    if ((*store)->engine().read_only()) ++counts_.read_only;
    const bool struck = device_.spoilt_count() != 0;
    const bool knows_the_tree = !lie_ || counts_.failed_calls == 0;
    if (run.close_at_end && (*store)->Close().ok() && knows_the_tree) log_.PromiseEverything();
    NoteLie(struck);
    return absl::OkStatus();
  }

  // What the volume says while it is mounted: the truth, or an error.
  absl::Status CheckLive(Volume& volume) {
    device_.set_paused(true);
    const PartialDump dump = DumpWhatCanBeRead(volume, DumpDetail::kAll);
    device_.set_paused(false);
    for (const auto& [path, status] : dump.errors) {
      if (!IsRefusal(status)) return base::Annotate(status, absl::StrCat("reading ", path, " while mounted"));
    }
    return base::Annotate(CompareWithDump(dump, log_.trees().back()), "while mounted");
  }

  // Remembers what was promised before the lie, and whether anything was afterwards.
  // `struck_before` tells whether it had struck before the op.
  void NoteLie(bool struck_before) {
    const auto& [position, tree] = log_.last_promise();
    if (device_.spoilt_count() == 0) {
      sound_tree_ = tree;
    } else if (struck_before && position > told_position_) {
      proved_position_ = std::min(proved_position_, position);
    }
    told_position_ = position;
  }

  // Whether a mount after a cut at `position` has no way to know that `tree` is not the last.
  bool IsSilentLoss(size_t position, size_t tree) const { return tree >= sound_tree_ && position < proved_position_; }

  absl::Status CheckMount(const DiskImage& image, size_t position, const std::string& what) {
    ++counts_.mounts;
    const Verdict& verdict = judge_.Judge(image);
    const std::pair<size_t, size_t> range = log_.Allowed(position);
    if (lie_) return CheckAfterLie(verdict, position, range, what);
    RETURN_IF_ERROR(base::Annotate(verdict.mounted, absl::StrCat("mounting; ", what)));
    RETURN_IF_ERROR(base::Annotate(verdict.shown(), absl::StrCat("reading; ", what)));
    RETURN_IF_ERROR(base::Annotate(verdict.fsck, what));
    return log_.Contains(verdict.tree, range) ? absl::OkStatus() : Violation(what, verdict.dump, range);
  }

  absl::Status CheckAfterLie(const Verdict& verdict, size_t position, std::pair<size_t, size_t> range,
                             const std::string& what) {
    if (!verdict.shown().ok()) {
      ++counts_.refused;
      if (verdict.fsck.ok()) {
        return base::Annotate(verdict.shown(), absl::StrCat("fsck finds nothing, but there was; ", what));
      }
    }
    if (!verdict.mounted.ok()) {
      return IsRefusal(verdict.mounted) ? absl::OkStatus()
                                        : base::Annotate(verdict.mounted, absl::StrCat("mounting; ", what));
    }
    for (const auto& [path, status] : verdict.dump.errors) {
      if (!IsRefusal(status)) return base::Annotate(status, absl::StrCat("reading ", path, "; ", what));
    }
    for (size_t i = range.second + 1; i > 0; --i) {
      if (!CompareWithDump(verdict.dump, log_.trees()[i - 1]).ok()) continue;
      if (i - 1 >= range.first) return absl::OkStatus();
      ++counts_.cuts;
      if (verdict.cut || IsSilentLoss(position, i - 1)) return absl::OkStatus();
      return absl::DataLossError(absl::StrCat("an older tree, and nobody was told; ", what));
    }
    return Violation(what, verdict.dump, range);
  }

  absl::Status Violation(const std::string& what, const PartialDump& found, std::pair<size_t, size_t> range) {
    std::string text = absl::StrCat("another tree; ", what, "\n--- found\n");
    for (const auto& [path, line] : found.lines) text += line;
    text += "--- allowed\n";
    for (size_t i = range.first; i <= range.second; ++i) absl::StrAppend(&text, "tree ", i, ":\n", log_.trees()[i]);
    return absl::DataLossError(text);
  }

  const ProofStoreOptions& options_;
  const CrashOptions& crash_;
  const DiskImage& start_;
  const bool lie_;
  DiskJudge& judge_;
  SimDevice sim_;
  ErrorDevice device_;
  RunLog log_;
  size_t first_promise_ = 0;
  size_t sound_tree_ = 0;              // what was promised before the fault struck
  size_t told_position_ = 0;           // of the last promise
  size_t proved_position_ = SIZE_MAX;  // of the first promise that a call after the fault got
  FaultCounts counts_;
};

}  // namespace

FaultCounts& FaultCounts::operator+=(const FaultCounts& other) {
  runs += other.runs;
  failed_calls += other.failed_calls;
  read_only += other.read_only;
  mounts += other.mounts;
  refused += other.refused;
  cuts += other.cuts;
  return *this;
}

std::string FaultCounts::DebugString() const {
  return absl::StrFormat(
      "%d faults struck: %d calls failed, %d volumes read-only; %d mounts, %d refusals, %d cuts told", runs,
      failed_calls, read_only, mounts, refused, cuts);
}

bool IsLie(DiskFault::Kind kind) {
  return kind == DiskFault::Kind::kBitFlip || kind == DiskFault::Kind::kMisdirected || kind == DiskFault::Kind::kLost;
}

std::string DebugString(const DiskFault& fault) {
  static constexpr const char* kKinds[] = {"",         "fail",        "partial", "no space", "failed flush",
                                           "bit flip", "misdirected", "lost"};
  static constexpr const char* kRequests[] = {"", "read", "write", "flush", "discard"};
  return absl::StrCat(kKinds[static_cast<size_t>(fault.kind)], " of ", kRequests[static_cast<size_t>(fault.request)],
                      " ", fault.nth, fault.lasting ? " and all later ones" : "");
}

absl::StatusOr<FaultProof::Reference> FaultProof::RunSound(absl::Span<const Op> workload, const RunOptions& run) const {
  SimDevice sim(start_, {.record = false});
  ErrorDevice device(sim);
  ASSIGN_OR_RETURN(const std::unique_ptr<ProofStore> store, ProofStore::Open(device, store_));
  RunLog log([] { return 0; }, [&device](bool reading) { device.set_paused(reading); });
  RETURN_IF_ERROR(log.Found(store->volume()));
  for (const Op& op : workload) {
    store->clock().Advance(absl::Milliseconds(10));
    RETURN_IF_ERROR(log.Apply(store->volume(), op));
    if (run.checkpoint_between) RETURN_IF_ERROR(store->engine().Checkpoint());
    if (run.step_between) RETURN_IF_ERROR(store->engine().Step().status());
  }
  if (run.close_at_end) RETURN_IF_ERROR(store->Close());
  Reference reference;
  reference.trees = log.trees();
  for (size_t kind = 1; kind < reference.request_counts.size(); ++kind) {
    reference.request_counts[kind] = device.count(static_cast<IoRequest::Kind>(kind));
  }
  return reference;
}

absl::StatusOr<FaultCounts> FaultProof::Run(absl::Span<const Op> workload, const RunOptions& run,
                                            const Reference& reference, const DiskFault& fault) const {
  FaultRun one(store_, crash_, start_, reference, fault, *judge_);
  const absl::Status status = one.Run(workload, run);
  if (!status.ok()) {
    return base::Annotate(status, absl::StrCat("workload ", DebugString(workload), "; ", DebugString(fault)));
  }
  return one.counts();
}

}  // namespace fs::testing
