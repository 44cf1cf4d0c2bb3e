// A TreeClient stores, reads, stats and digests many files below one directory:
// by a session `<dir>/.cachefs/batch/NAME` on a cachefs mount, by POSIX calls elsewhere.
//
// Paths:   bytes below the root, '/'-separated. Empty, ".", "..", absolute, NUL,
//          component > 255: InvalidArgument. Links are listed, never followed.
// Batches: result[i] answers item[i]. Items on one path apply in order, others in any.
//          A call sees all that returned before it. Parents are made. Any size.
// Atomic:  a Store is seen whole or not at all, after a crash too. `atomic`: so is the
//          batch; without kAtomicBatch: Unimplemented, nothing done.
// Durable: OK = visible to all. Survives power loss only after kOnReturn or Flush(),
//          which covers every call that returned before Flush() began.
// Errors:  outer status = the session: kBuffered items unknown, reopen and repeat.
//          Item: NotFound, ResourceExhausted (ENOSPC, EDQUOT), PermissionDenied,
//          DataLoss (checksum), FailedPrecondition (wrong type), OutOfRange (larger
//          than bytes_max: open(2) it), Unimplemented (see capabilities()).
// Threads: thread-safe, calls run at once. Sinks run on the calling thread, each index
//          once, any order; views die with the sink call; returning false stops.
#ifndef FS_CLIENT_TREE_CLIENT_H_
#define FS_CLIENT_TREE_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace fs {

enum class Durability { kBuffered, kOnReturn };
enum class DigestKind { kCrc32c, kXxh3, kBlake3, kSha256 };
enum Capability : uint32_t { kAtomicBatch = 1, kTtl = 2, kDigest = 4, kChanges = 8 };

struct WriteOptions {
  Durability durability = Durability::kBuffered;
  bool atomic = false;
};

struct StoreItem {
  absl::string_view path;  // borrowed, as `data`, until Store() returns
  absl::string_view data;
  uint32_t mode = 0644;                           // umask applies, as it was at ForPath()
  absl::Time mtime = absl::InfinitePast();        // = now
  absl::Duration ttl = absl::InfiniteDuration();  // else needs kTtl
  bool keep_if_equal = false;                     // same bytes: inode untouched
};

struct FileStat {
  uint64_t fs_id = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  uint64_t change_version = 0;  // 0 = unknown
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  int64_t btime_ns = 0;  // 0 = unknown
  uint32_t mode = 0;     // type and permissions, as st_mode
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t link_count = 0;
};

struct DirEntry {
  std::string path;  // relative to the root
  FileStat stat;
};

struct Changes {
  std::vector<std::string> paths;
  std::string token;
  bool overflow = false;  // paths are incomplete: rescan, then use `token`
};

template <typename T>
using Sink = absl::FunctionRef<bool(size_t index, absl::StatusOr<T>)>;
using Paths = absl::Span<const absl::string_view>;

// One large file, unseen until Commit(); the destructor abandons it.
//
// Threads: thread-compatible.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual absl::Status Append(absl::string_view data) = 0;  // best >= 1 MiB
  virtual absl::Status Commit(Durability durability) = 0;
};

class TreeClient {
 public:
  // The client for `dir`, which must be an existing directory.
  static absl::StatusOr<std::unique_ptr<TreeClient>> ForPath(absl::string_view dir);

  virtual ~TreeClient() = default;  // does not flush

  virtual uint32_t capabilities() const = 0;
  virtual absl::Status Store(absl::Span<const StoreItem> items, WriteOptions options, Sink<bool> written) = 0;
  virtual absl::Status Remove(Paths paths, WriteOptions options, Sink<bool> existed) = 0;
  virtual absl::Status Rename(absl::string_view from, absl::string_view to) = 0;
  virtual absl::Status Flush() = 0;
  virtual absl::Status Lookup(Paths paths, size_t bytes_max, Sink<absl::string_view> found) = 0;
  virtual absl::Status Stat(Paths paths, Sink<FileStat> found) = 0;
  // Entries of `dir` ("" = the root itself) in an order that is the same for an
  // unchanged tree; parents come before what they hold.
  virtual absl::Status List(absl::string_view dir, bool recursive, Sink<DirEntry> found) = 0;
  virtual absl::Status Digest(Paths paths, DigestKind kind, Sink<absl::string_view> raw) = 0;
  virtual absl::StatusOr<Changes> ChangedSince(absl::string_view token) = 0;
  virtual absl::StatusOr<std::unique_ptr<FileWriter>> Create(absl::string_view path) = 0;
};

}  // namespace fs

#endif  // FS_CLIENT_TREE_CLIENT_H_
