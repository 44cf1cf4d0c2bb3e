#include "hashcache/engine/volume.h"

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status.h"

namespace hashcache {

Store* Volume::store() {
  if (store_asked_.load(std::memory_order_acquire)) return store_.load(std::memory_order_acquire);
  base::MutexLock lock(&mutex_);
  if (!store_asked_.load(std::memory_order_acquire)) {
    if (open_store_) owned_store_ = open_store_();
    store_.store(owned_store_.get(), std::memory_order_release);
    store_asked_.store(true, std::memory_order_release);
  }
  return store_.load(std::memory_order_acquire);
}

bool Volume::HasFineTimes(int directory) {
  if (!judgement_.traits.maybe_fine_times || !KernelHasFineTimes()) return false;
  int known = fine_times_.load(std::memory_order_relaxed);
  if (known < 0) {
    known = filesystem_.HasFineTimes(directory) ? 1 : 0;
    fine_times_.store(known, std::memory_order_relaxed);
  }
  return known == 1;
}

Volume* Volumes::Find(uint64_t device, int fd) {
  base::MutexLock lock(&mutex_);
  const auto found = volumes_.find(device);
  if (found != volumes_.end()) return found->second.get();
  if (fd < 0) return nullptr;
  const absl::StatusOr<FilesystemFacts> facts = options_.filesystem->Facts(fd, device);
  Judgement judgement;
  judgement.traits = facts.ok() ? TraitsOf(facts->type) : FilesystemTraits{.made_up = true};
  judgement.strict = options_.strict;
  judgement.soft_ctime = options_.soft_ctime;
  judgement.trust_network = options_.trust_network;
  judgement.boot_tag = options_.filesystem->BootTag();
  judgement.clock_offset_ns = options_.clock->NowNs() - options_.filesystem->SinceBootNs();
  const bool remembers =
      facts.ok() && options_.use_cache && (!judgement.traits.made_up || options_.trust_network);
  Volume::OpenStore open_store;
  if (remembers) open_store = [this, id = facts->id] { return OpenStore(id); };
  auto volume = std::make_unique<Volume>(facts.ok() ? *facts : FilesystemFacts{}, judgement, std::move(open_store), *options_.filesystem);
  return volumes_.emplace(device, std::move(volume)).first->second.get();
}

Store* Volumes::verity_store() {
  base::MutexLock lock(&mutex_);
  if (!verity_opened_ && options_.use_cache) verity_store_ = OpenStore("fs-verity");
  verity_opened_ = true;
  return verity_store_.get();
}

std::unique_ptr<Store> Volumes::OpenStore(const std::string& id) {
  StoreOptions options;
  options.directory = base::JoinPath(options_.cache_directory, id);
  options.filesystem_id = id;
  options.clock = options_.clock;
  options.filesystem = options_.filesystem;
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(std::move(options));
  if (!store.ok()) {
    base::MutexLock lock(&problems_mutex_);
    problems_.push_back(base::Annotate(store.status(), "the cache is not used"));
    return nullptr;
  }
  // Left by the run that filled it, which was busy enough.
  if ((*store)->WantsCompaction()) (*store)->Compact().IgnoreError();  // kept as its problem()
  return *std::move(store);
}

std::vector<Store*> Volumes::Stores() const {
  std::vector<Store*> stores;
  for (const auto& [device, volume] : volumes_) {
    if (volume->open_store() != nullptr) stores.push_back(volume->open_store());
  }
  if (verity_store_ != nullptr) stores.push_back(verity_store_.get());
  return stores;
}

absl::Status Volumes::Flush() {
  base::MutexLock lock(&mutex_);
  absl::Status status;
  for (Store* const store : Stores()) status.Update(store->Flush());
  return status;
}

absl::Status Volumes::DropAll() {
  base::MutexLock lock(&mutex_);
  absl::Status status;
  for (Store* const store : Stores()) status.Update(store->Compact(/*drop_all=*/true));
  return status;
}

std::vector<absl::Status> Volumes::problems() const {
  base::MutexLock lock(&mutex_);
  std::vector<absl::Status> all;
  {
    base::MutexLock problems_lock(&problems_mutex_);
    all = problems_;
  }
  for (Store* const store : Stores()) {
    const absl::Status problem = store->problem();
    if (!problem.ok()) all.push_back(problem);
  }
  return all;
}

}  // namespace hashcache
