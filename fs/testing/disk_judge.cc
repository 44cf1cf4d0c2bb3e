#include "fs/testing/disk_judge.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fs/disk/testing/sim_device.h"

namespace fs::testing {
namespace {

// Everything that a verdict says.
std::string Text(const Verdict& verdict) {
  std::string text = absl::StrCat(verdict.cut, verdict.mounted.ToString(), "\n", verdict.fsck.ToString(), "\n");
  for (const auto& [path, line] : verdict.dump.lines) text += line;
  for (const auto& [path, status] : verdict.dump.errors) absl::StrAppend(&text, path, ": ", status.ToString(), "\n");
  return text;
}

}  // namespace

const absl::Status& Verdict::shown() const {
  return mounted.ok() && !dump.errors.empty() ? dump.errors.begin()->second : mounted;
}

Verdict JudgeDisk(const DiskImage& image, const ProofStoreOptions& options) {
  Verdict verdict;
  {
    SimDevice device(image, {.record = false});
    verdict.fsck = ProofStore::Fsck(device, /*strict=*/false);
  }
  SimDevice device(image, {.record = false});
  const absl::StatusOr<std::unique_ptr<ProofStore>> store = ProofStore::Open(device, options);
  verdict.mounted = store.status();
  if (!store.ok()) return verdict;
  verdict.cut = (*store)->engine().stats().recovery_cut;
  verdict.dump = DumpWhatCanBeRead((*store)->volume(), DumpDetail::kAll);
  if (verdict.dump.errors.empty()) {
    for (const auto& [path, line] : verdict.dump.lines) verdict.tree += line;
  }
  if (verdict.fsck.ok()) verdict.fsck = (*store)->Check();
  return verdict;
}

const Verdict& DiskJudge::Judge(const DiskImage& image) {
  const Verdict*& known = by_content_[image.digest()];
  if (known != nullptr) return *known;
  Verdict verdict = JudgeDisk(image, options_);
  std::unique_ptr<const Verdict>& same = by_text_[Text(verdict)];
  if (same == nullptr) same = std::make_unique<const Verdict>(std::move(verdict));
  known = same.get();
  return *known;
}

}  // namespace fs::testing
