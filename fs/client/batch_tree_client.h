// The TreeClient for a directory on a cachefs mount: batch sessions.
//
// Shape:   a call cuts its items into frames of at most 1 MiB and sends them one
//          after another on a session of its own, taken from a pool; calls at once
//          use several sessions. List() and Create() go through the mount as POSIX.
// Bounds:  at most kSessionsIdleMax sessions are kept open between calls; a call
//          holds one frame.
// Errors:  as TreeClient's
// Threads: thread-safe.
#ifndef FS_CLIENT_BATCH_TREE_CLIENT_H_
#define FS_CLIENT_BATCH_TREE_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "fs/client/batch_session_file.h"
#include "fs/client/tree_client.h"

namespace fs {

class BatchTreeClient final : public TreeClient {
 public:
  static constexpr size_t kSessionsIdleMax = 8;
  using OpenChannel = std::function<absl::StatusOr<std::unique_ptr<BatchChannel>>()>;

  // Asks the daemon what it is capable of. `posix` serves List(), Create() and what
  // needs the mount's own calls.
  static absl::StatusOr<std::unique_ptr<BatchTreeClient>> Create(OpenChannel open, std::unique_ptr<TreeClient> posix);

  uint32_t capabilities() const override { return capabilities_; }
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
  class Session;  // a channel borrowed from the pool

  BatchTreeClient(OpenChannel open, std::unique_ptr<TreeClient> posix, uint32_t capabilities)
      : open_(std::move(open)), posix_(std::move(posix)), capabilities_(capabilities) {}

  absl::StatusOr<std::unique_ptr<BatchChannel>> Take() ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveBack(std::unique_ptr<BatchChannel> channel) ABSL_LOCKS_EXCLUDED(mutex_);
  // Stores one item that does not fit into a frame.
  absl::StatusOr<bool> Upload(Session& session, const StoreItem& item, WriteOptions options);
  // The rest of a file whose first part is in `data`.
  absl::Status LookupRest(Session& session, absl::string_view path, const batch::Result& first, std::string* data);

  const OpenChannel open_;
  const std::unique_ptr<TreeClient> posix_;
  const uint32_t capabilities_;
  base::Mutex mutex_;
  std::vector<std::unique_ptr<BatchChannel>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fs

#endif  // FS_CLIENT_BATCH_TREE_CLIENT_H_
