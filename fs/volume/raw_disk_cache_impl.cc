#include "fs/volume/raw_disk_cache_impl.h"

#include <algorithm>
#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/format/name_row.h"

namespace fs {
namespace {

constexpr uint32_t kDirectoryMode = 0755;
constexpr size_t kKeyBytesMax = 64 << 10;
constexpr int kTriesMax = 16;  // against others that replace what we look at
constexpr size_t kExpiredPerRound = 1024;
constexpr char kControlName[] = ".cachefs";  // a mount shows its own directory there

absl::StatusOr<std::vector<absl::string_view>> SplitKey(absl::string_view key) {
  if (key.size() > kKeyBytesMax) return absl::InvalidArgumentError("key is longer than 64 KiB");
  std::vector<absl::string_view> parts = absl::StrSplit(key, '/');
  for (const absl::string_view part : parts) {
    if (!IsEntryName(part) || part == kControlName) {
      return absl::InvalidArgumentError(absl::StrCat("no key: \"", absl::CHexEscape(key.substr(0, 200)), "\""));
    }
  }
  return parts;
}

absl::Status WithKey(const absl::Status& status, absl::string_view key) {
  return base::Annotate(status, absl::StrCat("key \"", absl::CHexEscape(key.substr(0, 200)), "\""));
}

// Whether somebody replaced or removed what we were looking at: look again.
bool IsGone(const absl::Status& status) { return base::ErrnoOf(status) == ESTALE; }

Priority CommitPriority(EntryPriority priority) {
  switch (priority) {
    case EntryPriority::kBackground:
      return Priority::kBackground;
    case EntryPriority::kNormal:
      return Priority::kForeground;
    case EntryPriority::kUrgent:
      return Priority::kSync;
  }
  return Priority::kForeground;
}

}  // namespace

absl::Status RawDiskCache::Impl::Start() {
  if (options_.quota_bytes > 0 && !volume_.read_only()) {
    RETURN_IF_ERROR(volume_.SetXattr(root_, "user.cachefs.policy", "lru"));
    RETURN_IF_ERROR(volume_.SetXattr(root_, "user.cachefs.quota", absl::StrCat(options_.quota_bytes)));
  }
  periodic_ = std::thread([this] { RunPeriodically(); });
  return absl::OkStatus();
}

absl::Status RawDiskCache::Impl::CheckOpen() const {
  return closed_ ? absl::FailedPreconditionError("the cache is closed") : absl::OkStatus();
}

absl::StatusOr<InodeNumber> RawDiskCache::Impl::DirectoryOf(absl::Span<const absl::string_view> parts, bool make) {
  RETURN_IF_ERROR(CheckOpen());
  InodeNumber directory = root_;
  for (const absl::string_view part : parts.first(parts.size() - 1)) {
    absl::StatusOr<Attributes> child = volume_.Lookup(directory, part, Reference::kNone);
    if (!child.ok() && absl::IsNotFound(child.status()) && make) {
      child = volume_.MakeDirectory(directory, part, kDirectoryMode, credentials_, Reference::kNone);
      // Somebody else made it.
      if (base::ErrnoOf(child.status()) == EEXIST) child = volume_.Lookup(directory, part, Reference::kNone);
    }
    RETURN_IF_ERROR(child.status());
    directory = child->inode;
  }
  return directory;
}

absl::StatusOr<Attributes> RawDiskCache::Impl::Find(absl::string_view key) {
  ASSIGN_OR_RETURN(const std::vector<absl::string_view> parts, SplitKey(key));
  ASSIGN_OR_RETURN(const InodeNumber directory, DirectoryOf(parts, /*make=*/false));
  ASSIGN_OR_RETURN(const Attributes file, volume_.Lookup(directory, parts.back(), Reference::kNone));
  if (!file.is_regular()) return absl::FailedPreconditionError("this path holds no value");
  if (file.size_bytes > options_.value_bytes_max) {
    return absl::OutOfRangeError(absl::StrCat("the value has ", file.size_bytes, " bytes"));
  }
  return file;
}

absl::StatusOr<std::string> RawDiskCache::Impl::ReadWhole(const Attributes& file) {
  std::string value(file.size_bytes, '\0');
  ASSIGN_OR_RETURN(const size_t size,
                   volume_.Read(file.inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(value.data()), value.size())));
  value.resize(size);
  return value;
}

absl::StatusOr<std::string> RawDiskCache::Impl::Lookup(absl::string_view key) {
  const int64_t start_ns = NowNs();
  ++lookups_;
  absl::StatusOr<std::string> value = absl::UnavailableError("the entry is replaced all the time");
  for (int i = 0; i < kTriesMax; ++i) {
    const absl::StatusOr<Attributes> file = Find(key);
    value = file.ok() ? ReadWhole(*file) : file.status();
    if (value.ok() || !IsGone(value.status())) break;
  }
  lookup_latency_.Add(NowNs() - start_ns);
  if (!value.ok()) return absl::IsNotFound(value.status()) ? value.status() : WithKey(value.status(), key);
  ++hits_;
  return value;
}

absl::StatusOr<absl::optional<std::string>> RawDiskCache::Impl::TryLookup(absl::string_view key) {
  ASSIGN_OR_RETURN(const Attributes file, Find(key));
  std::string value(file.size_bytes, '\0');
  size_t size = 0;
  ASSIGN_OR_RETURN(
      const bool found,
      volume_.TryRead(file.inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(value.data()), value.size()), &size));
  if (!found) return absl::optional<std::string>();
  value.resize(size);
  return absl::optional<std::string>(std::move(value));
}

std::vector<absl::StatusOr<std::string>> RawDiskCache::Impl::LookupBatch(absl::Span<const absl::string_view> keys) {
  const int64_t start_ns = NowNs();
  std::vector<absl::StatusOr<std::string>> answers(keys.size(), absl::StatusOr<std::string>(std::string()));
  std::vector<VolumeRead> reads;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < keys.size(); ++i) {
    const absl::StatusOr<Attributes> file = Find(keys[i]);
    if (!file.ok()) {
      answers[i] = file.status();
      continue;
    }
    answers[i]->resize(file->size_bytes);
    reads.push_back(
        {file->inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(answers[i]->data()), answers[i]->size())});
    indexes.push_back(i);
  }
  volume_.ReadBatch(reads, [&](size_t index, absl::StatusOr<size_t> size) {
    absl::StatusOr<std::string>& answer = answers[indexes[index]];
    if (size.ok()) {
      answer->resize(*size);
    } else {
      answer = size.status();
    }
  });
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!answers[i].ok() && IsGone(answers[i].status())) {
      answers[i] = Lookup(keys[i]);  // counted there
      continue;
    }
    ++lookups_;
    if (answers[i].ok()) ++hits_;
    if (!answers[i].ok() && !absl::IsNotFound(answers[i].status())) answers[i] = WithKey(answers[i].status(), keys[i]);
  }
  batch_latency_.Add(NowNs() - start_ns);
  return answers;
}

absl::StatusOr<FileToStore> RawDiskCache::Impl::Prepare(const CacheEntry& entry) {
  if (entry.value.size() > options_.value_bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("the value has ", entry.value.size(), " bytes"));
  }
  const absl::Duration ttl = entry.options.ttl == absl::ZeroDuration() ? options_.ttl : entry.options.ttl;
  if (ttl < absl::ZeroDuration()) return absl::InvalidArgumentError("the TTL is negative");
  ASSIGN_OR_RETURN(const std::vector<absl::string_view> parts, SplitKey(entry.key));
  FileToStore file;
  ASSIGN_OR_RETURN(file.directory, DirectoryOf(parts, /*make=*/true));
  file.name = parts.back();
  file.data = entry.value;
  if (ttl != absl::InfiniteDuration()) {
    file.expiry_time = Timestamp::FromNs(absl::ToUnixNanos(options_.clock->Now() + ttl));
  }
  return file;
}

absl::Status RawDiskCache::Impl::Put(absl::Span<const CacheEntry> entries) {
  absl::Status status;
  for (int i = 0; i < kTriesMax; ++i) {
    std::vector<FileToStore> files;
    status = absl::OkStatus();
    absl::flat_hash_set<absl::string_view> keys;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      if (!keys.insert(entry->key).second) continue;  // a later one has this key
      absl::StatusOr<FileToStore> file = Prepare(*entry);
      if (!file.ok()) return WithKey(file.status(), entry->key);
      files.push_back(*file);
    }
    std::reverse(files.begin(), files.end());
    status = volume_.StoreFiles(files, credentials_).status();
    // A directory on the way may have been removed meanwhile: make it again.
    if (status.ok() || (!IsGone(status) && !absl::IsNotFound(status))) break;
  }
  return entries.size() == 1 ? WithKey(status, entries[0].key) : status;
}

absl::Status RawDiskCache::Impl::Store(const CacheEntry& entry) {
  const int64_t start_ns = NowNs();
  RETURN_IF_ERROR(Put(absl::MakeSpan(&entry, 1)));
  ++stores_;
  RETURN_IF_ERROR(Flush(CommitPriority(entry.options.priority)));
  store_latency_.Add(NowNs() - start_ns);
  return absl::OkStatus();
}

absl::Status RawDiskCache::Impl::StoreBuffered(absl::Span<const CacheEntry> entries) {
  if (entries.empty()) return absl::OkStatus();
  const int64_t start_ns = NowNs();
  RETURN_IF_ERROR(Put(entries));
  uint64_t bytes = 0;
  EntryPriority priority = EntryPriority::kBackground;
  for (const CacheEntry& entry : entries) {
    bytes += entry.value.size();
    priority = std::max(priority, entry.options.priority);
  }
  buffered_stores_ += entries.size();
  NoteBuffered(entries.size(), bytes, priority);
  buffered_latency_.Add(NowNs() - start_ns);
  return absl::OkStatus();
}

void RawDiskCache::Impl::NoteBuffered(uint64_t operations, uint64_t bytes, EntryPriority priority) {
  {
    base::MutexLock lock(&mutex_);
    unflushed_operations_ += operations;
    unflushed_bytes_ += bytes;
    const bool is_full = (options_.flush_operations != 0 && unflushed_operations_ >= options_.flush_operations) ||
                         (options_.flush_bytes != 0 && unflushed_bytes_ >= options_.flush_bytes);
    // While one flush runs the next batch grows: that is its best size. Urgent ones join.
    if (priority != EntryPriority::kUrgent && (!is_full || flushes_running_ > 0)) return;
  }
  FlushAsync(CommitPriority(priority), [](absl::Status) {});  // a failure is told to the next flush that waits
}

RawDiskCache::Impl::Pending RawDiskCache::Impl::TakePending() {
  base::MutexLock lock(&mutex_);
  const Pending pending{unflushed_operations_, unflushed_bytes_};
  unflushed_operations_ = unflushed_bytes_ = 0;
  flushing_operations_ += pending.operations;
  flushing_bytes_ += pending.bytes;
  ++flushes_running_;
  return pending;
}

void RawDiskCache::Impl::Settle(const Pending& pending, const absl::Status& status, int64_t start_ns) {
  flush_latency_.Add(NowNs() - start_ns);
  ++(status.ok() ? flushes_ : failed_flushes_);
  if (status.ok()) flushed_operations_ += pending.operations;
  base::MutexLock lock(&mutex_);
  flushing_operations_ -= pending.operations;
  flushing_bytes_ -= pending.bytes;
  --flushes_running_;
  if (!status.ok()) {
    // The buffer is as full as it was.
    unflushed_operations_ += pending.operations;
    unflushed_bytes_ += pending.bytes;
  }
  changed_.SignalAll();
}

absl::Status RawDiskCache::Impl::Flush(Priority priority) {
  RETURN_IF_ERROR(CheckOpen());
  const int64_t start_ns = NowNs();
  const Pending pending = TakePending();
  const absl::Status status = volume_.Sync(priority);
  Settle(pending, status, start_ns);
  return status;
}

void RawDiskCache::Impl::FlushAsync(Priority priority, Done done) {
  if (const absl::Status open = CheckOpen(); !open.ok()) return done(open);
  const int64_t start_ns = NowNs();
  const Pending pending = TakePending();
  volume_.SyncAsync(priority, [this, pending, start_ns, done = std::move(done)](absl::Status status) {
    done(status);
    Settle(pending, status, start_ns);  // last: Close() waits for it
  });
}

void RawDiskCache::Impl::StoreAsync(const CacheEntry& entry, Done done) {
  const absl::Status status = Put(absl::MakeSpan(&entry, 1));
  if (!status.ok()) return done(status);
  ++stores_;
  FlushAsync(CommitPriority(entry.options.priority), std::move(done));
}

void RawDiskCache::Impl::LookupAsync(absl::string_view key, LookupDone done) {
  absl::StatusOr<absl::optional<std::string>> value = TryLookup(key);
  if (value.ok() && value->has_value()) {
    ++lookups_;
    ++hits_;
    return done(**std::move(value));
  }
  if (!value.ok() && !IsGone(value.status())) {
    ++lookups_;
    return done(absl::IsNotFound(value.status()) ? value.status() : WithKey(value.status(), key));
  }
  readers_.Add([this, key = std::string(key), done = std::move(done)] { done(Lookup(key)); });
}

absl::StatusOr<bool> RawDiskCache::Impl::Remove(absl::string_view key) {
  absl::StatusOr<std::vector<absl::string_view>> parts = SplitKey(key);
  if (!parts.ok()) return parts.status();
  const absl::StatusOr<InodeNumber> directory = DirectoryOf(*parts, /*make=*/false);
  const absl::Status status = directory.ok() ? volume_.Unlink(*directory, parts->back()) : directory.status();
  if (absl::IsNotFound(status) || IsGone(status)) return false;
  if (!status.ok()) return WithKey(status, key);
  ++removes_;
  NoteBuffered(1, 0, EntryPriority::kNormal);
  return true;
}

absl::StatusOr<absl::optional<FileToStore>> RawDiskCache::Impl::PrepareRemoval(absl::string_view key) {
  ASSIGN_OR_RETURN(const std::vector<absl::string_view> parts, SplitKey(key));
  const absl::StatusOr<InodeNumber> directory = DirectoryOf(parts, /*make=*/false);
  const absl::StatusOr<Attributes> file =
      directory.ok() ? volume_.Lookup(*directory, parts.back(), Reference::kNone) : directory.status();
  if (absl::IsNotFound(file.status()) || IsGone(file.status())) return absl::optional<FileToStore>();
  RETURN_IF_ERROR(file.status());
  if (file->is_directory()) return absl::FailedPreconditionError("this path is a directory");
  FileToStore removal;
  removal.directory = *directory;
  removal.name = parts.back();
  removal.remove = true;
  return absl::optional<FileToStore>(removal);
}

std::vector<absl::StatusOr<bool>> RawDiskCache::Impl::RemoveBatch(absl::Span<const absl::string_view> keys) {
  std::vector<absl::StatusOr<bool>> answers(keys.size(), absl::StatusOr<bool>(false));
  std::vector<FileToStore> removals;
  std::vector<size_t> indexes;
  absl::flat_hash_set<std::pair<InodeNumber, absl::string_view>> seen;
  for (size_t i = 0; i < keys.size(); ++i) {
    const absl::StatusOr<absl::optional<FileToStore>> removal = PrepareRemoval(keys[i]);
    if (!removal.ok()) {
      answers[i] = WithKey(removal.status(), keys[i]);
    } else if (removal->has_value() && seen.emplace((*removal)->directory, (*removal)->name).second) {
      removals.push_back(**removal);
      indexes.push_back(i);
    }
  }
  if (removals.empty()) return answers;
  const absl::StatusOr<std::vector<StoredFile>> stored = volume_.StoreFiles(removals, credentials_);
  uint64_t removed = 0;
  for (size_t at = 0; at < indexes.size(); ++at) {
    if (!stored.ok()) {
      answers[indexes[at]] = WithKey(stored.status(), keys[indexes[at]]);
    } else {
      const bool existed = (*stored)[at].replaced != 0;
      answers[indexes[at]] = existed;
      if (existed) ++removed;
    }
  }
  removes_ += removed;
  if (removed > 0) NoteBuffered(removed, 0, EntryPriority::kNormal);
  return answers;
}

void RawDiskCache::Impl::RunPeriodically() {
  base::SetThreadName("cache-periodic");
  const absl::Duration interval = std::min(options_.flush_interval, absl::Minutes(1));
  absl::Duration since_flush;
  while (true) {
    bool is_due = false;
    {
      base::MutexLock lock(&mutex_);
      if (!stopping_) changed_.WaitWithTimeout(&mutex_, interval);
      if (stopping_) return;
      since_flush += interval;
      is_due = since_flush >= options_.flush_interval && unflushed_operations_ > 0;
    }
    // Failures stay: the buffer is kept and whoever flushes by hand is told.
    if (is_due) {
      Flush(Priority::kBackground).IgnoreError();
      since_flush = absl::ZeroDuration();
    }
    volume_.RemoveExpired(kExpiredPerRound).status().IgnoreError();
    volume_.RemoveOrphans().IgnoreError();
  }
}

RawDiskCacheStats RawDiskCache::Impl::Stats() const {
  RawDiskCacheStats stats;
  stats.stores = stores_;
  stats.buffered_stores = buffered_stores_;
  stats.removes = removes_;
  stats.lookups = lookups_;
  stats.hits = hits_;
  stats.flushes = flushes_;
  stats.failed_flushes = failed_flushes_;
  const auto flushes = static_cast<double>(stats.flushes);
  if (stats.flushes > 0) stats.batch_operations_average = static_cast<double>(flushed_operations_) / flushes;
  const double seconds = static_cast<double>(NowNs() - opened_ns_) / 1e9;
  if (seconds > 0) stats.flushes_per_second = flushes / seconds;
  stats.store_latency = store_latency_.Snapshot();
  stats.buffered_store_latency = buffered_latency_.Snapshot();
  stats.flush_latency = flush_latency_.Snapshot();
  stats.lookup_latency = lookup_latency_.Snapshot();
  stats.batch_lookup_latency = batch_latency_.Snapshot();
  if (!closed_) {
    const CacheCounts counts = volume_.cache_counts();
    stats.evicted_entries = counts.evicted_files;
    stats.expired_entries = counts.expired_files;
    if (const absl::StatusOr<VolumeStat> space = volume_.Stat(); space.ok()) stats.space = *space;
  }
  base::MutexLock lock(&mutex_);
  stats.pending_writes = unflushed_operations_ + flushing_operations_;
  stats.buffered_bytes = unflushed_bytes_ + flushing_bytes_;
  if (options_.flush_operations > 0) {
    stats.buffer_utilisation =
        static_cast<double>(unflushed_operations_) / static_cast<double>(options_.flush_operations);
  }
  if (options_.flush_bytes > 0) {
    stats.buffer_utilisation = std::max(
        stats.buffer_utilisation, static_cast<double>(unflushed_bytes_) / static_cast<double>(options_.flush_bytes));
  }
  return stats;
}

absl::Status RawDiskCache::Impl::Close() {
  if (closed_.exchange(true)) return absl::OkStatus();
  {
    base::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (periodic_.joinable()) periodic_.join();
  readers_.Wait();
  absl::Status status;
  if (!volume_.read_only()) {
    const int64_t start_ns = NowNs();
    const Pending pending = TakePending();
    status = volume_.Sync(Priority::kForeground);
    Settle(pending, status, start_ns);
  }
  {
    base::MutexLock lock(&mutex_);
    while (flushes_running_ > 0) changed_.Wait(&mutex_);
  }
  if (owned_.volume != nullptr) status.Update(owned_.Close());
  return status;
}

}  // namespace fs
