// A Volume is a POSIX filesystem without a kernel: names, inodes, attributes, data.
//
// Names:   1..255 bytes without '/' and NUL; "." and ".." are answered by Lookup() and
//          ReadDir() only. Inode numbers are stable and never used again.
// Changes: each call is one Mutation of the engine: seen whole or not at all, after a
//          crash too, in the order of the calls. Times are in nanoseconds; the
//          change time of an inode strictly increases.
// Life:    whoever got an inode with Reference::kTake holds it until Forget(). An inode
//          without names lives on as an orphan until nobody holds it; then
//          RemoveOrphans() ends it. Open() ends those that a crash left behind.
// Durable: after Fsync(inode), Sync() or CommitAsync() succeeded.
// Access:  is the caller's business (the kernel's default_permissions), or ask the
//          Check...() calls first. Only what the kernel cannot know is refused here.
// Errors:  every status that stands for an errno carries it (base::ErrnoOf), but for
//          plain ENOENT, which is a bare NotFound.
//          DataLoss            a row or a checksum is wrong: EIO
//          ResourceExhausted   ENOSPC, EDQUOT, EMLINK; nothing has changed
//          FailedPrecondition  EROFS after a failure of the engine or by choice, ENOTEMPTY, ...
//          other               the engine's error, with inode and name added
// Threads: thread-safe. Lock order: namespace, inodes by number, usage, table (volume_state.h).
// Source:  fs/format/FORMAT.md, "Rows".
//
// Example:
//   RETURN_IF_ERROR(Volume::Format(engine, Timestamp::Now(clock)));
//   ASSIGN_OR_RETURN(std::unique_ptr<Volume> volume, Volume::Open(engine, {}));
//   ASSIGN_OR_RETURN(const Attributes file, volume->MakeNode(kRootInode, "a", {.mode = 0644}, credentials));
//   RETURN_IF_ERROR(volume->Write(file.inode, 0, "hello"));
//   RETURN_IF_ERROR(volume->Fsync(file.inode));
#ifndef FS_VOLUME_VOLUME_H_
#define FS_VOLUME_VOLUME_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "fs/cache/engine.h"
#include "fs/format/volume_row.h"
#include "fs/volume/digest.h"
#include "fs/volume/types.h"

namespace fs {

class VolumeState;

struct VolumeOptions {
  base::Clock* clock = &base::Clock::Real();
  bool read_only = false;
  // Fewer make names collide, for tests; the same for the whole life of a volume.
  int name_hash_bits = 64;
};

struct VolumeRead {
  InodeNumber inode;
  uint64_t offset;
  absl::Span<uint8_t> out;
};

// What StoreFiles() puts under a name: bytes, an upload, a file that moves here, or nothing any more.
struct FileToStore {
  InodeNumber directory = 0;
  absl::string_view name;
  absl::string_view data;
  InodeNumber upload = 0;  // instead of `data`: a file of MakeTemporary() that has no name yet
  uint32_t mode = 0644;    // before the umask
  Timestamp modify_time;   // {} = now
  Timestamp expiry_time;   // {} = as the directory's policy says
  uint64_t ttl_ms = 0;     // instead, from the moment it is stored; 0 = as above
  InodeNumber from_directory = 0;  // instead of `data`: what has `from_name` there, no directory
  absl::string_view from_name;
  bool remove = false;  // instead: whatever has the name goes, no directory; nothing may have it
};

struct StoredFile {
  InodeNumber inode = 0;     // 0 = removed
  InodeNumber replaced = 0;  // what had the name, 0 = nothing
};

// A name that went without having been asked for.
struct RemovedEntry {
  enum class Reason : uint8_t { kEvicted, kExpired };
  InodeNumber directory = 0;
  absl::string_view name;
  InodeNumber inode = 0;
  uint64_t size_bytes = 0;
  Reason reason = Reason::kEvicted;
};

// Of the lookups of names in directories of a policy, and of what had to go; since the volume was opened.
struct PolicyCounts {
  uint64_t lookups = 0;
  uint64_t hits = 0;
  uint64_t evicted_files = 0;
  uint64_t evicted_bytes = 0;
};

// What a policy allows and uses.
struct PolicyUse {
  uint32_t id = 0;
  PolicyRow policy;
  uint64_t files = 0;
  uint64_t bytes = 0;
  PolicyCounts counts;
};

// Since the volume was opened.
struct CacheCounts {
  uint64_t evicted_files = 0;
  uint64_t evicted_bytes = 0;
  uint64_t expired_files = 0;
};

struct TreeChanges {
  // Files whose content or attributes changed, and directories whose names or attributes
  // did, relative to the directory asked ("." is itself). What was removed shows as its
  // directory; what was moved in shows itself, not what lies below it.
  std::vector<std::string> paths;
  std::string token;    // for the next time
  bool rescan = false;  // the token does not say enough, or there are too many: look at all
};

class Volume {
 public:
  // Makes an empty tree: a root directory of mode 0755 that root (0:0) owns.
  // FailedPrecondition if there is a tree already.
  static absl::Status Format(Engine& engine, base::Clock& clock, uint64_t hash_key_low, uint64_t hash_key_high);
  // Removes what is orphaned. `engine` must outlive the volume.
  static absl::StatusOr<std::unique_ptr<Volume>> Open(Engine& engine, const VolumeOptions& options);
  ~Volume();  // does not commit
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  // --- names. All that return Attributes take a reference if asked to.
  absl::StatusOr<Attributes> Lookup(InodeNumber directory, absl::string_view name,
                                    Reference reference = Reference::kTake);
  // Files, devices, fifos, sockets; MakeDirectory() for directories.
  absl::StatusOr<Attributes> MakeNode(InodeNumber directory, absl::string_view name, const NewNode& node,
                                      const Credentials& credentials, Reference reference = Reference::kTake);
  absl::StatusOr<Attributes> MakeDirectory(InodeNumber directory, absl::string_view name, uint32_t mode,
                                           const Credentials& credentials, Reference reference = Reference::kTake);
  absl::StatusOr<Attributes> MakeSymlink(InodeNumber directory, absl::string_view name, absl::string_view target,
                                         const Credentials& credentials, Reference reference = Reference::kTake);
  // A file without a name (O_TMPFILE), as an orphan; Link() may name it.
  absl::StatusOr<Attributes> MakeTemporary(InodeNumber directory, uint32_t mode, const Credentials& credentials,
                                           Reference reference = Reference::kTake);
  // Each file appears, whole, in place of what had its name: one mutation for all.
  // EISDIR if a name is a directory's, EEXIST if a name comes twice, ENOENT if what is to move
  // is not there.
  absl::StatusOr<std::vector<StoredFile>> StoreFiles(absl::Span<const FileToStore> files,
                                                     const Credentials& credentials);
  absl::StatusOr<std::string> ReadSymlink(InodeNumber inode);
  absl::StatusOr<Attributes> Link(InodeNumber inode, InodeNumber directory, absl::string_view name,
                                  Reference reference = Reference::kTake);
  absl::Status Unlink(InodeNumber directory, absl::string_view name);
  absl::Status RemoveDirectory(InodeNumber directory, absl::string_view name);
  absl::Status Rename(InodeNumber from_directory, absl::string_view from, InodeNumber to_directory,
                      absl::string_view to, const RenameOptions& options, const Credentials& credentials);
  // Entries after `after_cookie` in the order of creation, until `visit`
  // returns false; an entry that `visit` refused is not held. Entries that come
  // and go meanwhile may be seen or not, all others exactly once. `visit` runs
  // without locks.
  absl::Status ReadDir(InodeNumber directory, const ReadDirOptions& options,
                       absl::FunctionRef<bool(const DirectoryEntry&)> visit);
  // What a caller that holds references may do with a listing that it has kept, as long as it hears
  // of every change: to be renewed if it has let go of the entries, so that it gets their attributes
  // with the names; not to be kept if names go by themselves.
  absl::StatusOr<Listing> CheckListing(InodeNumber directory);
  // The directory that holds this one; the root's is the root.
  absl::StatusOr<InodeNumber> Parent(InodeNumber directory);
  // "a/b", where it (or one of its names) is now; "" for the root. NotFound without a name.
  absl::StatusOr<std::string> PathOf(InodeNumber inode);

  // --- attributes
  absl::StatusOr<Attributes> GetAttributes(InodeNumber inode);
  absl::StatusOr<Attributes> SetAttributes(InodeNumber inode, const AttributeChange& change);

  // --- extended attributes: user., trusted., security.,
  // system.posix_acl_{access,default}
  absl::StatusOr<std::string> GetXattr(InodeNumber inode, absl::string_view name);
  absl::Status SetXattr(InodeNumber inode, absl::string_view name, absl::string_view value,
                        const XattrOptions& options = {});
  absl::Status RemoveXattr(InodeNumber inode, absl::string_view name);
  // Names, each ended by a NUL; trusted ones only for the privileged.
  absl::StatusOr<std::string> ListXattrs(InodeNumber inode, bool privileged);

  // --- digests and changes
  // The raw digest of what the file holds so far. Computed by reading, once for each
  // content, then kept; a file that writers never leave alone makes them wait.
  absl::StatusOr<std::string> Digest(InodeNumber inode, DigestType type);
  // Whether Digest() has to read.
  bool DigestWouldRead(InodeNumber inode, DigestType type);
  // Newer than what it was when last asked if and only if `inode` or anything below it
  // has changed since.
  absl::StatusOr<ChangeVersion> SubtreeVersion(InodeNumber inode);
  // What changed below `directory` since the call that gave `token`.
  absl::StatusOr<TreeChanges> ChangedSince(InodeNumber directory, absl::string_view token, size_t paths_max);

  // --- data of regular files
  // Fills `out` up to the end of the file; returns the number of bytes.
  absl::StatusOr<size_t> Read(InodeNumber inode, uint64_t offset, absl::Span<uint8_t> out);
  // Only from memory: false, with `out` in an undefined state, if the device is
  // needed.
  absl::StatusOr<bool> TryRead(InodeNumber inode, uint64_t offset, absl::Span<uint8_t> out, size_t* size);
  // All at once, merged; `done` gets each index once, on this thread, without
  // locks.
  void ReadBatch(absl::Span<const VolumeRead> reads,
                 absl::FunctionRef<void(size_t index, absl::StatusOr<size_t> size)> done);
  absl::Status Write(InodeNumber inode, uint64_t offset, absl::string_view bytes,
                     const VolumeWriteOptions& options = {});
  // Writes at the end; returns the offset the bytes went to.
  absl::StatusOr<uint64_t> Append(InodeNumber inode, absl::string_view bytes, const VolumeWriteOptions& options = {});
  absl::Status Fallocate(InodeNumber inode, FallocateMode mode, uint64_t offset, uint64_t length,
                         const VolumeWriteOptions& options = {});
  // Copies up to `length` bytes; returns how many (less at the source's end).
  // Overlapping ranges of one file: InvalidArgument.
  absl::StatusOr<uint64_t> CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to, uint64_t to_offset,
                                     uint64_t length, const VolumeWriteOptions& options = {});
  // The next data (or, with `hole`, the next hole; the end of the file is one).
  // ENXIO past the end.
  absl::StatusOr<uint64_t> Seek(InodeNumber inode, uint64_t offset, bool hole);

  // --- waiting. A dispatcher that must not wait asks first and hands over if
  // true. The answer is a hint: the call itself is right in any case.
  bool WriteWouldWait(InodeNumber inode, uint64_t offset, uint64_t length);
  bool ChangeWouldWait();                   // any change of names
  bool ChangeWouldWait(InodeNumber inode);  // attributes or names of `inode`

  // --- durability
  absl::Status Fsync(InodeNumber inode, Priority priority = Priority::kSync);
  // `done` is called once, perhaps before this returns, on a thread that holds
  // no lock.
  void FsyncAsync(InodeNumber inode, Priority priority, std::function<void(absl::Status)> done);
  absl::Status Sync(Priority priority = Priority::kSync);
  void SyncAsync(Priority priority, std::function<void(absl::Status)> done);

  // --- references
  // Gives back `count` references. True: an orphan can be removed now; call
  // RemoveOrphans() soon, on a thread that may wait.
  bool Forget(InodeNumber inode, uint64_t count);
  // Whether somebody holds references to `inode`, i.e. the kernel may have cached it.
  bool IsReferenced(InodeNumber inode) const;
  // Removes what nobody can reach any more.
  absl::Status RemoveOrphans();

  // --- bounded caches: policies are set by xattrs of directories (policy.h)
  // Told, without locks, of names that eviction and expiry remove; before first use.
  void set_removal_listener(std::function<void(const RemovedEntry&)> listener);
  // {} = never. After that moment the file is found by no name.
  absl::Status SetExpiry(InodeNumber inode, Timestamp expiry);
  // Removes up to `files_max` expired files; how many. Call it now and then.
  absl::StatusOr<size_t> RemoveExpired(size_t files_max);
  // Evicts until every policy is within its quota (after one was lowered).
  absl::Status EnforceQuotas();
  std::vector<PolicyUse> Policies();
  CacheCounts cache_counts() const;

  // --- access, as Linux would decide it (for callers that no kernel has
  // checked) `mask` of R_OK, W_OK, X_OK: modes, ACLs, groups. PermissionDenied
  // (EACCES).
  absl::Status CheckAccess(const Credentials& credentials, InodeNumber inode, int mask);
  // Write and search permission on the directory, and its sticky bit against
  // `child`'s owner.
  absl::Status CheckRemove(const Credentials& credentials, InodeNumber directory, InodeNumber child);
  // Whether `change` is the caller's to make (EPERM, EACCES).
  absl::Status CheckSetAttributes(const Credentials& credentials, InodeNumber inode, const AttributeChange& change);

  // --- the whole
  absl::StatusOr<VolumeStat> Stat();
  bool read_only() const;
  // Commits everything and notes a clean end. The engine stays open; further
  // changes fail.
  absl::Status Close();
  // Inodes held in memory, for statistics and tests.
  size_t cached_inode_count() const;

 private:
  explicit Volume(std::unique_ptr<VolumeState> state);
  // One field of the policy of `directory`; no value = back to the default.
  absl::Status SetPolicy(InodeNumber directory, absl::string_view field, absl::optional<absl::string_view> value);

  const std::unique_ptr<VolumeState> state_;
};

}  // namespace fs

#endif  // FS_VOLUME_VOLUME_H_
