// BuildRun: outputs are stored, stale ones removed, the manifest committed.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "ssg/build/build_run.h"
#include "ssg/site/paths.h"

namespace ssg {

absl::Status BuildRun::StatOldOutputs() {
  if (old_ == nullptr) return absl::OkStatus();
  std::vector<absl::string_view> paths;
  paths.reserve(old_->outputs.size());
  for (const auto& output : old_->outputs) paths.push_back(output.path);
  old_intact_.assign(paths.size(), false);
  return output_->Stat(paths, [&](size_t i, absl::StatusOr<fs::FileStat> found) {
    old_intact_[i] = found.ok() && FileMark::Of(*found) == old_->outputs[i].mark;
    return true;
  });
}

const Manifest::Output* BuildRun::FindIntact(absl::string_view path) const {
  const Manifest::Output* old = old_ == nullptr ? nullptr : old_->FindOutput(path);
  return old != nullptr && old_intact_[old - old_->outputs.data()] ? old : nullptr;
}

absl::Status BuildRun::MarkOutputs() {
  std::vector<absl::string_view> paths;
  std::vector<size_t> indices;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    OutputState& output = outputs_[i];
    const Manifest::Output* old = FindIntact(output.path);
    if (old != nullptr &&
        (output.kept != nullptr || (output.copy == nullptr && old->content_hash == output.content_hash))) {
      output.mark = old->mark;
    } else {
      paths.push_back(output.path);
      indices.push_back(i);
    }
  }
  return output_->Stat(paths, [&](size_t i, absl::StatusOr<fs::FileStat> found) {
    if (found.ok()) outputs_[indices[i]].mark = FileMark::Of(*found);
    return true;
  });
}

absl::Status BuildRun::StoreOutputs() {
  std::vector<std::string> fresh;
  for (const OutputState& output : outputs_) {
    if (old_ == nullptr || old_->FindOutput(output.path) == nullptr) fresh.push_back(output.path);
  }
  RETURN_IF_ERROR(cache_->WritePending(fresh));
  OutputWriter writer(*output_);
  RETURN_IF_ERROR(StoreSpool(writer));
  RETURN_IF_ERROR(StoreCopies(writer));
  RETURN_IF_ERROR(RemoveStale());
  result_->written_count = writer.written_count();
  result_->output_count = outputs_.size();
  return MarkOutputs();
}

absl::Status BuildRun::StoreSpool(OutputWriter& writer) {
  RETURN_IF_ERROR(spool_->status());
  std::vector<size_t> to_store;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const OutputState& output = outputs_[i];
    if (output.spooled == SIZE_MAX) continue;
    // The same bytes are there already.
    const Manifest::Output* old = FindIntact(output.path);
    if (old != nullptr && old->content_hash == output.content_hash) continue;
    to_store.push_back(i);
    result_->changed_outputs.push_back(output.path);
  }
  constexpr size_t kGrain = 256;
  base::ParallelFor((to_store.size() + kGrain - 1) / kGrain, jobs_, [&](size_t chunk) {
    OutputWriter::Batch batch(writer);
    for (size_t k = chunk * kGrain; k < std::min(to_store.size(), (chunk + 1) * kGrain); ++k) {
      auto file = spool_->Take(outputs_[to_store[k]].spooled);
      if (!file.ok()) {
        diagnostics_.Error("io", outputs_[to_store[k]].path, 0, file.status().message());
        continue;
      }
      batch.Add(std::move(file->path), std::move(file->text));
    }
  });
  return writer.status();
}

absl::Status BuildRun::StoreCopies(OutputWriter& writer) {
  std::vector<const SourceFile*> files;
  std::vector<size_t> targets;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].copy == nullptr) continue;
    files.push_back(outputs_[i].copy);
    targets.push_back(i);
    result_->changed_outputs.push_back(outputs_[i].path);
  }
  if (files.empty()) return absl::OkStatus();
  OutputWriter::Batch batch(writer);
  RETURN_IF_ERROR(tree_->Read(files, [&](size_t i, absl::StatusOr<absl::string_view> text) {
    if (!text.ok()) return diagnostics_.Error("io", files[i]->path, 0, text.status().message());
    batch.Add(outputs_[targets[i]].path, std::string(*text));
  }));
  return writer.status();
}

bool BuildRun::IsOutput(absl::string_view path) const {
  const auto found =
      std::lower_bound(outputs_.begin(), outputs_.end(), path,
                       [](const OutputState& output, absl::string_view key) { return output.path < key; });
  return found != outputs_.end() && found->path == path;
}

// A killed build may have left ".NAME.0123456789abcdef.tmp" beside an output NAME.
absl::Status BuildRun::RemoveTemporaries() {
  constexpr size_t kSuffixBytes = 21;  // ".", 16 digits, ".tmp"
  std::vector<std::string> left;
  RETURN_IF_ERROR(output_->List("", /*recursive=*/true, [&](size_t, absl::StatusOr<fs::DirEntry> entry) {
    if (!entry.ok()) return true;
    const absl::string_view name = BaseName(entry->path);
    if (name.size() <= kSuffixBytes + 1 || name[0] != '.' || !absl::EndsWith(name, ".tmp")) return true;
    const absl::string_view of = name.substr(1, name.size() - kSuffixBytes - 1);
    const absl::string_view directory = DirectoryOf(entry->path);
    const std::string output = absl::StrCat(directory, directory.empty() ? "" : "/", of);
    const auto& pending = cache_->pending();
    const bool ours = IsOutput(output) || std::find(pending.begin(), pending.end(), output) != pending.end() ||
                      (cache_->manifest() != nullptr && cache_->manifest()->FindOutput(output) != nullptr);
    if (ours) left.push_back(entry->path);
    return true;
  }));
  const std::vector<absl::string_view> paths(left.begin(), left.end());
  return output_->Remove(paths, {}, [](size_t, absl::StatusOr<bool>) { return true; });
}

absl::Status BuildRun::RemoveStale() {
  if (cache_->interrupted()) RETURN_IF_ERROR(RemoveTemporaries());
  std::vector<absl::string_view> stale;
  if (const Manifest* manifest = cache_->manifest()) {
    for (const auto& output : manifest->outputs) {
      if (!IsOutput(output.path)) stale.push_back(output.path);
    }
  }
  for (const std::string& path : cache_->pending()) {
    if (!IsOutput(path)) stale.push_back(path);
  }
  if (stale.empty()) return absl::OkStatus();
  absl::Status failure;
  RETURN_IF_ERROR(output_->Remove(stale, {}, [&](size_t i, absl::StatusOr<bool> existed) {
    if (!existed.ok() && failure.ok()) failure = base::Annotate(existed.status(), stale[i]);
    if (existed.ok() && *existed) ++result_->removed_count;
    result_->changed_outputs.emplace_back(stale[i]);
    return true;
  }));
  RETURN_IF_ERROR(failure);
  // Directories that are empty now go too, the deepest first; Remove() refuses others.
  std::vector<std::string> directories;
  for (const absl::string_view path : stale) {
    for (absl::string_view up = DirectoryOf(path); !up.empty(); up = DirectoryOf(up)) directories.emplace_back(up);
  }
  std::sort(directories.begin(), directories.end(), [](const std::string& a, const std::string& b) { return a > b; });
  directories.erase(std::unique(directories.begin(), directories.end()), directories.end());
  for (const std::string& directory : directories) {
    const absl::string_view path = directory;
    RETURN_IF_ERROR(output_->Remove({&path, 1}, {}, [](size_t, absl::StatusOr<bool>) { return true; }));
  }
  return absl::OkStatus();
}

}  // namespace ssg
