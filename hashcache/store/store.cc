// Invariants:
//  S1  `state` names the generation that counts; it is written (16 bytes, one
//  write)
//      only after that generation's base and log are complete, so a kill at any
//      point leaves either the old or the new one.
//  S2  A base file never changes once it has its name; a log only grows, by
//  whole
//      records after its header. A torn tail is padded by the next writer.
//  S3  Every change is made under an exclusive flock on `lock`; readers take
//  none. S4  Files of other generations are removed only after S1; who mapped
//  them keeps them.
#include "hashcache/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/store/file_lock.h"
#include "hashcache/store/format.h"

namespace hashcache {
namespace {

constexpr size_t kBatchBytes = 64 << 10;
constexpr int64_t kSlewNs = 1'000'000;

uint64_t SizeOf(int fd) {
  struct stat attributes;
  return fstat(fd, &attributes) == 0 ? static_cast<uint64_t>(attributes.st_size) : 0;
}

}  // namespace

Store::Store(StoreOptions options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : base::Clock::Real()),
      filesystem_(options_.filesystem != nullptr ? *options_.filesystem : Filesystem::Real()) {}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  std::unique_ptr<Store> store(new Store(std::move(options)));
  base::MutexLock lock(&store->mutex_);
  const absl::Status made = base::MakeDirectories(store->options_.directory, 0700);
  if (!made.ok()) store->problem_ = made;
  RETURN_IF_ERROR(store->Load());
  const Session now = store->NowSession();
  const absl::optional<Record> step = store->StepSince(store->current_.load()->last, now);
  if (step.has_value()) {
    // Others must hear of it even if nothing else is learnt in this run.
    std::string bytes(kRecordSize, '\0');
    EncodeRecord(*step, reinterpret_cast<uint8_t*>(bytes.data()));
    Apply(reinterpret_cast<const uint8_t*>(bytes.data()), store->current_.load());
    store->pending_ = bytes + store->pending_;
    if (store->problem_.ok()) store->problem_ = store->FlushLocked();
  }
  return store;
}

Store::~Store() {
  Flush().IgnoreError();  // lost records are hashed again
}

std::string Store::Path(absl::string_view kind, uint64_t number) const {
  return Path(absl::StrCat(kind, ".", number));
}
std::string Store::Path(absl::string_view name) const { return base::JoinPath(options_.directory, name); }

Session Store::NowSession() const {
  Session session;
  session.boot_tag = filesystem_.BootTag();
  session.now_ns = clock_.NowNs();
  session.clock_offset_ns = session.now_ns - filesystem_.SinceBootNs();
  return session;
}

absl::optional<Record> Store::StepSince(const Session& last, const Session& now) const {
  Record step;
  step.kind = Record::Kind::kClockStep;
  step.boot_tag = now.boot_tag;
  if (last.boot_tag == 0) return absl::nullopt;
  if (last.boot_tag == now.boot_tag) {
    const int64_t back_ns = last.clock_offset_ns - now.clock_offset_ns;
    if (back_ns <= kSlewNs) return absl::nullopt;
    // It happened some time since `last`: the times that occur twice lie
    // between.
    step.fingerprint.mtime_ns = last.now_ns - back_ns;
    step.fingerprint.ctime_ns = now.now_ns + back_ns;
  } else {
    if (now.now_ns >= last.now_ns) return absl::nullopt;
    step.fingerprint.mtime_ns = now.clock_offset_ns;
    step.fingerprint.ctime_ns = last.now_ns;
  }
  step.hashed_at_ns = now.now_ns;
  return step;
}

uint64_t Store::CurrentNumber() const {
  const absl::StatusOr<std::string> state = base::ReadFile(Path("state"), 64);
  const absl::optional<uint64_t> number = state.ok() ? DecodeState(*state) : absl::nullopt;
  if (number.has_value()) return *number;
  // Lost or damaged: the newest generation there is. It may lack what a killed
  // compaction had not finished, which only costs re-hashing.
  uint64_t newest = 0;
  DIR* const directory = opendir(options_.directory.c_str());
  if (directory == nullptr) return 0;
  while (const dirent* const entry = readdir(directory)) {
    absl::string_view name = entry->d_name;
    uint64_t number = 0;
    if (absl::ConsumePrefix(&name, "base.") && absl::SimpleAtoi(name, &number))
      newest = std::max(newest, number);
    if (absl::ConsumePrefix(&name, "log.") && absl::SimpleAtoi(name, &number))
      newest = std::max(newest, number);
  }
  closedir(directory);
  return newest;
}

absl::Status Store::Load() {
  auto generation = std::make_unique<Generation>();
  for (int attempt = 0; attempt < 10; ++attempt) {
    generation = std::make_unique<Generation>();
    generation->number = CurrentNumber();
    const absl::StatusOr<base::Fd> base_file = base::OpenFile(Path("base", generation->number), O_RDONLY);
    if (base_file.ok()) {
      absl::StatusOr<BaseTable> base =
          BaseTable::Open(base_file->get(), options_.filesystem_id, generation->number);
      if (base.ok()) {
        generation->base = *std::move(base);
      } else if (problem_.ok()) {
        problem_ = base::Annotate(base.status(), Path("base", generation->number));
      }
    }
    const absl::StatusOr<base::Fd> log = base::OpenFile(Path("log", generation->number), O_RDONLY);
    if (log.ok()) {
      generation->last = generation->base.session();
      ReadLog(log->get(), options_.filesystem_id, generation.get());
    }
    // A compaction may have removed the files between the two looks.
    if (CurrentNumber() == generation->number) break;
  }
  if (generation->last.boot_tag == 0) generation->last = generation->base.session();
  generations_.push_back(std::move(generation));
  current_.store(generations_.back().get(), std::memory_order_release);
  return absl::OkStatus();
}

void Store::ReadLog(int fd, absl::string_view filesystem_id, Generation* generation) {
  std::string buffer(kLogHeaderSize, '\0');
  uint64_t offset = generation->log_bytes_read;
  if (offset == 0) {
    const absl::StatusOr<size_t> size = base::PReadFull(fd, absl::MakeSpan(&buffer[0], buffer.size()), 0);
    if (!size.ok() || *size != kLogHeaderSize || buffer != LogHeader(filesystem_id, generation->number)) return;
    offset = kLogHeaderSize;
  }
  buffer.resize(kRecordSize * 4096);
  for (;;) {
    const absl::StatusOr<size_t> size = base::PReadFull(fd, absl::MakeSpan(&buffer[0], buffer.size()), offset);
    if (!size.ok() || *size < kRecordSize) break;
    const size_t whole = *size / kRecordSize * kRecordSize;
    for (size_t at = 0; at < whole; at += kRecordSize) {
      Apply(reinterpret_cast<const uint8_t*>(buffer.data()) + at, generation);
    }
    offset += whole;
  }
  generation->log_bytes_read = offset;
}

void Store::Apply(const uint8_t* bytes, Generation* generation) {
  const absl::optional<Record> record = DecodeRecord(bytes);
  if (!record.has_value()) {
    ++generation->damaged;
    return;
  }
  switch (record->kind) {
    case Record::Kind::kFile:
      generation->journal.Insert(bytes);
      break;
    case Record::Kind::kSession:
      generation->last = {record->boot_tag, record->fingerprint.mtime_ns, record->fingerprint.ctime_ns};
      break;
    case Record::Kind::kClockStep:
      generation->steps.push_back(
          {record->fingerprint.mtime_ns, record->fingerprint.ctime_ns, generation->journal.count()});
      break;
  }
}

bool Store::InStep(const Generation& generation, const Record& record, size_t journal_index) {
  return std::any_of(generation.steps.begin(), generation.steps.end(), [&](const ClockStep& step) {
    return journal_index < step.journal_count && record.fingerprint.ctime_ns >= step.from_ns &&
           record.fingerprint.ctime_ns <= step.to_ns;
  });
}

bool Store::MayHave(uint64_t inode) const {
  const Generation& generation = *current_.load(std::memory_order_acquire);
  return generation.journal.Find(inode) != JournalTable::kNone || generation.base.Find(inode) != nullptr;
}

absl::optional<Record> Store::Find(uint64_t inode) const {
  const Generation& generation = *current_.load(std::memory_order_acquire);
  const size_t index = generation.journal.count() > 0 ? generation.journal.Find(inode) : JournalTable::kNone;
  const bool in_base = index == JournalTable::kNone;
  const uint8_t* const bytes = in_base ? generation.base.Find(inode) : generation.journal.At(index);
  if (bytes == nullptr) return absl::nullopt;
  absl::optional<Record> record = DecodeRecord(bytes);
  // A map may lose its file between two reads of the inode.
  if (!record.has_value() || record->fingerprint.inode != inode) return absl::nullopt;
  if (!generation.steps.empty() && InStep(generation, *record, in_base ? 0 : index)) record->racy = true;
  return record;
}

void Store::Put(const Record& record) {
  uint8_t bytes[kRecordSize];
  EncodeRecord(record, bytes);
  base::MutexLock lock(&mutex_);
  Generation* const generation = current_.load(std::memory_order_relaxed);
  if (!generation->journal.Insert(bytes)) return;
  if (!problem_.ok()) return;
  pending_.append(reinterpret_cast<const char*>(bytes), kRecordSize);
  if (pending_.size() + kRecordSize <= kBatchBytes) return;
  problem_ = FlushLocked();
  const size_t journal_bytes = generation->journal.count() * kRecordSize;
  if (problem_.ok() && journal_bytes > options_.journal_memory_max &&
      generation->journal.count() > generation->base.count()) {
    problem_ = CompactLocked(false);
  }
}

absl::Status Store::Flush() {
  base::MutexLock lock(&mutex_);
  if (!problem_.ok()) return problem_;
  problem_ = FlushLocked();
  return problem_;
}

absl::Status Store::FlushLocked() {
  if (pending_.empty()) return absl::OkStatus();
  if (!session_written_) {
    const Session now = NowSession();
    Record session;
    session.kind = Record::Kind::kSession;
    session.boot_tag = now.boot_tag;
    session.fingerprint.mtime_ns = now.now_ns;
    session.fingerprint.ctime_ns = now.clock_offset_ns;
    uint8_t bytes[kRecordSize];
    EncodeRecord(session, bytes);
    pending_.append(reinterpret_cast<const char*>(bytes), kRecordSize);
    session_written_ = true;
  }
  const std::string records = std::move(pending_);
  pending_.clear();
  ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Take(Path("lock")));
  return AppendLocked(records);
}

absl::Status Store::OpenLog(uint64_t number, bool create) {
  ASSIGN_OR_RETURN(log_, base::OpenFile(Path("log", number), O_RDWR | O_APPEND | (create ? O_CREAT : 0), 0600));
  log_number_ = number;
  return absl::OkStatus();
}

absl::Status Store::AppendLocked(absl::string_view records) {
  const uint64_t number = CurrentNumber();
  if (!log_.valid() || log_number_ != number) {
    Step("open log");
    RETURN_IF_ERROR(OpenLog(number, true));
  }
  const uint64_t size = SizeOf(log_.get());
  Generation* const generation = current_.load(std::memory_order_relaxed);
  // Whether memory holds all that the log does, or another process has added to
  // it.
  const bool alone = number == generation->number && (size == generation->log_bytes_read || size == 0);
  std::string head;
  if (size < kLogHeaderSize) {
    if (size > 0 && ftruncate(log_.get(), 0) != 0) return base::ErrnoStatus(errno, "ftruncate");
    head = LogHeader(options_.filesystem_id, number);
  } else if (size % kRecordSize != 0) {
    head.assign(kRecordSize - size % kRecordSize, '\0');  // S2
  }
  Step("append");
  const absl::Status written = base::WriteFull(log_.get(), absl::StrCat(head, records));
  if (written.ok() && alone) generation->log_bytes_read = size + head.size() + records.size();
  return base::Annotate(written, Path("log", number));
}

absl::Status Store::problem() const {
  base::MutexLock lock(&mutex_);
  return problem_;
}

}  // namespace hashcache
