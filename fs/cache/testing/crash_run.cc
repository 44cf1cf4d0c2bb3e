#include "fs/cache/testing/crash_run.h"

#include <glog/logging.h>

#include "absl/strings/str_cat.h"

namespace fs::testing {
namespace {

std::unique_ptr<RawEngine> MustOpen(Device& device, const EngineOptions& options) {
  absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, options);
  CHECK(engine.ok()) << engine.status();
  return *std::move(engine);
}

}  // namespace

CrashRun::CrashRun(const DiskImage& image, const Model& model, const EngineOptions& options)
    : start_(image), options_(options), device_(image), engine_(MustOpen(device_, options)) {
  snapshots_.push_back({engine_->last_sequence(), model});
  promises_.push_back({0, 0});
}

void CrashRun::Note() { promises_.push_back({device_.position(), snapshots_.size() - 1}); }

void CrashRun::Apply(const Mutation& mutation) {
  const absl::StatusOr<Sequence> sequence = engine_->Apply(mutation);
  CHECK(sequence.ok()) << sequence.status();
  Model model = snapshots_.back().model;
  model.Apply(mutation);
  snapshots_.push_back({*sequence, std::move(model)});
}

void CrashRun::Commit() {
  CHECK_EQ(engine_->Commit(engine_->last_sequence(), Priority::kSync), absl::OkStatus());
  Note();
}

void CrashRun::Checkpoint() {
  CHECK_EQ(engine_->Checkpoint(), absl::OkStatus());
  Note();
}

void CrashRun::Step() { CHECK_EQ(engine_->Step().status(), absl::OkStatus()); }

void CrashRun::Reopen(bool cleanly) {
  if (cleanly) {
    CHECK_EQ(engine_->Close(), absl::OkStatus());
    Note();
  } else {
    Commit();
  }
  engine_.reset();
  engine_ = MustOpen(device_, options_);
}

// Empty if the volume holds one of the snapshots from `first` on.
std::string CrashRun::Mount(Device& device, size_t first, const std::vector<InodeNumber>& inodes) {
  absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, options_);
  if (!engine.ok()) return absl::StrCat("does not open: ", engine.status().ToString());
  std::string differences;
  for (size_t i = first; i < snapshots_.size(); ++i) {
    const std::string difference = snapshots_[i].model.Difference(**engine, inodes);
    if (difference.empty()) return "";
    absl::StrAppend(&differences, "\n  not mutation ", snapshots_[i].sequence, ": ", difference);
  }
  return differences;
}

CrashReport CrashRun::Check(const CrashOptions& options, const std::vector<InodeNumber>& inodes, uint64_t nested_every) {
  CrashReport report;
  ForEachCrashState(start_, device_.trace(), options, [&](const CrashState& state) {
    ++report.states;
    size_t first = 0;
    for (const Promise& promise : promises_) {
      if (promise.position <= state.position) first = promise.snapshot;
    }
    SimDevice recovered(*state.image);
    std::string wrong = Mount(recovered, first, inodes);
    if (wrong.empty() && nested_every != 0 && report.states % nested_every == 0) {
      CrashOptions nested = options;
      nested.samples = 8;
      nested.tears_max = 2;
      ForEachCrashState(*state.image, recovered.trace(), nested, [&](const CrashState& inner) {
        ++report.nested_states;
        SimDevice again(*inner.image);
        wrong = Mount(again, first, inodes);
        if (!wrong.empty()) wrong = absl::StrCat("after a second power cut (", inner.Describe(), "): ", wrong);
        return wrong.empty();
      });
    }
    if (!wrong.empty()) report.violation = absl::StrCat(state.Describe(), ": ", wrong);
    return wrong.empty();
  });
  return report;
}

}  // namespace fs::testing
