// A Worker hashes files for one thread: from memory at once, from the disk with many files in
// flight.
//
// Shape:   Hash() answers from the cache, or opens and reads what the page cache holds, or else
//          starts an asynchronous open and read and returns; Reap() continues those. A small file
//          whose digest is computed faster beside another's waits for the next one or for Reap().
//          Each task's owner hears of it once, from Hash() or Reap().
// Rules:   R3 (rules.h): lease, look, read, look again, lease; three attempts.
// Bounds:  limits.files_max in flight, limits.bytes_max of buffers.
// Threads: thread-compatible: one thread each.
#ifndef HASHCACHE_ENGINE_WORKER_H_
#define HASHCACHE_ENGINE_WORKER_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hashcache/digest/hash_stream.h"
#include "hashcache/engine/context.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/result.h"

namespace hashcache {

class FileOwner;

struct FileTask {
  int directory = -1;  // lives until done, as do the name and the result
  const char* name = nullptr;
  AlgorithmSet algorithms;
  bool follow = false;
  Volume* volume = nullptr;  // nullptr = not known yet
  uint64_t inode_hint = 0;   // of the directory entry; 0 = not known
  FileResult* result = nullptr;
  FileOwner* owner = nullptr;
  // Set inside the worker: nothing is remembered of it.
  bool known_absent = false;
  // Set inside the worker: what was remembered of a hit that is to be audited.
  std::shared_ptr<const Digests> audited;
};

class FileOwner {
 public:
  virtual ~FileOwner() = default;
  virtual void FileDone() = 0;
  // For messages about the file.
  virtual std::string PathOf(const FileTask& task) const = 0;
};

struct WorkerLimits {
  size_t files_max = 128;
  size_t bytes_max = 8 << 20;
  // Whether reads that need the disk go asynchronously; false for single files.
  bool asynchronous = true;
  unsigned fallback_threads = 16;  // where there is no io_uring
};

class Worker {
 public:
  Worker(Context& context, WorkerLimits limits);
  ~Worker();  // REQUIRES: !Busy()

  void Hash(const FileTask& task);
  bool HasRoom() const { return in_flight_ < limits_.files_max; }
  bool Busy() const { return in_flight_ > 0 || single_waits_; }
  // Submits what is queued, continues what has come and ends what waits for its pair; `wait`: for
  // at least one read.
  void Reap(bool wait);

  Context& context() { return context_; }
  // For readers of directories.
  absl::Span<char> scratch();

 private:
  struct Attempt;   // one file being read
  struct ColdFile;  // ... asynchronously
  struct Single;    // one file whose digest waits for another's
  enum class Step { kDone, kRetry, kCold };

  void LookOnly(const FileTask& task);
  // From the cache.
  bool AnswerFromCache(FileTask* task);
  bool TakeIfHit(FileTask* task, const FileAttributes& attributes, const Record& record);
  bool DrawnForAudit(uint64_t size_bytes);

  // By reading.
  void Read(const FileTask& task);
  Step ReadOpened(Attempt* attempt, bool may_go_cold);
  Step ReadQuick(Attempt* attempt, bool may_go_cold);
  Step ReadSmall(Attempt* attempt, bool may_go_cold);
  Step ReadLarge(Attempt* attempt);
  // Lease and first look. False: the task is done (not a file, a hit after all,
  // an error).
  bool Begin(Attempt* attempt);
  // Second look and result; kRetry if the file changed meanwhile. Closes.
  Step Finish(Attempt* attempt, uint64_t bytes_read, const Digests& digests);
  // The same for a file that lies whole in Buffer().
  Step FinishWhole(Attempt* attempt, uint64_t bytes_read);
  absl::Status LookAgain(Attempt* attempt, uint64_t bytes_read);
  static bool IsUnchanged(const Attempt& attempt);
  Step Give(Attempt* attempt, Outcome outcome, const Digests& digests);
  Step Unstable(Attempt* attempt, const Digests& digests);
  Step FailAttempt(Attempt* attempt, const absl::Status& status);
  void Remember(const Attempt& attempt, FileResult* result);
  bool AnswerByVerity(Attempt* attempt);
  // fs-verity's measurement takes the place of inode and times.
  static Fingerprint VerityFingerprint(absl::string_view measured, uint64_t size_bytes);
  bool HasFineTimes(const Attempt& attempt);
  void CompareAudit(const Attempt& attempt, const Digests& digests);
  void Fail(const FileTask& task, const absl::Status& status);
  void Done(const FileTask& task);

  // Two at a time; worker_pair.cc.
  Step GiveWhole(Attempt* attempt, Outcome outcome, uint64_t size);
  void EndSingle();

  // Asynchronously; worker_cold.cc.
  void StartCold(std::unique_ptr<Attempt> attempt);
  void Continue(ColdFile* file, int result);
  void Opened(ColdFile* file, int result);
  void StartReading(ColdFile* file);
  void ReadOn(ColdFile* file);
  void EndCold(ColdFile* file, Step step);
  bool TakeBuffer(ColdFile* file);
  void GiveBuffer(ColdFile* file);
  AsyncFiles& async();

  HashStream& Stream(AlgorithmSet algorithms);
  uint64_t Random();

  Context& context_;
  Filesystem& filesystem_;
  const WorkerLimits limits_;
  // Made when first needed: a few hits need neither.
  absl::Span<uint8_t> Buffer();
  std::unique_ptr<uint8_t[]> buffer_;
  std::unique_ptr<Single> single_;  // made when first needed
  bool single_waits_ = false;
  std::unique_ptr<char[]> scratch_;
  std::array<std::unique_ptr<HashStream>, 1 << kAlgorithmCount> streams_;
  std::unique_ptr<AsyncFiles> async_;
  bool no_atime_ = true;
  size_t in_flight_ = 0;
  size_t buffer_bytes_ = 0;
  std::deque<ColdFile*> waiting_for_buffer_;
  std::array<std::vector<std::unique_ptr<uint8_t[]>>, 2> free_buffers_;
  uint64_t random_state_;
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_WORKER_H_
