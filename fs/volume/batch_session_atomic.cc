// BatchSession: frames of which all items happen or none does.
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "fs/volume/batch_session.h"

namespace fs {
namespace {

std::string FullPath(const batch::Request& request, const batch::Path& path) {
  if (path.directory() == 0) return path.name();
  return absl::StrCat(request.directories(static_cast<int>(path.directory()) - 1), "/", path.name());
}

}  // namespace

// What an atomic batch is about to do. `places` outlives `files`, which view its names.
struct BatchSession::AtomicPlan {
  std::deque<Place> places;
  std::vector<FileToStore> files;
  std::vector<Place> sources;              // of what moves: names that go as well
  std::vector<InodeNumber> source_inodes;  // what they named
  std::vector<uint64_t> uploads;           // the client's numbers
};

// Several frames as one: what came with `more` waits here.
absl::Status BatchSession::StageAtomic(const batch::Request& request, absl::string_view payload, batch::Reply* reply) {
  if (staged_.empty()) staged_bytes_ = staged_items_ = 0;
  staged_bytes_ += payload.size() + request.ByteSizeLong();
  staged_items_ += static_cast<size_t>(request.items_size());
  if (staged_bytes_ > kAtomicBytesMax || staged_items_ > kAtomicItemsMax) {
    staged_.clear();
    return absl::ResourceExhaustedError(absl::StrCat("an atomic batch holds at most ", kAtomicItemsMax, " items and ",
                                                     kAtomicBytesMax, " bytes; nothing of it was done"));
  }
  staged_.push_back({request, std::string(payload)});
  if (request.more()) {
    // Accepted, not done.
    for (int i = 0; i < request.items_size(); ++i) reply->add_results();
    return absl::OkStatus();
  }
  const std::vector<StagedFrame> frames = std::exchange(staged_, {});
  std::vector<AtomicFrame> views;
  for (const StagedFrame& frame : frames) views.push_back({&frame.request, frame.payload});
  return HandleAtomic(views, reply);
}

absl::Status BatchSession::HandleAtomic(absl::Span<const AtomicFrame> frames, batch::Reply* reply) {
  AtomicPlan plan;
  made_.clear();
  absl::Status status = PlanAtomic(frames, &plan, reply);
  if (status.ok()) status = RunAtomic(plan);
  for (const uint64_t number : plan.uploads) {
    const auto upload = uploads_.find(number);
    if (upload == uploads_.end()) continue;
    if (volume_.Forget(upload->second.inode, 1)) volume_.RemoveOrphans().IgnoreError();
    uploads_.erase(upload);
  }
  if (!status.ok()) {
    // Directories were made on the way; one that somebody else has used meanwhile stays.
    for (; !made_.empty(); made_.pop_back()) {
      const Place& place = made_.back();
      if (!volume_.RemoveDirectory(place.directory, place.name).ok()) continue;
      observer_.EntryChanged(place.directory, place.name, 0);
    }
    directories_.clear();
  }
  return status;
}

absl::Status BatchSession::PlanAtomic(absl::Span<const AtomicFrame> frames, AtomicPlan* plan, batch::Reply* reply) {
  // The last item on a path is the one that stays: those before it are never seen.
  absl::flat_hash_set<std::string> later;
  std::vector<std::vector<bool>> is_last(frames.size());
  for (size_t f = frames.size(); f-- > 0;) {
    const batch::Request& request = *frames[f].request;
    is_last[f].resize(static_cast<size_t>(request.items_size()));
    for (int i = request.items_size() - 1; i >= 0; --i) {
      const batch::Item& item = request.items(i);
      const auto take = [&](const batch::Path& path) { return later.insert(FullPath(request, path)).second; };
      bool last = true;
      if (item.has_store()) last = take(item.store().path());
      if (item.has_remove()) last = take(item.remove().path());
      if (item.has_rename()) {
        const bool takes_from = take(item.rename().from());
        last = take(item.rename().to()) && takes_from;
      }
      if (item.has_rename() && !last) {
        return absl::InvalidArgumentError("an atomic batch names a path of a RENAME once");
      }
      is_last[f][static_cast<size_t>(i)] = last;
    }
  }
  for (size_t f = 0; f < frames.size(); ++f) {
    const batch::Request& request = *frames[f].request;
    absl::string_view payload = frames[f].payload;
    // Paths are of this frame's directories, which its numbers name.
    directories_.clear();
    for (int i = 0; i < request.items_size(); ++i) {
      const batch::Item& item = request.items(i);
      const size_t size = item.has_store() ? item.store().payload_bytes() : 0;
      batch::Result result;
      if (is_last[f][static_cast<size_t>(i)] || item.has_make_directory()) {
        RETURN_IF_ERROR(PlanItem(request, item, payload.substr(0, size), plan, &result));
      } else {
        result.set_changed(true);
      }
      payload.remove_prefix(size);
      if (f + 1 == frames.size()) *reply->add_results() = std::move(result);
    }
  }
  return absl::OkStatus();
}

absl::Status BatchSession::PlanItem(const batch::Request& request, const batch::Item& item, absl::string_view payload,
                                    AtomicPlan* plan, batch::Result* result) {
  switch (item.operation_case()) {
    case batch::Item::kMakeDirectory:
      return MakeDirectoryAt(request, item.make_directory(), result);
    case batch::Item::kStore:
      return PlanStore(request, item.store(), payload, plan, result);
    case batch::Item::kRemove: {
      const absl::StatusOr<Place> place = Find(request, item.remove().path(), /*make=*/false);
      if (absl::IsNotFound(place.status())) return absl::OkStatus();
      RETURN_IF_ERROR(place.status());
      const absl::StatusOr<Attributes> existing = volume_.Lookup(place->directory, place->name, Reference::kNone);
      if (absl::IsNotFound(existing.status())) return absl::OkStatus();
      RETURN_IF_ERROR(existing.status());
      if (existing->is_directory()) return absl::UnimplementedError("an atomic batch removes files only");
      RETURN_IF_ERROR(volume_.CheckRemove(options_.opener, place->directory, existing->inode));
      plan->places.push_back(*place);
      FileToStore file;
      file.directory = place->directory;
      file.name = plan->places.back().name;
      file.remove = true;
      plan->files.push_back(file);
      result->set_changed(true);
      return absl::OkStatus();
    }
    case batch::Item::kRename: {
      ASSIGN_OR_RETURN(RenamePlan rename, PrepareRename(request, item.rename()));
      if (rename.child.is_directory()) return absl::UnimplementedError("an atomic batch renames files only");
      plan->places.push_back(std::move(rename.to));
      plan->places.push_back(rename.from);
      FileToStore file;
      file.directory = plan->places[plan->places.size() - 2].directory;
      file.name = plan->places[plan->places.size() - 2].name;
      file.from_directory = rename.from.directory;
      file.from_name = plan->places.back().name;
      plan->files.push_back(file);
      plan->sources.push_back(std::move(rename.from));
      plan->source_inodes.push_back(rename.child.inode);
      return absl::OkStatus();
    }
    default:
      return absl::InvalidArgumentError("an atomic batch holds STORE, MKDIR, REMOVE and RENAME items only");
  }
}

absl::Status BatchSession::PlanStore(const batch::Request& request, const batch::Store& store,
                                     absl::string_view payload, AtomicPlan* plan, batch::Result* result) {
  ASSIGN_OR_RETURN(Place place, Find(request, store.path(), /*make=*/true));
  plan->places.push_back(std::move(place));
  FileToStore file;
  ASSIGN_OR_RETURN(const bool changes, PrepareStore(store, payload, plan->places.back(), &file));
  result->set_changed(changes);
  if (!changes) return absl::OkStatus();
  if (store.upload() != 0) {
    // The end of an upload whose other parts came before, in frames of their own.
    if (store.more()) return absl::InvalidArgumentError("an atomic batch holds the last part of an upload only");
    plan->uploads.push_back(store.upload());
    RETURN_IF_ERROR(TakePart(store, payload, plan->places.back()));
    file.upload = uploads_[store.upload()].inode;
    file.data = "";
  }
  plan->files.push_back(file);
  return absl::OkStatus();
}

absl::Status BatchSession::RunAtomic(const AtomicPlan& plan) {
  ASSIGN_OR_RETURN(const std::vector<StoredFile> stored, volume_.StoreFiles(plan.files, options_.opener));
  for (size_t i = 0; i < plan.files.size(); ++i) {
    observer_.EntryChanged(plan.files[i].directory, plan.files[i].name, stored[i].replaced);
  }
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    observer_.EntryChanged(plan.sources[i].directory, plan.sources[i].name, plan.source_inodes[i]);
  }
  return absl::OkStatus();
}

}  // namespace fs
