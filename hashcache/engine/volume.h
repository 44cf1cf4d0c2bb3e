// A Volume is one filesystem as a run sees it: its rules, and the store of its files.
//
// Threads: thread-safe.
#ifndef HASHCACHE_ENGINE_VOLUME_H_
#define HASHCACHE_ENGINE_VOLUME_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "hashcache/os/filesystem.h"
#include "hashcache/store/rules.h"
#include "hashcache/store/store.h"

namespace hashcache {

struct VolumeOptions {
  bool use_cache = true;
  std::string cache_directory;
  bool strict = false;
  bool soft_ctime = false;
  bool trust_network = false;
  base::Clock* clock = nullptr;
  Filesystem* filesystem = nullptr;
};

class Volume {
 public:
  // `open_store` may be null and may return null.
  using OpenStore = std::function<std::unique_ptr<Store>()>;
  Volume(FilesystemFacts facts, Judgement judgement, OpenStore open_store, Filesystem& filesystem)
      : facts_(std::move(facts)),
        judgement_(judgement),
        open_store_(std::move(open_store)),
        filesystem_(filesystem) {}

  const FilesystemFacts& facts() const { return facts_; }
  const Judgement& judgement() const { return judgement_; }
  // nullptr: nothing is remembered of this filesystem's files. Opened when first asked
  // for: who only looks for changes needs none.
  Store* store() ABSL_LOCKS_EXCLUDED(mutex_);
  // The same if it is open.
  Store* open_store() const { return store_.load(std::memory_order_acquire); }
  // Probes once, in `directory` (of this filesystem).
  bool HasFineTimes(int directory);

 private:
  const FilesystemFacts facts_;
  const Judgement judgement_;
  const OpenStore open_store_;
  Filesystem& filesystem_;
  std::atomic<Store*> store_{nullptr};
  std::atomic<bool> store_asked_{false};
  std::atomic<int> fine_times_{-1};  // -1 = not probed yet
  base::Mutex mutex_;
  std::unique_ptr<Store> owned_store_ ABSL_GUARDED_BY(mutex_);
};

class Volumes {
 public:
  explicit Volumes(VolumeOptions options) : options_(std::move(options)) {}

  // The volume of `device`, which `fd` lies on; nullptr if it is not known yet
  // and `fd` is negative. Lives as long as this.
  Volume* Find(uint64_t device, int fd) ABSL_LOCKS_EXCLUDED(mutex_);
  // Where fs-verity's measured files are remembered by measurement; may be
  // nullptr.
  Store* verity_store() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Flush() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DropAll() ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<absl::Status> problems() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::unique_ptr<Store> OpenStore(const std::string& id) ABSL_LOCKS_EXCLUDED(problems_mutex_);
  std::vector<Store*> Stores() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const VolumeOptions options_;
  mutable base::Mutex mutex_;
  std::map<uint64_t, std::unique_ptr<Volume>> volumes_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Store> verity_store_ ABSL_GUARDED_BY(mutex_);
  bool verity_opened_ ABSL_GUARDED_BY(mutex_) = false;
  mutable base::Mutex problems_mutex_;
  std::vector<absl::Status> problems_ ABSL_GUARDED_BY(problems_mutex_);
};

}  // namespace hashcache

#endif  // HASHCACHE_ENGINE_VOLUME_H_
