#include "hashcache/hasher.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "hashcache/engine/batch_providers.h"
#include "hashcache/engine/context.h"
#include "hashcache/engine/pipeline.h"
#include "hashcache/engine/worker.h"
#include "hashcache/store/record.h"
#include "hashcache/walk/change_scan.h"
#include "hashcache/walk/snapshot.h"
#include "hashcache/walk/tree_job.h"

namespace hashcache {
namespace {

constexpr int kThreadsMax = 1024;
constexpr size_t kGroupSize = 256;
// Fewer requests than this are not worth reads in flight.
constexpr size_t kAsynchronousMin = 8;
constexpr size_t kFilesInFlight = 512;
constexpr unsigned kFallbackThreads = 64;
constexpr absl::string_view kSnapshotToken = "hc1-";
constexpr absl::string_view kProviderToken = "provider:";
constexpr int64_t kSnapshotDaysMax = 30;

using BatchSink = absl::FunctionRef<void(size_t index, FileResult&& result)>;

// Consecutive requests of a batch.
class BatchUnit : public Unit, public FileOwner {
 public:
  BatchUnit(Pipeline& pipeline, BatchProviders& providers, absl::Span<const HashRequest> requests, size_t first,
            const BatchSink& sink)
      : pipeline_(pipeline), providers_(providers), requests_(requests), first_(first), sink_(sink) {}

  void Run(Worker& worker) override {
    results_.resize(requests_.size());
    names_.reserve(requests_.size());
    left_ = requests_.size() + 1;
    for (const HashRequest& request : requests_) names_.emplace_back(request.path);
    AskProviders();
    for (size_t i = 0; i < requests_.size(); ++i) {
      if (results_[i].outcome == Outcome::kProvider) {
        FileDone();
        continue;
      }
      worker.Hash({.directory = requests_[i].directory_fd,
                   .name = names_[i].c_str(),
                   .algorithms = requests_[i].algorithms,
                   .follow = requests_[i].follow,
                   .result = &results_[i],
                   .owner = this});
    }
    FileDone();
  }
  void FileDone() override {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) pipeline_.Finished(this);
  }
  std::string PathOf(const FileTask& task) const override { return task.name; }
  bool Emit() override {
    for (size_t i = 0; i < results_.size(); ++i) sink_(first_ + i, std::move(results_[i]));
    return true;
  }
  size_t weight() const override { return requests_.size(); }

 private:
  // Neighbours in one directory are asked about together.
  void AskProviders() {
    if (!providers_.any()) return;
    for (size_t i = 0; i < requests_.size();) {
      const absl::string_view directory = base::DirectoryName(names_[i]);
      std::vector<std::string> names;
      std::vector<FileResult*> results;
      const size_t first = i;
      for (; i < requests_.size() && requests_[i].directory_fd == AT_FDCWD &&
             requests_[i].algorithms == requests_[first].algorithms && base::DirectoryName(names_[i]) == directory;
           ++i) {
        names.emplace_back(base::BaseName(names_[i]));
        results.push_back(&results_[i]);
      }
      if (names.empty()) ++i;  // relative to a descriptor: read
      providers_.Answer(std::string(directory), names, requests_[first].algorithms, results);
    }
  }

  Pipeline& pipeline_;
  BatchProviders& providers_;
  const absl::Span<const HashRequest> requests_;
  const size_t first_;
  const BatchSink& sink_;
  std::vector<FileResult> results_;
  std::vector<std::string> names_;
  std::atomic<size_t> left_{0};
};

class HasherImpl : public Hasher {
 public:
  HasherImpl(const HasherOptions& options, VolumeOptions volume_options)
      : options_(options),
        cache_directory_(volume_options.cache_directory),
        context_(std::move(volume_options), base::DefaultParallelism()) {
    context_.allow_unstable = options.allow_unstable;
    context_.use_ring = options.use_ring;
    context_.interrupted = options.interrupted;
    context_.audit_share = options.audit_share;
    threads_ = options.threads > 0 ? static_cast<size_t>(options.threads) : 2 * base::DefaultParallelism();
  }
  ~HasherImpl() override {
    context_.volumes.Flush().IgnoreError();  // what is lost is hashed again
  }

  absl::Status HashBatch(absl::Span<const HashRequest> requests, BatchSink sink) override {
    const bool asynchronous = requests.size() >= kAsynchronousMin;
    BatchProviders providers(context_, options_.providers);
    Pipeline pipeline(asynchronous ? threads_ : 1, MakeWorker(asynchronous));
    // Small groups at first, so that a few large files are spread over the
    // threads.
    const size_t group = std::clamp<size_t>(requests.size() / (4 * threads_), 1, kGroupSize);
    for (size_t first = 0; first < requests.size(); first += group) {
      pipeline.Add(std::make_unique<BatchUnit>(pipeline, providers, requests.subspan(first, group), first, sink));
    }
    pipeline.Run();
    return AfterRun();
  }

  absl::Status HashTree(absl::string_view root, const TreeOptions& options, TreeSink& sink) override {
    std::vector<std::unique_ptr<DigestProvider>> providers;
    for (const DigestProviderFactory& factory : options_.providers) {
      absl::StatusOr<std::unique_ptr<DigestProvider>> provider = factory(root);
      if (provider.ok()) providers.push_back(*std::move(provider));
    }
    TreeJob job(options, sink, std::move(providers));
    Pipeline pipeline(threads_, MakeWorker(true));
    ASSIGN_OR_RETURN(std::unique_ptr<Unit> first, job.Root(root, pipeline));
    pipeline.Add(std::move(first));
    pipeline.Run();
    return AfterRun();
  }

  absl::StatusOr<ChangeSet> ChangedSince(absl::string_view root, absl::string_view token,
                                         const TreeOptions& options) override {
    if (token.empty() || absl::StartsWith(token, kProviderToken)) {
      const absl::StatusOr<ChangeSet> told = AskProviders(root, token, options);
      if (told.ok() || !token.empty()) return told;
    }
    ASSIGN_OR_RETURN(const uint32_t options_crc, CrcOf(root, options));
    Snapshot before;
    ChangeSet changes;
    if (!token.empty()) {
      ASSIGN_OR_RETURN(const std::string path, SnapshotPath(token));
      absl::StatusOr<Snapshot> opened = Snapshot::Open(path, options_crc);
      if (absl::IsFailedPrecondition(opened.status())) return absl::InvalidArgumentError(opened.status().message());
      changes.rescan = !opened.ok();
      if (opened.ok()) before = *std::move(opened);
    }
    const int64_t now_ns = context_.clock.NowNs();  // before the first look
    ChangeScan scan(context_, options, before);
    Pipeline pipeline(threads_, MakeWorker(true));
    ASSIGN_OR_RETURN(std::unique_ptr<Unit> first, scan.Root(root, pipeline));
    pipeline.Add(std::move(first));
    pipeline.Run();
    if (context_.Interrupted()) return absl::CancelledError("interrupted");
    if (before.faulted()) changes.rescan = true;
    const bool all = token.empty() || changes.rescan;
    ChangeSet found = scan.TakeChanges();
    if (!all) changes.changes = std::move(found.changes);
    changes.files_looked_at = found.files_looked_at;
    changes.errors = std::move(found.errors);
    changes.token = std::string(token);
    if (all || scan.changed()) {
      changes.token = NewToken();
      ASSIGN_OR_RETURN(const std::string path, SnapshotPath(changes.token));
      RETURN_IF_ERROR(base::MakeDirectories(std::string(base::DirectoryName(path)), 0700));
      RETURN_IF_ERROR(Snapshot::Write(path, options_crc, now_ns, scan.Blocks()));
      RemoveOldSnapshots(std::string(base::DirectoryName(path)));
    }
    return changes;
  }

  absl::Status Flush() override { return context_.volumes.Flush(); }

  HasherMetrics metrics() const override {
    const Counters& counters = context_.counters;
    HasherMetrics metrics;
    metrics.files = counters.files;
    metrics.hits = counters.hits;
    metrics.provided = counters.provided;
    metrics.hashed = counters.hashed;
    metrics.unstable = counters.unstable;
    metrics.busy = counters.busy;
    metrics.errors = counters.errors;
    metrics.bytes_hashed = counters.bytes_hashed;
    metrics.bytes_total = counters.bytes_total;
    metrics.audited = counters.audited;
    metrics.directories = counters.directories;
    metrics.audit_mismatches = audit_findings().size();
    return metrics;
  }

  std::vector<AuditFinding> audit_findings() const override {
    base::MutexLock lock(&context_.mutex);
    return context_.findings;
  }
  std::vector<absl::Status> cache_problems() const override { return context_.volumes.problems(); }

 private:
  // What a provider that keeps track knows; its token carries its name.
  absl::StatusOr<ChangeSet> AskProviders(absl::string_view root, absl::string_view token, const TreeOptions& options) {
    if (options.follow_links || options.one_file_system || options.use_gitignore || !options.ignore.empty()) {
      return absl::UnimplementedError("a provider's changes know no such options");
    }
    for (const DigestProviderFactory& factory : options_.providers) {
      const absl::StatusOr<std::unique_ptr<DigestProvider>> provider = factory(root);
      if (!provider.ok()) continue;
      const std::string prefix = absl::StrCat(kProviderToken, (*provider)->name(), ":");
      if (!token.empty() && !absl::StartsWith(token, prefix)) continue;
      absl::StatusOr<DigestProvider::Changes> told =
          (*provider)->ChangedSince(token.empty() ? token : token.substr(prefix.size()));
      if (!told.ok()) continue;
      ChangeSet changes;
      changes.rescan = told->rescan && !token.empty();
      changes.token = absl::StrCat(prefix, told->token);
      if (token.empty()) return changes;
      for (std::string& path : told->paths) {
        const bool hidden = std::find(options.hide.begin(), options.hide.end(), path) != options.hide.end();
        if (!hidden) changes.changes.push_back({std::move(path), ChangeSet::Change::Kind::kChanged});
      }
      std::sort(changes.changes.begin(), changes.changes.end(),
                [](const auto& a, const auto& b) { return a.path < b.path; });
      return changes;
    }
    if (token.empty()) return absl::NotFoundError("no provider keeps track of changes here");
    return absl::InvalidArgumentError("the token is of a provider that is not here");
  }

  // Of all that decides what a snapshot holds.
  static absl::StatusOr<uint32_t> CrcOf(absl::string_view root, const TreeOptions& options) {
    std::unique_ptr<char, decltype(&std::free)> real(realpath(std::string(root).c_str(), nullptr), &std::free);
    if (real == nullptr) return base::ErrnoStatus(errno, root);
    const std::string text =
        absl::StrCat(real.get(), "\n", options.follow_links, options.one_file_system, options.use_gitignore,
                     options.use_hashcacheignore, options.skip_tagged_caches, "\n", absl::StrJoin(options.ignore, "\n"),
                     "\n\n", absl::StrJoin(options.hide, "\n"));
    return Crc32c(text.data(), text.size());
  }

  absl::StatusOr<std::string> SnapshotPath(absl::string_view token) const {
    const bool ours = absl::StartsWith(token, kSnapshotToken) && token.size() == kSnapshotToken.size() + 16 &&
                      FromHex(token.substr(kSnapshotToken.size())).ok();
    if (!ours) return absl::InvalidArgumentError(absl::StrCat("not a change token: ", absl::CHexEscape(token)));
    return base::JoinPath(cache_directory_, absl::StrCat("snapshots/", token));
  }

  static std::string NewToken() {
    std::random_device random;
    return absl::StrCat(kSnapshotToken, absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
  }

  void RemoveOldSnapshots(const std::string& directory) const {
    DIR* const listing = opendir(directory.c_str());
    if (listing == nullptr) return;
    const int64_t oldest = context_.clock.NowNs() / 1'000'000'000 - kSnapshotDaysMax * 24 * 3600;
    while (const dirent* const entry = readdir(listing)) {
      struct stat attributes;
      if (!absl::StartsWith(entry->d_name, kSnapshotToken)) continue;
      if (fstatat(dirfd(listing), entry->d_name, &attributes, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (attributes.st_mtim.tv_sec < oldest) unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
  }

  std::function<std::unique_ptr<Worker>(Pipeline&)> MakeWorker(bool asynchronous) {
    WorkerLimits limits;
    limits.files_max = std::max<size_t>(kFilesInFlight / threads_, 16);
    limits.bytes_max = options_.memory_bytes_max / threads_;
    limits.asynchronous = asynchronous;
    limits.fallback_threads = std::max<unsigned>(kFallbackThreads / static_cast<unsigned>(threads_), 1);
    return [this, limits](Pipeline&) { return std::make_unique<Worker>(context_, limits); };
  }

  // R12: once a remembered digest was wrong, none is believed any more.
  absl::Status AfterRun() {
    size_t findings = 0;
    {
      base::MutexLock lock(&context_.mutex);
      findings = context_.findings.size();
    }
    if (findings > findings_dropped_.exchange(findings)) return context_.volumes.DropAll();
    return absl::OkStatus();
  }

  const HasherOptions options_;
  const std::string cache_directory_;
  mutable Context context_;
  size_t threads_ = 1;
  std::atomic<size_t> findings_dropped_{0};
};

}  // namespace

absl::Status HasherOptions::Validate() const {
  if (threads < 0 || threads > kThreadsMax) {
    return absl::InvalidArgumentError(absl::StrCat("threads cannot be ", threads, "; 0 to ", kThreadsMax));
  }
  if (!(audit_share >= 0 && audit_share <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("audit_share cannot be ", audit_share, "; 0 to 1"));
  }
  if (memory_bytes_max < (1 << 20)) return absl::InvalidArgumentError("memory_bytes_max is less than 1 MiB");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Hasher>> Hasher::Create(HasherOptions options) {
  RETURN_IF_ERROR(options.Validate());
  VolumeOptions volume;
  volume.use_cache = options.use_cache;
  volume.cache_directory = options.cache_directory.empty()
                               ? base::JoinPath(base::UserDirectory("XDG_CACHE_HOME", ".cache"), "hashcache")
                               : options.cache_directory;
  volume.strict = options.strict;
  volume.soft_ctime = options.soft_ctime;
  volume.trust_network = options.trust_network;
  volume.clock = options.clock != nullptr ? options.clock : &base::Clock::Real();
  volume.filesystem = options.filesystem != nullptr ? options.filesystem : &Filesystem::Real();
  return std::make_unique<HasherImpl>(options, std::move(volume));
}

}  // namespace hashcache
