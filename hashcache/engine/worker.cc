#include "hashcache/engine/worker.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/os/file.h"
#include "base/status.h"
#include "glog/logging.h"
#include "hashcache/engine/attempt.h"
#include "hashcache/engine/large_file.h"
#include "hashcache/store/rules.h"

namespace hashcache {
namespace {

// Never waits for a writer of a FIFO, never becomes a controlling terminal.
constexpr int kOpenFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
constexpr size_t kScratchSize = 32 << 10;
constexpr int64_t kDayNs = 24 * 3600 * kSecondNs;
constexpr int kSeenDaysStep = 7;
// From here on reading a part at a time asynchronously gains nothing.
constexpr double kWarmMin = 0.5;

absl::Status NotAFile(uint32_t mode) {
  const char* const what = S_ISDIR(mode)    ? "is a directory"
                           : S_ISLNK(mode)  ? "is a symbolic link"
                           : S_ISFIFO(mode) ? "is a named pipe"
                           : S_ISSOCK(mode) ? "is a socket"
                                            : "is a device";
  return absl::FailedPreconditionError(absl::StrCat(what, ", not a regular file"));
}

void SetFile(const FileAttributes& attributes, uint32_t generation, FileResult* result) {
  result->mode = attributes.mode;
  result->device = attributes.device;
  result->fingerprint = FingerprintOf(attributes, generation);
}

}  // namespace

Worker::Worker(Context& context, WorkerLimits limits)
    : context_(context),
      filesystem_(context.filesystem),
      limits_(limits),
      random_state_(static_cast<uint64_t>(context.clock.NowNs()) ^ reinterpret_cast<uintptr_t>(this)) {}

absl::Span<uint8_t> Worker::Buffer() {
  if (buffer_ == nullptr) buffer_.reset(new uint8_t[kReadSize]);
  return {buffer_.get(), kReadSize};
}

absl::Span<char> Worker::scratch() {
  if (scratch_ == nullptr) scratch_.reset(new char[kScratchSize]);
  return {scratch_.get(), kScratchSize};
}

Worker::~Worker() { CHECK(!Busy()) << "files are still being read"; }

void Worker::Hash(const FileTask& original) {
  if (context_.Interrupted()) return Fail(original, absl::CancelledError("interrupted"));
  if (original.algorithms.empty()) return LookOnly(original);
  FileTask task = original;
  if (AnswerFromCache(&task)) return;
  Read(task);
}

void Worker::LookOnly(const FileTask& task) {
  FileAttributes attributes;
  const int result = filesystem_.StatAt(task.directory, task.name, task.follow, false, &attributes);
  if (result != 0) return Fail(task, base::ErrnoStatus(-result, "stat"));
  if (!S_ISREG(attributes.mode)) return Fail(task, NotAFile(attributes.mode));
  task.result->outcome = Outcome::kHit;
  SetFile(attributes, 0, task.result);
  Done(task);
}

bool Worker::AnswerFromCache(FileTask* task) {
  if (!context_.use_cache) return false;
  absl::optional<Record> record;
  if (task->volume != nullptr) {
    Store* const store = task->volume->store();
    if (store == nullptr) return false;
    if (task->inode_hint != 0) {
      record = store->Find(task->inode_hint);
      task->known_absent = !record.has_value();
      if (task->known_absent) return false;  // without a look by name
    }
  }
  FileAttributes attributes;
  const bool network = task->volume != nullptr && task->volume->judgement().traits.made_up;
  const int result = filesystem_.StatAt(task->directory, task->name, task->follow, network, &attributes);
  if (result != 0) {
    Fail(*task, base::ErrnoStatus(-result, "stat"));
    return true;
  }
  if (!S_ISREG(attributes.mode)) {
    Fail(*task, NotAFile(attributes.mode));
    return true;
  }
  Volume* const volume = context_.volumes.Find(attributes.device, -1);
  if (volume == nullptr) return false;  // the first file of its filesystem is opened first
  if (volume != task->volume || attributes.inode != task->inode_hint) record = absl::nullopt;
  task->volume = volume;
  if (volume->store() == nullptr) return false;
  if (!record.has_value()) record = volume->store()->Find(attributes.inode);
  task->known_absent = !record.has_value();
  return record.has_value() && TakeIfHit(task, attributes, *record);
}

bool Worker::TakeIfHit(FileTask* task, const FileAttributes& attributes, const Record& record) {
  if (!record.digests.algorithms().HasAll(task->algorithms)) return false;
  uint32_t generation = 0;
  if (attributes.btime_ns == 0) generation = filesystem_.GenerationAt(task->directory, task->name);
  if (Judge(record, FingerprintOf(attributes, generation), task->volume->judgement()) != Verdict::kHit) return false;
  if (DrawnForAudit(attributes.size_bytes)) {
    task->audited = std::make_shared<Digests>(record.digests.Only(task->algorithms));
    return false;
  }
  const auto today = static_cast<uint16_t>(context_.clock.NowNs() / kDayNs);
  if (record.seen_day + kSeenDaysStep < today) {
    Record seen = record;
    seen.seen_day = today;
    task->volume->store()->Put(seen);
  }
  FileResult& result = *task->result;
  result.outcome = Outcome::kHit;
  result.trust = record.trust;
  SetFile(attributes, generation, &result);
  result.digests = record.digests.Only(task->algorithms);
  context_.counters.hits.fetch_add(1, std::memory_order_relaxed);
  Done(*task);
  return true;
}

bool Worker::DrawnForAudit(uint64_t size_bytes) {
  if (context_.audit_share <= 0) return false;
  const double drawn = static_cast<double>(Random() >> 11) * 0x1.0p-53;
  if (drawn >= context_.audit_share) return false;
  return context_.audit_bytes_left.fetch_sub(static_cast<int64_t>(size_bytes)) >= static_cast<int64_t>(size_bytes);
}

void Worker::Read(const FileTask& task) {
  const bool may_go_cold = limits_.asynchronous;
  for (int number = 0;; ++number) {
    Attempt attempt = {.task = task, .number = number};
    attempt.fd = filesystem_.Open(task.directory, task.name, kOpenFlags, task.follow, may_go_cold);
    if (attempt.fd == -EAGAIN && may_go_cold) {
      // Inodes lie side by side and come with read-ahead: opening here costs less than
      // handing it to a kernel thread. Not so where each is a question over the network.
      const bool remote = task.volume != nullptr && task.volume->judgement().traits.made_up;
      if (remote) return StartCold(std::make_unique<Attempt>(std::move(attempt)));
      attempt.fd = filesystem_.Open(task.directory, task.name, kOpenFlags, task.follow, false);
      attempt.cold = true;
    }
    if (attempt.fd < 0) return Fail(task, base::ErrnoStatus(-attempt.fd, "open"));
    switch (ReadOpened(&attempt, may_go_cold)) {
      case Step::kDone:
        return;
      case Step::kCold:
        return StartCold(std::make_unique<Attempt>(std::move(attempt)));
      case Step::kRetry:
        break;
    }
  }
}

Worker::Step Worker::ReadOpened(Attempt* attempt, bool may_go_cold) {
  if (!context_.use_cache && !context_.strict && !attempt->cold) return ReadQuick(attempt, may_go_cold);
  if (attempt->cold && buffer_bytes_ >= limits_.bytes_max) return Step::kCold;  // the lease only when there is room
  if (!Begin(attempt)) return Step::kDone;
  const uint64_t cold_bytes = attempt->cold ? attempt->reading.before.size_bytes : 0;
  if (cold_bytes > 0 && cold_bytes < kDirectSizeMin) return Step::kCold;
  if (attempt->reading.before.size_bytes <= kReadSize) return ReadSmall(attempt, may_go_cold);
  const FileAttributes& before = attempt->reading.before;
  if (may_go_cold && before.size_bytes < kDirectSizeMin) {
    const double residency = filesystem_.ResidentShare(attempt->fd, before.size_bytes);
    if (residency >= 0 && residency < kWarmMin) return Step::kCold;
  }
  return ReadLarge(attempt);
}

// Nothing is remembered, so one look after the reading is enough to see that
// the size is what was read.
Worker::Step Worker::ReadQuick(Attempt* attempt, bool may_go_cold) {
  const ssize_t size = filesystem_.Read(attempt->fd, Buffer(), 0, may_go_cold);
  if (size < 0 && size != -EAGAIN && size != -EOPNOTSUPP) {
    return FailAttempt(attempt, base::ErrnoStatus(static_cast<int>(-size), "read"));
  }
  if (size < 0 || static_cast<size_t>(size) == kReadSize) {
    // Not in memory, or not small: look what it is first.
    if (!Begin(attempt)) return Step::kDone;
    if (size == -EAGAIN && may_go_cold && attempt->reading.before.size_bytes < kDirectSizeMin) return Step::kCold;
    if (attempt->reading.before.size_bytes <= kReadSize) return ReadSmall(attempt, may_go_cold);
    return ReadLarge(attempt);
  }
  FileAttributes& after = attempt->reading.after;
  const int result = filesystem_.StatAgain(attempt->fd, &after);
  if (result != 0) return FailAttempt(attempt, base::ErrnoStatus(-result, "stat"));
  if (!S_ISREG(after.mode)) return FailAttempt(attempt, NotAFile(after.mode));
  attempt->reading.before = after;
  const auto bytes_read = static_cast<uint64_t>(size);
  if (bytes_read != after.size_bytes) {
    // Perhaps it is only longer than one read gives; look before reading again.
    if (!Begin(attempt)) return Step::kDone;
    return ReadLarge(attempt);
  }
  attempt->reading.bytes_read = bytes_read;
  return GiveWhole(attempt, Outcome::kHashed, bytes_read);
}

bool Worker::Begin(Attempt* attempt) {
  Reading& reading = attempt->reading;
  const FileTask& task = attempt->task;
  attempt->begun = true;
  reading.started_ns = context_.clock.MonotonicNs();
  reading.clock_ns = context_.clock.NowNs();  // R4: before the first look
  if (context_.use_cache || context_.strict) reading.lease = filesystem_.TakeLease(attempt->fd);
  const int result = filesystem_.Stat(attempt->fd, &reading.before);
  if (result != 0) {
    FailAttempt(attempt, base::ErrnoStatus(-result, "stat"));
    return false;
  }
  if (!S_ISREG(reading.before.mode)) {
    FailAttempt(attempt, NotAFile(reading.before.mode));
    return false;
  }
  attempt->volume = task.volume;
  if (attempt->volume == nullptr) {
    attempt->volume = context_.volumes.Find(reading.before.device, attempt->fd);
    // The first file of its filesystem could not be looked up by name.
    attempt->task.volume = attempt->volume;
    Store* const store = attempt->volume->store();
    const absl::optional<Record> record =
        store != nullptr && task.audited == nullptr ? store->Find(reading.before.inode) : absl::nullopt;
    if (record.has_value() && TakeIfHit(&attempt->task, reading.before, *record)) {
      filesystem_.Close(attempt->fd);
      return false;
    }
  }
  if (reading.before.btime_ns == 0) reading.generation = filesystem_.Generation(attempt->fd);
  return !(reading.before.verity && AnswerByVerity(attempt));
}

Worker::Step Worker::ReadSmall(Attempt* attempt, bool may_go_cold) {
  const uint64_t expected = attempt->reading.before.size_bytes;
  // A file of size 0 that has content is one the kernel makes up.
  uint64_t bytes_read = 0;
  for (;;) {
    const absl::Span<uint8_t> room = Buffer().subspan(bytes_read);
    ssize_t size = filesystem_.Read(attempt->fd, room, bytes_read, may_go_cold);
    if (size == -EAGAIN && may_go_cold) return Step::kCold;
    if (size == -EOPNOTSUPP && may_go_cold) size = filesystem_.Read(attempt->fd, room, bytes_read, false);
    if (size < 0) return FailAttempt(attempt, base::ErrnoStatus(static_cast<int>(-size), "read"));
    bytes_read += static_cast<uint64_t>(size);
    if (size == 0 || (expected > 0 && bytes_read >= expected)) break;
    if (bytes_read == kReadSize) return ReadLarge(attempt);
  }
  return FinishWhole(attempt, bytes_read);
}

Worker::Step Worker::ReadLarge(Attempt* attempt) {
  const uint64_t size_bytes = attempt->reading.before.size_bytes;
  // Under a lease a resident file may be mapped, also where nothing is remembered.
  const bool may_map = size_bytes >= kMapSizeMin && !context_.use_cache && !context_.strict;
  if (may_map && filesystem_.TakeLease(attempt->fd) == Lease::kHeld) attempt->reading.lease = Lease::kHeld;
  const bool leased = attempt->reading.lease == Lease::kHeld;
  const auto keep_going = [this, attempt, leased] {
    // A writer that waits for our lease must not wait for the rest of the file.
    return !context_.Interrupted() && (!leased || filesystem_.LeaseIsWhole(attempt->fd));
  };
  LargeFileHasher hasher(filesystem_, context_.pool(), keep_going);
  const double residency = size_bytes >= kMapSizeMin ? filesystem_.ResidentShare(attempt->fd, size_bytes) : 1;
  const ReadMethod method = LargeFileHasher::Choose(size_bytes, residency, leased);
  const absl::StatusOr<LargeRead> read = hasher.Hash(attempt->fd, size_bytes, attempt->task.algorithms, method);
  if (read.ok()) return Finish(attempt, read->bytes_read, read->digests);
  if (context_.Interrupted()) return FailAttempt(attempt, absl::CancelledError("interrupted"));
  if (absl::IsCancelled(read.status())) return Unstable(attempt, Digests());
  return FailAttempt(attempt, read.status());
}

absl::Status Worker::LookAgain(Attempt* attempt, uint64_t bytes_read) {
  Reading& reading = attempt->reading;
  reading.bytes_read = bytes_read;
  if (reading.lease == Lease::kHeld && context_.clock.MonotonicNs() - reading.started_ns < kLeaseSureNs) {
    reading.after = reading.before;  // R3: nobody can have written
    reading.lease_whole = true;
    return absl::OkStatus();
  }
  const int result = filesystem_.StatAgain(attempt->fd, &reading.after);
  if (result != 0) return base::ErrnoStatus(-result, "stat");
  if (reading.lease == Lease::kHeld) reading.lease_whole = filesystem_.LeaseIsWhole(attempt->fd);
  return absl::OkStatus();
}

bool Worker::IsUnchanged(const Attempt& attempt) {
  // What the kernel makes up while it is read has no size before.
  const bool made_up = attempt.volume->judgement().traits.made_up && attempt.reading.before.size_bytes == 0;
  return made_up || IsStable(attempt.reading);
}

Worker::Step Worker::Finish(Attempt* attempt, uint64_t bytes_read, const Digests& digests) {
  const absl::Status looked = LookAgain(attempt, bytes_read);
  if (!looked.ok()) return FailAttempt(attempt, looked);
  if (!IsUnchanged(*attempt)) return Unstable(attempt, digests);
  return Give(attempt, attempt->reading.lease == Lease::kBusy ? Outcome::kBusy : Outcome::kHashed, digests);
}

Worker::Step Worker::FinishWhole(Attempt* attempt, uint64_t bytes_read) {
  const absl::Status looked = LookAgain(attempt, bytes_read);
  if (!looked.ok()) return FailAttempt(attempt, looked);
  if (!IsUnchanged(*attempt)) {
    return Unstable(attempt, Stream(attempt->task.algorithms).HashWhole(Buffer().subspan(0, bytes_read)));
  }
  return GiveWhole(attempt, attempt->reading.lease == Lease::kBusy ? Outcome::kBusy : Outcome::kHashed, bytes_read);
}

Worker::Step Worker::Unstable(Attempt* attempt, const Digests& digests) {
  const bool again = attempt->number + 1 < kAttemptsMax;
  if (again) {
    filesystem_.Close(attempt->fd);
    return Step::kRetry;
  }
  FileResult& result = *attempt->task.result;
  result.outcome = Outcome::kUnstable;
  SetFile(attempt->reading.before, attempt->reading.generation, &result);
  result.status = absl::AbortedError("changed while it was read, three times over");
  if (context_.allow_unstable) {
    result.digests = digests;
    if (!digests.algorithms().empty()) result.status = absl::OkStatus();
  }
  filesystem_.Close(attempt->fd);
  context_.counters.unstable.fetch_add(1, std::memory_order_relaxed);
  Done(attempt->task);
  return Step::kDone;
}

Worker::Step Worker::Give(Attempt* attempt, Outcome outcome, const Digests& digests) {
  FileResult& result = *attempt->task.result;
  result.outcome = outcome;
  SetFile(attempt->reading.before, attempt->reading.generation, &result);
  result.digests = digests;
  Counters& counters = context_.counters;
  (outcome == Outcome::kBusy ? counters.busy : counters.hashed).fetch_add(1, std::memory_order_relaxed);
  counters.bytes_hashed.fetch_add(attempt->reading.bytes_read, std::memory_order_relaxed);
  const bool audited = attempt->task.audited != nullptr;
  if (audited) CompareAudit(*attempt, digests);
  if (!audited && outcome == Outcome::kHashed && context_.use_cache && attempt->begun) Remember(*attempt, &result);
  if (attempt->fd >= 0) filesystem_.Close(attempt->fd);
  Done(attempt->task);
  return Step::kDone;
}

void Worker::CompareAudit(const Attempt& attempt, const Digests& digests) {
  context_.counters.audited.fetch_add(1, std::memory_order_relaxed);
  const Digests& remembered = *attempt.task.audited;
  if (digests.Only(remembered.algorithms()) == remembered) return;
  context_.Report({.path = attempt.task.owner->PathOf(attempt.task),
                   .fingerprint = FingerprintOf(attempt.reading.before, attempt.reading.generation),
                   .remembered = remembered,
                   .found = digests});
}

void Worker::Remember(const Attempt& attempt, FileResult* result) {
  const Reading& reading = attempt.reading;
  Record record;
  record.hashed_at_ns = reading.clock_ns;
  record.boot_tag = attempt.volume->judgement().boot_tag;
  record.seen_day = static_cast<uint16_t>(reading.clock_ns / kDayNs);
  record.digests = result->digests;
  if (!attempt.verity.empty()) {
    record.fingerprint = VerityFingerprint(attempt.verity, reading.before.size_bytes);
    record.trust = result->trust = TrustClass::kVerity;
    if (Store* const store = context_.volumes.verity_store(); store != nullptr) store->Put(record);
    return;
  }
  Store* const store = attempt.volume->store();
  if (store == nullptr) return;
  const Judgement& judgement = attempt.volume->judgement();
  record.fingerprint = result->fingerprint;
  record.trust = result->trust = TrustOf(reading, judgement.traits);
  record.racy = IsRacy(reading, judgement, false) &&
                (!judgement.traits.maybe_fine_times || IsRacy(reading, judgement, HasFineTimes(attempt)));
  absl::optional<Record> known;
  if (!attempt.task.known_absent) known = store->Find(record.fingerprint.inode);
  // Only what would be a hit right now may be kept beside the new digests.
  if (known.has_value() && Judge(*known, record.fingerprint, judgement) == Verdict::kHit) {
    record.digests.Merge(known->digests);
  }
  store->Put(record);
}

bool Worker::HasFineTimes(const Attempt& attempt) {
  if (attempt.task.directory != AT_FDCWD) return attempt.volume->HasFineTimes(attempt.task.directory);
  const std::string directory(base::DirectoryName(attempt.task.name));
  const absl::StatusOr<base::Fd> fd = base::OpenFile(directory, O_RDONLY | O_DIRECTORY);
  return fd.ok() && attempt.volume->HasFineTimes(fd->get());
}

Fingerprint Worker::VerityFingerprint(absl::string_view measured, uint64_t size_bytes) {
  uint8_t bytes[32] = {};
  HashStream stream(Algorithm::kBlake3);
  const Digests digests = stream.HashWhole({reinterpret_cast<const uint8_t*>(measured.data()), measured.size()});
  std::copy_n(digests.Get(Algorithm::kBlake3).begin(), sizeof bytes, bytes);
  return {.inode = base::LoadLittle<uint64_t>(bytes),
          .size_bytes = size_bytes,
          .mtime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 8)),
          .ctime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 16)),
          .btime_ns = static_cast<int64_t>(base::LoadLittle<uint64_t>(bytes + 24))};
}

bool Worker::AnswerByVerity(Attempt* attempt) {
  attempt->verity = filesystem_.VerityDigest(attempt->fd);
  if (attempt->verity.empty() || !context_.use_cache) return false;
  Store* const store = context_.volumes.verity_store();
  if (store == nullptr) return false;
  const Fingerprint key = VerityFingerprint(attempt->verity, attempt->reading.before.size_bytes);
  const absl::optional<Record> record = store->Find(key.inode);
  if (!record.has_value() || !record->digests.algorithms().HasAll(attempt->task.algorithms) ||
      Judge(*record, key, attempt->volume->judgement()) != Verdict::kHit) {
    return false;
  }
  FileResult& result = *attempt->task.result;
  result.outcome = Outcome::kHit;
  result.trust = TrustClass::kVerity;
  SetFile(attempt->reading.before, attempt->reading.generation, &result);
  result.digests = record->digests.Only(attempt->task.algorithms);
  filesystem_.Close(attempt->fd);
  context_.counters.hits.fetch_add(1, std::memory_order_relaxed);
  Done(attempt->task);
  return true;
}

Worker::Step Worker::FailAttempt(Attempt* attempt, const absl::Status& status) {
  filesystem_.Close(attempt->fd);
  Fail(attempt->task, status);
  return Step::kDone;
}

void Worker::Fail(const FileTask& task, const absl::Status& status) {
  task.result->outcome = Outcome::kError;
  task.result->status = status;
  context_.counters.errors.fetch_add(1, std::memory_order_relaxed);
  Done(task);
}

void Worker::Done(const FileTask& task) {
  context_.counters.files.fetch_add(1, std::memory_order_relaxed);
  context_.counters.bytes_total.fetch_add(task.result->fingerprint.size_bytes, std::memory_order_relaxed);
  task.owner->FileDone();
}

HashStream& Worker::Stream(AlgorithmSet algorithms) {
  std::unique_ptr<HashStream>& stream = streams_[algorithms.bits()];
  if (stream == nullptr) stream = std::make_unique<HashStream>(algorithms);
  return *stream;
}

uint64_t Worker::Random() {
  // splitmix64: which hits are audited needs no more than that.
  uint64_t z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

}  // namespace hashcache
