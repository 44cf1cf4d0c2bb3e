#include "fs/testing/run_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/testing/tree_dump.h"
#include "glog/logging.h"

namespace fs::testing {

absl::Status RunLog::Read(Volume& volume, std::string* tree) const {
  if (reference_ != nullptr) {
    CHECK_LT(trees_.size(), reference_->size()) << "the runs differ";
    *tree = (*reference_)[trees_.size()];
    return absl::OkStatus();
  }
  if (reading_) reading_(true);
  absl::StatusOr<std::string> dump = DumpTree(volume, DumpDetail::kAll);
  if (reading_) reading_(false);
  RETURN_IF_ERROR(dump.status());
  *tree = *std::move(dump);
  return absl::OkStatus();
}

absl::Status RunLog::Found(Volume& volume) {
  std::string tree;
  RETURN_IF_ERROR(Read(volume, &tree));
  trees_ = {std::move(tree)};
  began_ = {0};
  promises_ = {{0, 0}};
  return absl::OkStatus();
}

absl::Status RunLog::Apply(Volume& volume, const Op& op) {
  absl::Status failed;
  RETURN_IF_ERROR(Apply(volume, op, &failed));
  return failed;
}

absl::Status RunLog::Apply(Volume& volume, const Op& op, absl::Status* failed) {
  size_t began = 0;
  absl::Status noted;
  const absl::Status applied = ApplyOp(
      volume, op, ++serial_, [&] { began = position_(); },
      [&](const Call& call, const absl::Status& status) {
        const absl::Status one = Note(volume, began, call, status);
        if (noted.ok()) noted = one;
      });
  *failed = base::Annotate(applied, op.DebugString());
  return base::Annotate(noted, absl::StrCat("the tree after ", op.DebugString()));
}

absl::Status RunLog::Note(Volume& volume, size_t began, const Call& call, const absl::Status& status) {
  if (call.persisted == Call::kEverything) {
    if (status.ok()) PromiseEverything();
    return absl::OkStatus();
  }
  if (call.persisted != 0) {
    const auto changed = last_change_.find(call.persisted);
    if (status.ok() && changed != last_change_.end()) promises_.emplace_back(position_(), changed->second);
    return absl::OkStatus();
  }
  std::string tree;
  RETURN_IF_ERROR(Read(volume, &tree));
  trees_.push_back(std::move(tree));
  began_.push_back(began);
  for (const InodeNumber inode : call.touched) last_change_[inode] = trees_.size() - 1;
  return absl::OkStatus();
}

std::pair<size_t, size_t> RunLog::Allowed(size_t position) const {
  std::pair<size_t, size_t> range = {0, 0};
  for (const auto& [promised, tree] : promises_) {
    if (promised <= position) range.first = std::max(range.first, tree);
  }
  while (range.second + 1 < trees_.size() && began_[range.second + 1] <= position) ++range.second;
  return range;
}

bool RunLog::Contains(const std::string& tree, std::pair<size_t, size_t> range) const {
  for (size_t i = range.first; i <= range.second && i < trees_.size(); ++i) {
    if (trees_[i] == tree) return true;
  }
  return false;
}

}  // namespace fs::testing
