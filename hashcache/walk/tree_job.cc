#include "hashcache/walk/tree_job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/engine/worker.h"
#include "hashcache/store/rules.h"
#include "hashcache/walk/ignore_files.h"
#include "hashcache/walk/listing.h"

namespace hashcache {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
constexpr size_t kGroupSize = 256;

}  // namespace

struct TreeJob::Directory {
  base::Fd fd;
  std::string path;  // "" or "a/b/"
  uint64_t device = 0;
  uint64_t inode = 0;
  Volume* volume = nullptr;
  std::shared_ptr<const IgnoreScope> scope;
  std::shared_ptr<const Directory> parent;  // for finding loops of links
  Listing listing;
};

// A run of entries of one directory that are not directories.
class TreeJob::FilesUnit : public Unit, public FileOwner {
 public:
  FilesUnit(TreeJob& job, Pipeline& pipeline, std::shared_ptr<const Directory> directory, size_t begin, size_t end)
      : job_(job), pipeline_(pipeline), directory_(std::move(directory)), begin_(begin), end_(end) {}

  void Run(Worker& worker) override {
    results_.resize(end_ - begin_);
    targets_.resize(end_ - begin_);
    left_ = end_ - begin_ + 1;
    AskProviders(worker.context());
    for (size_t i = begin_; i < end_; ++i) {
      const Listing::Entry& entry = directory_->listing.entries()[i];
      FileResult& result = results_[i - begin_];
      if (entry.kind == EntryKind::kFile && result.outcome != Outcome::kProvider && !pipeline_.stopping()) {
        worker.Hash({.directory = directory_->fd.get(),
                     .name = directory_->listing.Name(entry).data(),
                     .algorithms = job_.options_.algorithms,
                     .follow = job_.options_.follow_links,
                     .volume = job_.options_.follow_links ? nullptr : directory_->volume,
                     .inode_hint = job_.options_.follow_links ? 0 : entry.inode,
                     .result = &result,
                     .owner = this});
        continue;
      }
      if (entry.kind == EntryKind::kSymlink) ReadLink(entry, &result, &targets_[i - begin_]);
      FileDone();
    }
    FileDone();
  }

  void FileDone() override {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) pipeline_.Finished(this);
  }

  std::string PathOf(const FileTask& task) const override { return absl::StrCat(directory_->path, task.name); }

  bool Emit() override {
    std::string path = directory_->path;
    for (size_t i = begin_; i < end_; ++i) {
      const Listing::Entry& entry = directory_->listing.entries()[i];
      path.resize(directory_->path.size());
      const absl::string_view name = directory_->listing.Name(entry);
      path.append(name.data(), name.size());
      const TreeEntry shown = {.path = path, .kind = entry.kind, .link_target = targets_[i - begin_]};
      if (!job_.sink_.Visit(shown, std::move(results_[i - begin_]))) return false;
    }
    return true;
  }

  size_t weight() const override { return end_ - begin_; }

 private:
  void ReadLink(const Listing::Entry& entry, FileResult* result, std::string* target) const {
    char buffer[PATH_MAX];
    const ssize_t size =
        readlinkat(directory_->fd.get(), directory_->listing.Name(entry).data(), buffer, sizeof buffer);
    if (size < 0) {
      result->status = base::ErrnoStatus(errno, "readlink");
    } else {
      target->assign(buffer, static_cast<size_t>(size));
      result->mode = S_IFLNK | 0777;
      // Every other link was listed as what it leads to.
      if (job_.options_.follow_links) result->status = absl::NotFoundError("a link that leads nowhere");
    }
  }

  // A provider tells digests only; the attributes are in the kernel's memory.
  void LookAt(Context& context, size_t index, FileResult* result) const {
    FileAttributes attributes;
    const char* const name = directory_->listing.Name(directory_->listing.entries()[begin_ + index]).data();
    if (context.filesystem.StatAt(directory_->fd.get(), name, job_.options_.follow_links, false, &attributes) != 0) {
      return;
    }
    result->mode = attributes.mode;
    result->device = attributes.device;
    result->fingerprint = FingerprintOf(attributes, 0);
  }

  // The files a provider is to be asked for, by index into results_. With --strict they
  // are held under a lease meanwhile, so that no writer or mapping is at work.
  struct Asked {
    std::vector<size_t> indexes;
    std::vector<std::string> paths;
    std::vector<int> leased;  // descriptors; empty unless strict
  };

  Asked Ask(Context& context) const {
    Asked asked;
    for (size_t i = begin_; i < end_; ++i) {
      const Listing::Entry& entry = directory_->listing.entries()[i];
      if (entry.kind != EntryKind::kFile || results_[i - begin_].outcome == Outcome::kProvider) continue;
      if (context.strict) {
        const char* const name = directory_->listing.Name(entry).data();
        const int fd = context.filesystem.Open(directory_->fd.get(), name, O_RDONLY | O_NONBLOCK,
                                               job_.options_.follow_links, false);
        if (fd < 0) continue;
        if (context.filesystem.TakeLease(fd) != Lease::kHeld) {
          context.filesystem.Close(fd);
          continue;
        }
        asked.leased.push_back(fd);
      }
      asked.paths.push_back(absl::StrCat(directory_->path, directory_->listing.Name(entry)));
      asked.indexes.push_back(i - begin_);
    }
    return asked;
  }

  void AskProviders(Context& context) {
    const AlgorithmSet wanted = job_.options_.algorithms;
    for (const std::unique_ptr<DigestProvider>& provider : job_.providers_) {
      if (wanted.empty() || !provider->algorithms().HasAll(wanted)) continue;
      const Asked asked = Ask(context);
      const std::vector<absl::string_view> views(asked.paths.begin(), asked.paths.end());
      std::vector<Digests> digests(views.size());
      for (const Algorithm algorithm : wanted.List()) {
        const absl::Status told =
            provider->Lookup(views, algorithm, [&](size_t i, absl::StatusOr<absl::Span<const uint8_t>> bytes) {
              if (bytes.ok() && bytes->size() == DigestSize(algorithm)) digests[i].Set(algorithm, *bytes);
            });
        if (!told.ok()) break;  // then they are hashed
      }
      for (size_t i = 0; i < digests.size(); ++i) {
        const bool held = asked.leased.empty() || context.filesystem.LeaseIsWhole(asked.leased[i]);
        if (held && digests[i].algorithms().HasAll(wanted)) Provided(context, asked.indexes[i], digests[i]);
      }
      for (const int fd : asked.leased) context.filesystem.Close(fd);
    }
  }

  void Provided(Context& context, size_t index, const Digests& digests) {
    FileResult& result = results_[index];
    result.outcome = Outcome::kProvider;
    result.trust = TrustClass::kProvider;
    result.digests = digests;
    LookAt(context, index, &result);
    context.counters.files.fetch_add(1, std::memory_order_relaxed);
    context.counters.provided.fetch_add(1, std::memory_order_relaxed);
  }

  TreeJob& job_;
  Pipeline& pipeline_;
  const std::shared_ptr<const Directory> directory_;
  const size_t begin_, end_;
  std::vector<FileResult> results_;
  std::vector<std::string> targets_;
  std::atomic<size_t> left_{0};
};

class TreeJob::ListUnit : public Unit {
 public:
  // The directory `name` of `parent`; the root's is opened already.
  ListUnit(TreeJob& job, Pipeline& pipeline, std::shared_ptr<const Directory> parent, std::string name)
      : job_(job), pipeline_(pipeline), parent_(std::move(parent)), name_(std::move(name)) {
    directory_ = std::make_shared<Directory>();
  }
  ListUnit(TreeJob& job, Pipeline& pipeline, base::Fd root) : job_(job), pipeline_(pipeline) {
    directory_ = std::make_shared<Directory>();
    directory_->fd = std::move(root);
  }

  void Run(Worker& worker) override {
    std::vector<std::unique_ptr<Unit>> parts;
    if (!pipeline_.stopping()) {
      result_.status = List(worker);
      if (result_.status.ok()) parts = Parts();
    }
    directory_ = nullptr;  // the parts keep it
    pipeline_.Finished(this, std::move(parts));
  }

  bool Emit() override {
    if (skipped_) return true;
    const std::string path = parent_ != nullptr ? absl::StrCat(parent_->path, name_) : "";
    return job_.sink_.Visit({.path = path, .kind = EntryKind::kDirectory}, std::move(result_));
  }
  size_t weight() const override { return 1; }

 private:
  absl::Status List(Worker& worker) {
    Context& context = worker.context();
    Directory& directory = *directory_;
    if (parent_ != nullptr) {
      const int fd =
          context.filesystem.Open(parent_->fd.get(), name_.c_str(), kDirectoryFlags, job_.options_.follow_links, false);
      if (fd < 0) return base::ErrnoStatus(-fd, "open");
      directory.fd.Reset(fd);
      directory.path = absl::StrCat(parent_->path, name_, "/");
      directory.parent = parent_;
    }
    FileAttributes attributes;
    const int stated = context.filesystem.StatAgain(directory.fd.get(), &attributes);
    if (stated != 0) return base::ErrnoStatus(-stated, "stat");
    directory.device = attributes.device;
    directory.inode = attributes.inode;
    result_.mode = attributes.mode;
    result_.fingerprint.inode = attributes.inode;
    if (parent_ == nullptr) job_.root_device_ = attributes.device;
    if (job_.options_.one_file_system && attributes.device != job_.root_device_) {
      skipped_ = true;
      return absl::CancelledError("another filesystem");
    }
    for (const Directory* above = parent_.get(); above != nullptr && job_.options_.follow_links;
         above = above->parent.get()) {
      if (above->device == directory.device && above->inode == directory.inode) {
        return absl::FailedPreconditionError("a link to a directory above it");
      }
    }
    const bool same = parent_ != nullptr && parent_->device == directory.device;
    directory.volume = same ? parent_->volume : context.volumes.Find(directory.device, directory.fd.get());
    context.counters.directories.fetch_add(1, std::memory_order_relaxed);
    const int listed = directory.listing.Read(directory.fd.get(), worker.scratch());
    if (listed != 0) return base::ErrnoStatus(-listed, "list");
    LearnKinds(context);
    const TreeOptions& options = job_.options_;
    const int fd = directory.fd.get();
    directory.scope = ScopeOf(options, fd, directory.path, directory.listing,
                              parent_ != nullptr ? parent_->scope : RootScope(options, fd));
    DropIgnored(options, fd, directory.path, directory.scope.get(), job_.hidden_, &directory.listing);
    directory.listing.Sort();
    return absl::OkStatus();
  }

  // Learns kinds that the directory does not tell.
  void LearnKinds(Context& context) {
    Directory& directory = *directory_;
    std::vector<Listing::Entry>& entries = directory.listing.entries();
    const bool follow = job_.options_.follow_links;
    for (Listing::Entry& entry : entries) {
      if (entry.kind_known && !(follow && entry.kind == EntryKind::kSymlink)) continue;
      FileAttributes attributes;
      const char* const name = directory.listing.Name(entry).data();
      if (context.filesystem.StatAt(directory.fd.get(), name, follow, false, &attributes) != 0) continue;
      entry.kind = S_ISREG(attributes.mode)   ? EntryKind::kFile
                   : S_ISDIR(attributes.mode) ? EntryKind::kDirectory
                   : S_ISLNK(attributes.mode) ? EntryKind::kSymlink
                                              : EntryKind::kOther;
    }
  }

  std::vector<std::unique_ptr<Unit>> Parts() const {
    std::vector<std::unique_ptr<Unit>> parts;
    const std::vector<Listing::Entry>& entries = directory_->listing.entries();
    for (size_t i = 0; i < entries.size();) {
      if (entries[i].kind == EntryKind::kDirectory) {
        parts.push_back(
            std::make_unique<ListUnit>(job_, pipeline_, directory_, std::string(directory_->listing.Name(entries[i]))));
        ++i;
        continue;
      }
      size_t end = i;
      while (end < entries.size() && end - i < kGroupSize && entries[end].kind != EntryKind::kDirectory) ++end;
      parts.push_back(std::make_unique<FilesUnit>(job_, pipeline_, directory_, i, end));
      i = end;
    }
    return parts;
  }

  TreeJob& job_;
  Pipeline& pipeline_;
  const std::shared_ptr<const Directory> parent_;
  const std::string name_;
  std::shared_ptr<Directory> directory_;
  FileResult result_;
  bool skipped_ = false;
};

absl::StatusOr<std::unique_ptr<Unit>> TreeJob::Root(absl::string_view root, Pipeline& pipeline) {
  ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(std::string(root), kDirectoryFlags));
  hidden_.insert(options_.hide.begin(), options_.hide.end());
  return std::make_unique<ListUnit>(*this, pipeline, std::move(fd));
}

}  // namespace hashcache
