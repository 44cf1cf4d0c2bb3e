// VolumeState: what the parts of a Volume share: locks, the inode table, counters,
// and how a change is built.
//
// Lock order (each may be taken while those above it are held):
//   1. VolumeState::namespace_mutex   names, and the rows of directories: shared to look
//                                     up, exclusive to change
//   2. Inode::mutex()                 other inodes' rows and data, by ascending number;
//                                     may be held while the engine waits for the device
//   3. VolumeState::usage_mutex       counters of use, over Apply() of what changes them
//   4. InodeTable::mutex_, then Inode::row_mutex_ (copying only)
//   5. the engine's
// So reads of attributes and names never wait for a write that waits for the device.
//
// Subtree versions: a directory's row holds a version that is newer than that of any
// change below it which happened after somebody last read a subtree version. Reading
// one opens a new generation; the first change in a generation marks all ancestors, and
// an inode whose mark is the current generation has marked ancestors only.
// Threads: thread-safe.
#ifndef FS_VOLUME_VOLUME_STATE_H_
#define FS_VOLUME_VOLUME_STATE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "base/mutex.h"
#include "fs/cache/engine.h"
#include "fs/format/name_row.h"
#include "fs/format/volume_row.h"
#include "fs/volume/evictor.h"
#include "fs/volume/inode_table.h"
#include "fs/volume/name_hash.h"
#include "fs/volume/types.h"
#include "fs/volume/volume.h"

namespace fs {

constexpr uint64_t kDirectoryRun = 16;  // inode numbers that a new directory takes for itself and its children

class VolumeState {
 public:
  static constexpr int kEpochShift = 44;

  VolumeState(Engine& engine_in, const VolumeOptions& options_in);

  // Reads counters. NotFound if there is no tree.
  absl::Status Load() ABSL_LOCKS_EXCLUDED(namespace_mutex, usage_mutex);

  // --- reading
  absl::StatusOr<absl::optional<uint64_t>> ReadCounter(Counter counter) const;
  Timestamp Now() const { return Timestamp::FromNs(options.clock->NowNs()); }
  Attributes AttributesOf(const Inode& inode);

  // A directory, pinned. ENOTDIR; ENOENT if it was removed.
  absl::StatusOr<InodePin> PinDirectory(InodeNumber number);
  // Any regular file, pinned. EISDIR for directories, EINVAL for the others.
  absl::StatusOr<InodePin> PinFile(InodeNumber number);

  struct FoundName {
    InodeNumber child = 0;  // 0 = there is none
    uint64_t index = 0;
    std::string key;  // of its name row, or of the one that it would get
    bool found() const { return child != 0; }
  };
  absl::StatusOr<FoundName> FindName(InodeNumber directory, absl::string_view name) const;
  // Where (one of) its names stands; parent 0 if it has none.
  absl::StatusOr<Home> HomeOf(Inode& inode);

  // The value of an xattr wherever it is kept; none if there is no such.
  absl::StatusOr<absl::optional<std::string>> FindXattr(const Inode& inode, absl::string_view name) const;

  // None outside policies.
  absl::optional<PolicyRow> PolicyOf(uint32_t policy) ABSL_LOCKS_EXCLUDED(usage_mutex);
  // When a file whose content is of `now` expires; zero = never.
  Timestamp ExpiryFor(uint32_t policy, Timestamp now) ABSL_LOCKS_EXCLUDED(usage_mutex);
  bool IsExpired(const Inode& inode) const;

  // --- changing
  // EROFS unless changes are allowed.
  absl::Status CheckWritable() const;
  // Before locks are taken for a change of rows: waits until the engine would not.
  absl::Status WaitForRoom();
  ChangeVersion NextVersion() { return version.fetch_add(1) + 1; }
  // As FindName(), but a name whose file has expired is removed first, for changes.
  absl::StatusOr<FoundName> FindLiveName(Inode& directory, absl::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(namespace_mutex);
  // A file was made, moved (`name_key`: its name row's key) or read: eviction should know.
  void NoteUse(Inode& inode, absl::string_view name_key = "") ABSL_LOCKS_EXCLUDED(usage_mutex);
  // A name was looked up in a directory of `policy`.
  void CountLookup(uint32_t policy, bool hit) ABSL_LOCKS_EXCLUDED(usage_mutex);
  void NoteSize(const Inode& inode);  // as NoteUse(), of a content that changed
  // After a change failed with `status`: whether room was made and it may be tried again.
  // REQUIRES: no lock is held.
  bool MakeRoom(const absl::Status& status, InodeNumber kept) ABSL_LOCKS_EXCLUDED(namespace_mutex, usage_mutex);
  // Marks the ancestors of a file that is about to change. REQUIRES: no lock is held.
  absl::Status EnsureMarked(Inode& inode) ABSL_LOCKS_EXCLUDED(namespace_mutex);

  Engine& engine;
  const VolumeOptions options;
  NameHash hash;  // constant after Load()
  InodeTable table;

  std::atomic<ChangeVersion> version{0};
  // Every `version` up to this one is surely part of what is in the engine.
  std::atomic<ChangeVersion> version_noted{0};
  // Versions in (lost_after, lost_before) may have been shown and then undone by a crash.
  // Constant after Load().
  ChangeVersion lost_after = 0;
  ChangeVersion lost_before = 0;
  std::atomic<uint64_t> generation{1};
  std::atomic<bool> marked_since_read{false};
  std::atomic<bool> closed{false};

  base::Mutex namespace_mutex;
  uint64_t next_inode ABSL_GUARDED_BY(namespace_mutex) = 0;

  base::Mutex usage_mutex ABSL_ACQUIRED_AFTER(namespace_mutex);
  absl::flat_hash_map<uint32_t, UsageRow> usage ABSL_GUARDED_BY(usage_mutex);
  absl::flat_hash_map<uint32_t, PolicyRow> policies ABSL_GUARDED_BY(usage_mutex);
  uint32_t next_policy ABSL_GUARDED_BY(usage_mutex) = 1;
  absl::flat_hash_map<uint32_t, PolicyCounts> policy_counts ABSL_GUARDED_BY(usage_mutex);

  Evictor evictor;
  std::function<void(const RemovedEntry&)> on_removed;  // set before use; may be null
  std::atomic<uint64_t> evicted_files{0};
  std::atomic<uint64_t> evicted_bytes{0};
  std::atomic<uint64_t> expired_files{0};

 private:
  absl::StatusOr<InodeRow> LoadInodeRow(InodeNumber number) const;
};

// One mutation and the inode rows that it changes; published when it was applied.
// The locks of every inode named are held by the caller from Edit() to Apply(). What
// numbers inodes or marks ancestors needs the namespace exclusively, and asserts it.
//
// Threads: thread-compatible.
class Change {
 public:
  explicit Change(VolumeState& state) : state_(state), now_(state.Now()) {}

  Mutation& mutation() { return mutation_; }
  // The time of this change, for new inodes; existing ones get at least their own next.
  Timestamp now() const { return now_; }

  // A copy of the row to alter; written back by Apply(), with a new change time and
  // version. The reference lives as long as the Change.
  InodeRow& Edit(Inode& inode);
  // As Edit() for a change of the content: sets the time of modification as well.
  InodeRow& EditContent(Inode& inode);
  // As Edit(), but leaves times and version alone.
  InodeRow& EditQuietly(Inode& inode);
  // A new inode; its times and versions are set here.
  InodePin Create(InodeNumber number, InodeRow row);
  // The inode goes, with its xattrs and data. REQUIRES: it has no names in the engine
  // after this change.
  absl::Status Remove(Inode& inode);

  // A number for a child, from the run that its parent keeps.
  InodeNumber AllocateInode(InodeRow& parent_row);
  // The first of `count` numbers that nobody else gets. A directory takes the first of
  // its own run, so that its rows lie right before its children's.
  InodeNumber AllocateRun(uint64_t count);

  void AddName(Inode& parent, const std::string& name_key, absl::string_view name, InodeNumber child,
               const InodeRow& child_row, uint64_t index);
  void DropName(Inode& parent, const std::string& name_key, InodeNumber child, uint64_t index);
  void SetOrphan(InodeNumber inode) { mutation_.Put(OrphanKey(inode), ""); }

  void AddUsage(uint32_t policy, int64_t files, int64_t bytes);
  // The inode counts under another policy from now on.
  void MovePolicy(InodeNumber inode, InodeRow& row, uint32_t policy);
  // What is there already moves under a policy whatever its quota says.
  void set_ignores_quota() { ignores_quota_ = true; }
  void SetExpiry(InodeNumber inode, InodeRow& row, Timestamp expiry);

  // Publish() marks `inode`, whose ancestors are marked.
  void Mark(InodePin inode) { marked_.push_back(std::move(inode)); }
  // Marks `directory` and its ancestors as changed below.
  absl::Status MarkUp(Inode& directory);

  absl::Status Apply() ABSL_LOCKS_EXCLUDED(state_.usage_mutex);

 private:
  struct Edited {
    Inode* inode;
    InodeRow row;
  };
  struct UsageDelta {
    uint32_t policy;
    int64_t files;
    int64_t bytes;
  };

  void PutRows();
  void NoteVersion();
  absl::StatusOr<Sequence> ApplyWithUsage() ABSL_LOCKS_EXCLUDED(state_.usage_mutex);
  void Publish(Sequence sequence);

  VolumeState& state_;
  const Timestamp now_;
  Mutation mutation_;
  std::deque<Edited> edited_;  // references stay good while it grows
  absl::InlinedVector<Inode*, 2> removed_;
  absl::InlinedVector<UsageDelta, 2> usage_;
  absl::InlinedVector<InodePin, 4> marked_;
  uint64_t next_inode_ = 0;  // 0 = as it was
  uint32_t dropped_policy_ = kNoPolicy;
  bool ignores_quota_ = false;
};

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

// Holds the locks of up to two inodes, taken by ascending number.
class InodeLocks {
 public:
  explicit InodeLocks(Inode& one) : InodeLocks(&one, nullptr) {}
  InodeLocks(Inode* one, Inode* two) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  ~InodeLocks() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  InodeLocks(const InodeLocks&) = delete;
  InodeLocks& operator=(const InodeLocks&) = delete;

 private:
  base::Mutex* first_;
  base::Mutex* second_;
};

// Runs `build`, which ends with Apply(), under the locks that a change of `inode` alone
// needs: the namespace for a directory, its own lock for anything else; its ancestors
// are marked as changed below.
absl::Status ChangeInode(VolumeState& state, Inode& inode, absl::FunctionRef<absl::Status(Change&)> build)
    ABSL_LOCKS_EXCLUDED(state.namespace_mutex);

// Runs `change` until it succeeds or no more room can be made for it by eviction.
// REQUIRES: no lock is held.
template <typename Function>
auto WithRoom(VolumeState& state, InodeNumber kept, Function change) {
  auto result = change();
  while (!result.ok() && state.MakeRoom(GetStatus(result), kept)) result = change();
  return result;
}

// ENAMETOOLONG, EINVAL or ENOENT for what cannot be a name.
absl::Status CheckEntryName(absl::string_view name);
// The status of an errno: `what` and the inode it is about.
absl::Status InodeError(int error_number, absl::string_view what, InodeNumber inode);

}  // namespace fs

#endif  // FS_VOLUME_VOLUME_STATE_H_
