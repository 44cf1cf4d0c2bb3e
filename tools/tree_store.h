// A TreeStore puts files below a directory in batches; large ones as streams,
// links and empty directories as the kernel makes them.
//
// Durable: nothing is promised before Finish(durable) returned OK.
// Bounds:  at most kBatchBytes of data are held.
// Errors:  an item's error is kept, the rest goes on; Finish() returns the first
// Threads: thread-compatible.
#ifndef TOOLS_TREE_STORE_H_
#define TOOLS_TREE_STORE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/os/progress.h"
#include "fs/client/tree_client.h"

namespace tools {

class TreeStore {
 public:
  static constexpr size_t kBatchBytes = size_t{4} << 20;
  static constexpr size_t kBatchItems = 4096;

  struct Entry {
    std::string path;  // below the directory
    uint32_t mode = 0644;
    absl::Time mtime = absl::InfinitePast();
  };

  static absl::StatusOr<std::unique_ptr<TreeStore>> Open(const std::string& directory, base::Progress* progress);

  // A file held in memory; stored with the next batch.
  void Add(Entry entry, std::string data);
  // A file of any size; `read` gives the next bytes, empty at the end.
  void AddStream(const Entry& entry, const std::function<absl::StatusOr<absl::string_view>()>& read);
  void AddDirectory(const Entry& entry);
  void AddSymlink(const Entry& entry, const std::string& target);
  void AddHardLink(const Entry& entry, const std::string& existing);

  absl::Status Finish(bool durable);

  uint64_t files() const { return files_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t failed() const { return failed_; }

 private:
  TreeStore(std::unique_ptr<fs::TreeClient> client, base::Fd directory, base::Progress* progress)
      : client_(std::move(client)), directory_(std::move(directory)), progress_(progress) {}

  struct Pending {
    Entry entry;
    std::string data;
  };
  void Send();
  void Note(const absl::Status& status, absl::string_view path, uint64_t size_bytes);
  // A descriptor of the directory that holds `path`, made if missing, no link followed.
  absl::StatusOr<base::Fd> ParentOf(absl::string_view path);

  const std::unique_ptr<fs::TreeClient> client_;
  const base::Fd directory_;
  base::Progress* const progress_;
  std::deque<Pending> pending_;
  size_t pending_bytes_ = 0;
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  uint64_t failed_ = 0;
  absl::Status first_error_;
};

}  // namespace tools

#endif  // TOOLS_TREE_STORE_H_
