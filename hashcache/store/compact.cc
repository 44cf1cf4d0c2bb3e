// Compaction, statistics and verification of a Store; S1 to S4 are in store.cc.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/store/file_lock.h"
#include "hashcache/store/format.h"
#include "hashcache/store/store.h"

namespace hashcache {
namespace {

constexpr int64_t kDayNs = 24 * 3600 * int64_t{1'000'000'000};
constexpr uint64_t kJournalRecordsMin = 8192;

}  // namespace

bool Store::WantsCompaction() const {
  const Generation& generation = *current_.load(std::memory_order_acquire);
  const size_t journal = generation.journal.count();
  return journal > kJournalRecordsMin && journal > generation.base.count() / 4;
}

absl::Status Store::Compact(bool drop_all) {
  base::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(problem_);
  problem_ = CompactLocked(drop_all);
  return problem_;
}

absl::Status Store::CompactLocked(bool drop_all) {
  RETURN_IF_ERROR(FlushLocked());
  ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Take(Path("lock")));
  const Generation* const mine = current_.load(std::memory_order_relaxed);
  const uint64_t number = CurrentNumber();
  struct stat log;
  const bool complete = mine->number == number && stat(Path("log", number).c_str(), &log) == 0 &&
                        static_cast<uint64_t>(log.st_size) == mine->log_bytes_read;
  if (!complete) RETURN_IF_ERROR(Load());  // others have written too
  RETURN_IF_ERROR(WriteBase(number + 1, drop_all));
  RETURN_IF_ERROR(OpenLog(number + 1, true));
  if (ftruncate(log_.get(), 0) != 0) return base::ErrnoStatus(errno, Path("log", number + 1));
  Step("new log");
  RETURN_IF_ERROR(base::WriteFull(log_.get(), LogHeader(options_.filesystem_id, number + 1)));
  RETURN_IF_ERROR(WriteState(number + 1));
  RemoveOthers(number + 1);
  return Load();
}

absl::Status Store::WriteBase(uint64_t number, bool drop_all) {
  const Generation& from = *current_.load(std::memory_order_relaxed);
  const uint16_t today = static_cast<uint16_t>(clock_.NowNs() / kDayNs);
  const auto outdated = [&](const uint8_t* record) {
    return drop_all || RecordSeenDay(record) + options_.entry_days_max < today;
  };
  // What is kept, as positions: those of the journal follow those of the base.
  const std::vector<uint32_t> newest = from.journal.Newest();
  std::vector<uint32_t> kept;
  kept.reserve(from.base.count() + newest.size());
  size_t at = 0;
  // What is in the journal's table was checked when it came there.
  const auto keep_journal_below = [&](uint64_t inode) {
    for (; at < newest.size() && RecordInode(from.journal.At(newest[at])) < inode; ++at) {
      if (outdated(from.journal.At(newest[at]))) continue;
      kept.push_back(static_cast<uint32_t>(from.base.count()) + newest[at]);
    }
  };
  uint64_t previous = 0;
  for (size_t i = 0; i < from.base.count(); ++i) {
    const uint8_t* const record = from.base.At(i);
    // Damaged records are left behind, as are those that damage has put out of order.
    if (!DecodeRecord(record).has_value() || (i > 0 && RecordInode(record) <= previous)) continue;
    previous = RecordInode(record);
    keep_journal_below(previous);
    if (at < newest.size() && RecordInode(from.journal.At(newest[at])) == previous) continue;
    if (!outdated(record)) kept.push_back(static_cast<uint32_t>(i));
  }
  keep_journal_below(~uint64_t{0});
  Step("write base");
  ASSIGN_OR_RETURN(base::AtomicFile file,
                   base::AtomicFile::Create(Path("base", number), {.mode = 0600, .durable = true}));
  uint8_t bytes[kRecordSize];
  size_t next = 0;
  const auto encoded = [&]() -> const uint8_t* {
    const size_t index = kept[next++];
    const bool in_base = index < from.base.count();
    const size_t journal_index = in_base ? 0 : index - from.base.count();
    const uint8_t* const source = in_base ? from.base.At(index) : from.journal.At(journal_index);
    if (from.steps.empty()) return source;
    absl::optional<Record> record = DecodeRecord(source);
    if (!record.has_value() || record->racy || !InStep(from, *record, journal_index)) return source;
    record->racy = true;  // R6, for good: the steps end here
    EncodeRecord(*record, bytes);
    return bytes;
  };
  Session session = NowSession();
  RETURN_IF_ERROR(WriteBaseTable(file.fd(), options_.filesystem_id, number, session, kept.size(), encoded));
  Step("rename base");
  return file.Commit();
}

absl::Status Store::WriteState(uint64_t number) {
  Step("write state");
  return base::ReplaceFile(Path("state"), EncodeState(number), {.mode = 0600});
}

void Store::RemoveOthers(uint64_t keep) const {
  DIR* const directory = opendir(options_.directory.c_str());
  if (directory == nullptr) return;
  const std::string base_name = absl::StrCat("base.", keep);
  const std::string log_name = absl::StrCat("log.", keep);
  while (const dirent* const entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    if (name == base_name || name == log_name) continue;
    if (!absl::StartsWith(name, "base.") && !absl::StartsWith(name, "log.")) continue;
    Step("remove old");
    unlinkat(dirfd(directory), entry->d_name,
             0);  // what stays is removed next time
  }
  closedir(directory);
}

StoreStats Store::Stats() const {
  const Generation& generation = *current_.load(std::memory_order_acquire);
  StoreStats stats;
  stats.generation = generation.number;
  stats.base_records = generation.base.count();
  stats.journal_records = generation.journal.count();
  for (const std::string& path : {Path("base", generation.number), Path("log", generation.number)}) {
    struct stat attributes;
    if (stat(path.c_str(), &attributes) == 0) stats.bytes_on_disk += static_cast<uint64_t>(attributes.st_size);
  }
  return stats;
}

absl::Status Store::Verify(StoreStats* stats) const {
  const Generation& generation = *current_.load(std::memory_order_acquire);
  *stats = Stats();
  stats->damaged_records = generation.damaged;
  uint64_t unreachable = 0;
  for (size_t i = 0; i < generation.base.count(); ++i) {
    const absl::optional<Record> record = DecodeRecord(generation.base.At(i));
    if (!record.has_value()) {
      ++stats->damaged_records;
      continue;
    }
    if (record->racy) ++stats->racy_records;
    if (generation.base.Find(record->fingerprint.inode) != generation.base.At(i)) ++unreachable;
  }
  for (size_t i = 0; i < generation.journal.count(); ++i) {
    const absl::optional<Record> record = DecodeRecord(generation.journal.At(i));
    if (record.has_value() && record->racy) ++stats->racy_records;
  }
  RETURN_IF_ERROR(problem());
  if (stats->damaged_records == 0 && unreachable == 0 && !generation.base.faulted()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the cache is damaged; records ", stats->damaged_records, ", slots ",
                                          unreachable, "; ", options_.directory));
}

}  // namespace hashcache
