#include "fs/testing/proof_store.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/cache/check.h"
#include "fs/volume/check.h"

namespace fs::testing {
namespace {

EngineOptions OptionsOf(const ProofStoreOptions& options, base::Clock& clock) {
  EngineOptions engine;
  engine.read_only = options.read_only;
  engine.manual = true;
  engine.early_write_bytes = 16 << 10;  // so that the short runs of these workloads are among them
  engine.inline_bytes_max = options.inline_bytes_max;
  engine.dirty_bytes_max = options.dirty_bytes_max;
  engine.clock = &clock;
  return engine;
}

}  // namespace

absl::Status ProofStore::Format(Device& device, const ProofStoreOptions& options) {
  base::ManualClock clock;
  MkfsOptions mkfs;
  mkfs.log_bytes = options.log_bytes;
  mkfs.seed = 1;
  mkfs.write_log = false;
  mkfs.clock = &clock;
  RETURN_IF_ERROR(Mkfs(device, mkfs));
  ASSIGN_OR_RETURN(const std::unique_ptr<RawEngine> engine, OpenEngine(device, OptionsOf(options, clock)));
  RETURN_IF_ERROR(Volume::Format(*engine, clock, 1, 2));
  return engine->Close();
}

absl::StatusOr<std::unique_ptr<ProofStore>> ProofStore::Open(Device& device, const ProofStoreOptions& options) {
  std::unique_ptr<ProofStore> store(new ProofStore);
  ASSIGN_OR_RETURN(store->engine_, OpenEngine(device, OptionsOf(options, store->clock_)));
  VolumeOptions volume;
  volume.clock = &store->clock_;
  volume.read_only = options.read_only;
  ASSIGN_OR_RETURN(store->volume_, Volume::Open(*store->engine_, volume));
  return store;
}

ProofStore::~ProofStore() = default;

absl::Status ProofStore::Close() {
  RETURN_IF_ERROR(volume_->Close());
  return engine_->Close();
}

absl::Status ProofStore::Check() {
  ASSIGN_OR_RETURN(const TreeCheckReport report, CheckTree(*engine_));
  if (report.problem_count == 0) return absl::OkStatus();
  std::string text = absl::StrCat(report.problem_count, " broken rules");
  for (const TreeProblem& problem : report.problems) absl::StrAppend(&text, "; ", problem.rule, ": ", problem.text);
  return absl::DataLossError(text);
}

absl::Status ProofStore::Fsck(Device& device, bool strict) {
  CheckOptions options;
  options.read_data = true;
  ASSIGN_OR_RETURN(const CheckReport report, CheckVolume(device, options));
  std::string text;
  for (const CheckFinding& finding : report.findings) {
    if (strict || !finding.harmless) absl::StrAppend(&text, "; ", finding.rule, ": ", finding.message);
  }
  return text.empty() ? absl::OkStatus() : absl::DataLossError(absl::StrCat("fsck", text));
}

}  // namespace fs::testing
