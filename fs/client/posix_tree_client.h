// The TreeClient for any directory: temporary file and rename, directories
// remembered for the length of a batch, bounded parallelism.
//
// Durable: kOnReturn syncs each file before its rename and each directory once at
//          the end. Flush() is syncfs(2), or, where that reaches no disk (FUSE), an
//          fsync of every file and directory changed since the last one.
// Bounds:  a Lookup holds at most kWindow small files in memory
// Errors:  as TreeClient's; capabilities() is 0
// Threads: thread-safe.
#ifndef FS_CLIENT_POSIX_TREE_CLIENT_H_
#define FS_CLIENT_POSIX_TREE_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "base/os/file.h"
#include "fs/client/beneath.h"
#include "fs/client/tree_client.h"

namespace fs {

class PosixTreeClient final : public TreeClient {
 public:
  static constexpr size_t kWindow = 64;

  static absl::StatusOr<std::unique_ptr<PosixTreeClient>> Open(const std::string& directory);

  uint32_t capabilities() const override { return 0; }
  absl::Status Store(absl::Span<const StoreItem> items, WriteOptions options, Sink<bool> written) override;
  absl::Status Remove(Paths paths, WriteOptions options, Sink<bool> existed) override;
  absl::Status Rename(absl::string_view from, absl::string_view to) override;
  absl::Status Flush() override;
  absl::Status Lookup(Paths paths, size_t bytes_max, Sink<absl::string_view> found) override;
  absl::Status Stat(Paths paths, Sink<FileStat> found) override;
  absl::Status List(absl::string_view dir, bool recursive, Sink<DirEntry> found) override;
  absl::Status Digest(Paths paths, DigestKind kind, Sink<absl::string_view> raw) override;
  absl::StatusOr<Changes> ChangedSince(absl::string_view token) override;
  absl::StatusOr<std::unique_ptr<FileWriter>> Create(absl::string_view path) override;

 private:
  friend class PosixFileWriter;
  PosixTreeClient(base::Fd root, bool syncfs_is_enough)
      : root_(std::move(root)), syncfs_is_enough_(syncfs_is_enough) {}

  // Calls work(beneath, index) for all of `count`, those of one path in order and
  // on one thread; then `answer` for each on this thread.
  template <typename T, typename PathOf, typename Work>
  void RunSharded(size_t count, const PathOf& path_of, const Work& work, Sink<T> answer);

  absl::StatusOr<bool> StoreOne(Beneath& beneath, const StoreItem& item, Durability durability);
  absl::StatusOr<bool> RemoveOne(Beneath& beneath, absl::string_view path);
  void NoteChanged(absl::string_view path) ABSL_LOCKS_EXCLUDED(mutex_);
  // fsync of the parents of `paths`, and theirs up to the root.
  absl::Status SyncDirectories(const std::vector<std::string>& paths);

  const base::Fd root_;
  const bool syncfs_is_enough_;
  base::Mutex mutex_;
  // Changed since the last Flush(); only kept where syncfs is not enough.
  absl::flat_hash_set<std::string> unsynced_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_CLIENT_POSIX_TREE_CLIENT_H_
