// The life of a volume: format, open, commit, close; references and orphans.
#include "fs/volume/volume.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/volume_state.h"

namespace fs {
namespace {

// What one more file takes at least: its rows.
constexpr uint64_t kRowBytesPerFile = 512;

absl::StatusOr<std::vector<InodeNumber>> ListOrphans(Engine& engine) {
  std::vector<InodeNumber> orphans;
  RETURN_IF_ERROR(engine.Scan(RowKey(0, RowType::kOrphan), RowEnd(0, RowType::kOrphan),
                              [&](absl::string_view key, absl::string_view) {
                                if (KeySuffix(key).size() == 8) {
                                  orphans.push_back(base::LoadBig<uint64_t>(KeySuffix(key).data()));
                                }
                                return true;
                              }));
  return orphans;
}

// Removes an inode that nobody holds but `inode`'s pin; leaves all others alone.
absl::Status RemoveIfUnheld(VolumeState& state, Inode& inode) {
  RETURN_IF_ERROR(state.WaitForRoom());
  base::MutexLock lock(&state.namespace_mutex);
  const InodeLocks locks(inode);
  if (inode.removed || !state.table.IsHeldOnlyHere(inode)) return absl::OkStatus();
  if (inode.WithRow([](const InodeRow& row) { return row.link_count; }) > 0) return absl::OkStatus();
  Change change(state);
  RETURN_IF_ERROR(change.Remove(inode));
  return base::Annotate(change.Apply(), absl::StrCat("removing orphaned inode ", inode.number()));
}

}  // namespace

Volume::Volume(std::unique_ptr<VolumeState> state) : state_(std::move(state)) {}
Volume::~Volume() = default;

absl::Status Volume::Format(Engine& engine, base::Clock& clock, uint64_t hash_key_low, uint64_t hash_key_high) {
  ASSIGN_OR_RETURN(const bool found, engine.Get(CounterKey(Counter::kNextInode), nullptr));
  if (found) return absl::FailedPreconditionError("the volume holds a tree already");
  InodeRow root;
  root.mode = S_IFDIR | 0755;
  root.link_count = 2;
  root.change_time = root.modify_time = root.access_time = root.birth_time = Timestamp::FromNs(clock.NowNs());
  root.version = root.data_version = root.subtree_version = engine.mount_epoch() << VolumeState::kEpochShift;
  root.next_index = kFirstIndex;
  root.run_next = kRootInode + 1;
  root.run_end = kRootInode + kDirectoryRun;
  Mutation mutation;
  mutation.Put(RowKey(kRootInode, RowType::kInode), root.Encode());
  mutation.Put(CounterKey(Counter::kNextInode), EncodeCounter(root.run_end));
  mutation.Put(CounterKey(Counter::kHashKeyLow), EncodeCounter(hash_key_low));
  mutation.Put(CounterKey(Counter::kHashKeyHigh), EncodeCounter(hash_key_high));
  mutation.Put(UsageKey(kNoPolicy), UsageRow{.files = 1}.Encode());
  ASSIGN_OR_RETURN(const Sequence sequence, engine.Apply(mutation));
  return engine.Commit(sequence, Priority::kForeground);
}

absl::StatusOr<std::unique_ptr<Volume>> Volume::Open(Engine& engine, const VolumeOptions& options) {
  auto state = std::make_unique<VolumeState>(engine, options);
  RETURN_IF_ERROR(state->Load());
  RETURN_IF_ERROR(state->PinDirectory(kRootInode).status());
  if (state->CheckWritable().ok()) {
    Mutation mutation;
    mutation.Delete(CounterKey(Counter::kCleanEnd));
    mutation.Put(CounterKey(Counter::kVersion), EncodeCounter(state->version_noted));
    mutation.Put(CounterKey(Counter::kLostAfter), EncodeCounter(state->lost_after));
    mutation.Put(CounterKey(Counter::kLostBefore), EncodeCounter(state->lost_before));
    RETURN_IF_ERROR(engine.Apply(mutation).status());
    ASSIGN_OR_RETURN(const std::vector<InodeNumber> orphans, ListOrphans(engine));
    for (const InodeNumber number : orphans) {
      ASSIGN_OR_RETURN(const InodePin pin, state->table.Pin(number));
      RETURN_IF_ERROR(RemoveIfUnheld(*state, *pin));
    }
  }
  return std::unique_ptr<Volume>(new Volume(std::move(state)));
}

absl::Status Volume::Fsync(InodeNumber inode, Priority priority) {
  base::Notification committed;
  absl::Status result;
  FsyncAsync(inode, priority, [&](absl::Status status) {
    result = std::move(status);
    committed.Notify();
  });
  committed.Wait();
  return result;
}

void Volume::FsyncAsync(InodeNumber inode, Priority priority, std::function<void(absl::Status)> done) {
  if (inode == kRootInode) return SyncAsync(priority, std::move(done));
  absl::StatusOr<InodePin> pin = state_->table.Pin(inode);
  if (!pin.ok()) return done(pin.status());
  // An inode that was forgotten and loaded again does not know its last change.
  const Sequence known = (*pin)->last_sequence;
  const Sequence sequence = known != 0 ? known : state_->table.forgotten_sequence();
  if (sequence == 0) return done(absl::OkStatus());
  state_->engine.CommitAsync(sequence, priority, std::move(done));
}

absl::Status Volume::Sync(Priority priority) { return state_->engine.Commit(state_->engine.last_sequence(), priority); }

void Volume::SyncAsync(Priority priority, std::function<void(absl::Status)> done) {
  state_->engine.CommitAsync(state_->engine.last_sequence(), priority, std::move(done));
}

bool Volume::WriteWouldWait(InodeNumber inode, uint64_t offset, uint64_t length) {
  return state_->engine.WouldWait(inode, offset, length) || ChangeWouldWait(inode);
}

bool Volume::ChangeWouldWait() { return state_->engine.WouldWait(0, 0, 0); }

bool Volume::ChangeWouldWait(InodeNumber inode) {
  if (ChangeWouldWait()) return true;
  const absl::StatusOr<InodePin> pin = state_->table.Pin(inode);
  if (!pin.ok()) return false;  // the call itself will say why
  base::Mutex& mutex = (*pin)->mutex();
  if (!mutex.TryLock()) return true;
  mutex.Unlock();
  return false;
}

bool Volume::IsReferenced(InodeNumber inode) const { return state_->table.IsReferenced(inode); }

bool Volume::Forget(InodeNumber inode, uint64_t count) { return state_->table.Forget(inode, count); }

absl::Status Volume::RemoveOrphans() {
  if (!state_->CheckWritable().ok()) return absl::OkStatus();  // the next mount removes them
  while (true) {
    absl::StatusOr<absl::optional<InodePin>> next = state_->table.NextOrphan();
    if (!next.ok()) {
      if (base::ErrnoOf(next.status()) == ESTALE) continue;
      return next.status();
    }
    if (!next->has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(RemoveIfUnheld(*state_, ***next));
  }
}

absl::StatusOr<VolumeStat> Volume::Stat() {
  const SpaceUsage space = state_->engine.space();
  VolumeStat out;
  out.total_bytes = space.total_bytes;
  out.free_bytes = space.free_bytes;
  out.available_bytes = space.available_bytes;
  out.files_free = space.available_bytes / kRowBytesPerFile;
  base::MutexLock lock(&state_->usage_mutex);
  for (const auto& [policy, usage] : state_->usage) out.files += usage.files;
  return out;
}

bool Volume::read_only() const { return !state_->CheckWritable().ok(); }

absl::Status Volume::Close() {
  if (!state_->CheckWritable().ok()) return absl::OkStatus();
  RETURN_IF_ERROR(RemoveOrphans());
  // Nothing is in flight: whoever closes has stopped asking.
  state_->closed = true;
  Mutation mutation;
  mutation.set_frees_space();
  mutation.Put(CounterKey(Counter::kCleanEnd), EncodeCounter(state_->version));
  ASSIGN_OR_RETURN(const Sequence sequence, state_->engine.Apply(mutation));
  return state_->engine.Commit(sequence, Priority::kForeground);
}

size_t Volume::cached_inode_count() const { return state_->table.size(); }

}  // namespace fs
