#include "hashcache/walk/change_scan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/engine/worker.h"
#include "hashcache/store/rules.h"
#include "hashcache/walk/ignore_files.h"
#include "hashcache/walk/listing.h"

namespace hashcache {
namespace {

using Change = ChangeSet::Change;

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;

EntryKind KindOf(uint32_t mode) {
  return S_ISREG(mode)   ? EntryKind::kFile
         : S_ISDIR(mode) ? EntryKind::kDirectory
         : S_ISLNK(mode) ? EntryKind::kSymlink
                         : EntryKind::kOther;
}

}  // namespace

struct ChangeScan::Directory {
  base::Fd fd;
  std::string path;  // "" or "a/b/"
  uint64_t device = 0, inode = 0;
  Volume* volume = nullptr;
  std::shared_ptr<const IgnoreScope> scope;
  bool scope_changed = false;  // here or above: what was left out may not be any more
  std::shared_ptr<const Directory> parent;
};

class ChangeScan::ScanUnit : public Unit {
 public:
  ScanUnit(ChangeScan& scan, Pipeline& pipeline, std::shared_ptr<const Directory> parent, absl::string_view name)
      : scan_(scan), pipeline_(pipeline), parent_(std::move(parent)), name_(name) {}
  ScanUnit(ChangeScan& scan, Pipeline& pipeline, base::Fd root) : scan_(scan), pipeline_(pipeline) {
    directory_->fd = std::move(root);
  }

  void Run(Worker& worker) override {
    absl::Status status;
    if (!pipeline_.stopping()) status = Scan(worker);
    if (!status.ok() && !skipped_) {
      errors_.push_back(base::Annotate(status, PathWithoutSlash()));
      const SnapshotDirectory* const before = scan_.before_.Find(PathWithoutSlash());
      if (before != nullptr && before->unreadable) {
        scanned_ = {.old_block = before->block};
      } else {
        scanned_ = {.new_block = EncodeDirectory({.path = PathWithoutSlash(), .unreadable = true}, "")};
      }
      parts_.clear();
    }
    directory_ = nullptr;  // the parts keep it
    pipeline_.Finished(this, std::move(parts_));
  }

  bool Emit() override {
    if (skipped_) return true;
    scan_.changes_.files_looked_at += looked_at_;
    scan_.changed_ = scan_.changed_ || !changes_.empty() || !scanned_.new_block.empty();
    for (Change& change : changes_) scan_.changes_.changes.push_back(std::move(change));
    for (absl::Status& error : errors_) scan_.changes_.errors.push_back(std::move(error));
    scan_.scanned_.push_back(std::move(scanned_));
    return !scan_.context_.Interrupted();
  }
  size_t weight() const override { return 1; }

 private:
  absl::string_view PathWithoutSlash() const {
    absl::string_view path = path_;
    return path.empty() ? path : path.substr(0, path.size() - 1);
  }

  absl::Status Scan(Worker& worker) {
    Directory& directory = *directory_;
    Filesystem& filesystem = worker.context().filesystem;
    if (parent_ != nullptr) {
      path_ = directory.path = absl::StrCat(parent_->path, name_, "/");
      const int fd =
          filesystem.Open(parent_->fd.get(), name_.c_str(), kDirectoryFlags, scan_.options_.follow_links, false);
      if (fd < 0) return base::ErrnoStatus(-fd, "open");
      directory.fd.Reset(fd);
      directory.parent = parent_;
    }
    FileAttributes now;
    const int result = filesystem.StatAgain(directory.fd.get(), &now);
    if (result != 0) return base::ErrnoStatus(-result, "stat");
    RETURN_IF_ERROR(Enter(worker.context(), now));
    const SnapshotDirectory* before = scan_.before_.Find(PathWithoutSlash());
    if (before != nullptr && before->unreadable) before = nullptr;
    const bool inherited = parent_ != nullptr && parent_->scope_changed;
    const bool same = before != nullptr && !inherited && before->inode == now.inode && before->device == now.device &&
                      before->mtime_ns == now.mtime_ns && before->ctime_ns == now.ctime_ns && !Young(now.ctime_ns);
    if (same && CompareKnown(filesystem, *before)) return absl::OkStatus();
    return List(worker, now, before);
  }

  absl::Status Enter(Context& context, const FileAttributes& now) {
    Directory& directory = *directory_;
    directory.device = now.device;
    directory.inode = now.inode;
    if (parent_ == nullptr) scan_.root_device_ = now.device;
    if (scan_.options_.one_file_system && now.device != scan_.root_device_) {
      skipped_ = true;
      return absl::CancelledError("another filesystem");
    }
    for (const Directory* above = parent_.get(); above != nullptr && scan_.options_.follow_links;
         above = above->parent.get()) {
      if (above->device == now.device && above->inode == now.inode) {
        return absl::FailedPreconditionError("a link to a directory above it");
      }
    }
    const bool same = parent_ != nullptr && parent_->device == now.device;
    directory.volume = same ? parent_->volume : context.volumes.Find(now.device, directory.fd.get());
    return absl::OkStatus();
  }

  // Whether something with this ctime may have changed unseen after the snapshot.
  bool Young(int64_t ctime_ns) const {
    const int64_t taken = scan_.before_.taken_at_ns();
    if (ctime_ns + 4 * kSecondNs < taken) return false;
    Reading reading;
    reading.clock_ns = taken;
    reading.before.ctime_ns = reading.before.mtime_ns = ctime_ns;
    const Judgement& judgement = directory_->volume->judgement();
    return IsRacy(reading, judgement, false) &&
           IsRacy(reading, judgement, directory_->volume->HasFineTimes(directory_->fd.get()));
  }

  bool Look(Filesystem& filesystem, absl::string_view name, SnapshotEntry* entry) const {
    FileAttributes attributes;
    if (filesystem.StatAt(directory_->fd.get(), name.data(), scan_.options_.follow_links, false, &attributes) != 0) {
      return false;
    }
    *entry = {.inode = attributes.inode,
              .size_bytes = attributes.size_bytes,
              .mtime_ns = attributes.mtime_ns,
              .ctime_ns = attributes.ctime_ns,
              .kind = KindOf(attributes.mode),
              .name = name};
    return true;
  }

  // The directory's own times are as before: the same names, perhaps other files. False
  // if it must be listed after all.
  bool CompareKnown(Filesystem& filesystem, const SnapshotDirectory& before) {
    bool as_before = true;
    bool relist = false;
    std::string entries;
    ForEachEntry(before.entries, [&](const SnapshotEntry& old) {
      if (relist) return;
      if (old.kind == EntryKind::kDirectory) {
        // Its own unit looks at it; here only its name counts.
        parts_.push_back(std::make_unique<ScanUnit>(scan_, pipeline_, directory_, old.name));
        AppendEntry(old, &entries);
        return;
      }
      SnapshotEntry now;
      ++looked_at_;
      const bool there = Look(filesystem, old.name, &now);
      if (there && now.SameFile(old) && !Young(old.ctime_ns)) {
        if (!as_before) AppendEntry(old, &entries);
        return;
      }
      // A rename onto or an unlink of it would have changed the directory's times; an
      // ignore file changes what is left out.
      relist = !there || now.kind != old.kind || IsIgnoreFile(scan_.options_, old.name);
      if (as_before) {
        as_before = false;
        entries = EntriesBefore(before, old.name);
      }
      AppendEntry(now, &entries);
      changes_.push_back({absl::StrCat(path_, old.name), Change::Kind::kChanged});
    });
    if (relist) {
      parts_.clear();
      changes_.clear();
      looked_at_ = 0;
      return false;
    }
    if (as_before) {
      scanned_.old_block = before.block;
    } else {
      scanned_.new_block = EncodeDirectory(before, entries);
    }
    // Rules are needed only where something is listed; they are read again then.
    directory_->scope = nullptr;
    return true;
  }

  static std::string EntriesBefore(const SnapshotDirectory& before, absl::string_view name) {
    return std::string(before.entries.data(),
                       static_cast<size_t>(name.data() - kSnapshotEntrySize - before.entries.data()));
  }

  absl::Status List(Worker& worker, const FileAttributes& now, const SnapshotDirectory* before) {
    Directory& directory = *directory_;
    const TreeOptions& options = scan_.options_;
    Listing listing;
    const int listed = listing.Read(directory.fd.get(), worker.scratch());
    if (listed != 0) return base::ErrnoStatus(-listed, "list");
    LearnKinds(worker.context().filesystem, &listing);
    directory.scope = Scope(listing);
    directory.scope_changed = (parent_ != nullptr && parent_->scope_changed) ||
                              IgnoreFilesChanged(worker.context().filesystem, listing, before);
    DropIgnored(options, directory.fd.get(), directory.path, directory.scope.get(), scan_.hidden_, &listing);
    listing.Sort();
    absl::flat_hash_map<absl::string_view, SnapshotEntry> known;
    if (before != nullptr) {
      ForEachEntry(before->entries, [&known](const SnapshotEntry& entry) { known.emplace(entry.name, entry); });
    }
    std::string entries;
    uint32_t count = 0;
    for (const Listing::Entry& listed_entry : listing.entries()) {
      const absl::string_view name = listing.Name(listed_entry);
      SnapshotEntry entry = {.inode = listed_entry.inode, .kind = listed_entry.kind, .name = name};
      const auto old = known.find(name);
      const bool was_directory = old != known.end() && old->second.kind == EntryKind::kDirectory;
      if (listed_entry.kind == EntryKind::kDirectory) {
        parts_.push_back(std::make_unique<ScanUnit>(scan_, pipeline_, directory_, name));
      } else {
        ++looked_at_;
        if (!Look(worker.context().filesystem, name, &entry)) continue;  // gone meanwhile
        if (old == known.end() || was_directory) {
          changes_.push_back({absl::StrCat(path_, name), Change::Kind::kAdded});
        } else if (!entry.SameFile(old->second) || Young(old->second.ctime_ns)) {
          changes_.push_back({absl::StrCat(path_, name), Change::Kind::kChanged});
        }
      }
      if (was_directory && listed_entry.kind != EntryKind::kDirectory) {
        scan_.RemovedBelow(absl::StrCat(path_, name), &changes_);
      }
      const bool now_directory = listed_entry.kind == EntryKind::kDirectory;
      if (old != known.end() && !(now_directory && !was_directory)) known.erase(old);
      AppendEntry(entry, &entries);
      ++count;
    }
    for (const auto& [name, entry] : known) {
      if (entry.kind == EntryKind::kDirectory) {
        scan_.RemovedBelow(absl::StrCat(path_, name), &changes_);
      } else {
        changes_.push_back({absl::StrCat(path_, name), Change::Kind::kRemoved});
      }
    }
    const SnapshotDirectory encoded = {.path = PathWithoutSlash(),
                                       .inode = now.inode,
                                       .device = now.device,
                                       .mtime_ns = now.mtime_ns,
                                       .ctime_ns = now.ctime_ns,
                                       .entry_count = count};
    scanned_.new_block = EncodeDirectory(encoded, entries);
    return absl::OkStatus();
  }

  void LearnKinds(Filesystem& filesystem, Listing* listing) const {
    const bool follow = scan_.options_.follow_links;
    for (Listing::Entry& entry : listing->entries()) {
      if (entry.kind_known && !(follow && entry.kind == EntryKind::kSymlink)) continue;
      SnapshotEntry seen;
      if (Look(filesystem, listing->Name(entry), &seen)) entry.kind = seen.kind;
    }
  }

  // The rules of all directories from the root down to here; those above may have
  // been skipped because nothing was listed there.
  std::shared_ptr<const IgnoreScope> Scope(const Listing& listing) const {
    std::vector<const Directory*> chain;
    for (const Directory* above = parent_.get(); above != nullptr; above = above->parent.get()) chain.push_back(above);
    const TreeOptions& options = scan_.options_;
    const int root = chain.empty() ? directory_->fd.get() : chain.back()->fd.get();
    std::shared_ptr<const IgnoreScope> scope = RootScope(options, root);
    if (!options.use_gitignore && !options.use_hashcacheignore) return scope;
    for (auto above = chain.rbegin(); above != chain.rend(); ++above) {
      Listing names;
      std::vector<char> buffer(32 << 10);
      const absl::StatusOr<base::Fd> fd = base::OpenFileAt((*above)->fd.get(), ".", kDirectoryFlags);
      if (fd.ok() && names.Read(fd->get(), absl::MakeSpan(buffer)) == 0) {
        scope = ScopeOf(options, (*above)->fd.get(), (*above)->path, names, scope);
      }
    }
    return ScopeOf(options, directory_->fd.get(), directory_->path, listing, scope);
  }

  bool IgnoreFilesChanged(Filesystem& filesystem, const Listing& listing, const SnapshotDirectory* before) const {
    if (before == nullptr) return false;
    bool changed = false;
    size_t seen = 0;
    ForEachEntry(before->entries, [&](const SnapshotEntry& old) {
      if (!IsIgnoreFile(scan_.options_, old.name)) return;
      ++seen;
      SnapshotEntry now;
      changed = changed || !Look(filesystem, old.name, &now) || !now.SameFile(old);
    });
    for (const Listing::Entry& entry : listing.entries()) {
      if (IsIgnoreFile(scan_.options_, listing.Name(entry)) && seen-- == 0) return true;
    }
    return changed || seen != 0;
  }

  ChangeScan& scan_;
  Pipeline& pipeline_;
  const std::shared_ptr<const Directory> parent_;
  const std::string name_;
  std::string path_;  // "" or "a/b/"
  std::shared_ptr<Directory> directory_ = std::make_shared<Directory>();
  std::vector<std::unique_ptr<Unit>> parts_;
  std::vector<Change> changes_;
  std::vector<absl::Status> errors_;
  Scanned scanned_;
  uint64_t looked_at_ = 0;
  bool skipped_ = false;
};

ChangeScan::ChangeScan(Context& context, const TreeOptions& options, const Snapshot& before)
    : context_(context), options_(options), before_(before), hidden_(options.hide.begin(), options.hide.end()) {}
ChangeScan::~ChangeScan() = default;

absl::StatusOr<std::unique_ptr<Unit>> ChangeScan::Root(absl::string_view root, Pipeline& pipeline) {
  ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(std::string(root), kDirectoryFlags));
  return std::make_unique<ScanUnit>(*this, pipeline, std::move(fd));
}

void ChangeScan::RemovedBelow(absl::string_view path, std::vector<Change>* changes) const {
  // Directories lie in the order of the walk: what is below one follows it.
  const SnapshotDirectory* at = before_.Find(path);
  if (at == nullptr) return;
  const std::string prefix = absl::StrCat(path, "/");
  const SnapshotDirectory* const end = before_.directories().data() + before_.directories().size();
  for (; at != end && (at->path == path || absl::StartsWith(at->path, prefix)); ++at) {
    ForEachEntry(at->entries, [&](const SnapshotEntry& entry) {
      if (entry.kind == EntryKind::kDirectory) return;
      changes->push_back({absl::StrCat(at->path, "/", entry.name), Change::Kind::kRemoved});
    });
  }
}

ChangeSet ChangeScan::TakeChanges() {
  std::sort(changes_.changes.begin(), changes_.changes.end(),
            [](const Change& a, const Change& b) { return a.path < b.path; });
  return std::move(changes_);
}

std::vector<absl::string_view> ChangeScan::Blocks() const {
  std::vector<absl::string_view> blocks;
  for (const Scanned& scanned : scanned_) {
    const absl::string_view block =
        scanned.new_block.empty() ? scanned.old_block : absl::string_view(scanned.new_block);
    if (!block.empty()) blocks.push_back(block);
  }
  return blocks;
}

}  // namespace hashcache
