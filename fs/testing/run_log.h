// A RunLog is what a run on a recorded disk was promised: every tree it went through, when
// it began and from when on it was acknowledged.
//
// Shape:   tree 0 is what the run found; tree k is what its k-th call left. A position is a
//          count of disk events (SimDevice::position()).
// Threads: thread-compatible.
#ifndef FS_TESTING_RUN_LOG_H_
#define FS_TESTING_RUN_LOG_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fs/testing/workload.h"
#include "fs/volume/volume.h"

namespace fs::testing {

class RunLog {
 public:
  // `position` is asked whenever something begins or is promised. `reading` hears true before
  // the tree is read and false afterwards; it may be null.
  explicit RunLog(std::function<size_t()> position, std::function<void(bool)> reading = nullptr)
      : position_(std::move(position)), reading_(std::move(reading)) {}

  // From now on trees are taken from `trees`, another run's, by number, and not read: for disks that
  // cannot be trusted. `trees` must outlive the log.
  void set_reference(const std::vector<std::string>* trees) { reference_ = trees; }

  // The tree that the run found; it is promised from the start.
  absl::Status Found(Volume& volume);
  // Applies `op`, taking down every call's tree; the error of either.
  absl::Status Apply(Volume& volume, const Op& op);
  // The same on a disk that may fail: the op's error goes to `failed`, for a call that failed
  // promises nothing; what is returned is that of reading the tree.
  absl::Status Apply(Volume& volume, const Op& op, absl::Status* failed);
  // As after a Sync() that succeeded.
  void PromiseEverything() { promises_.emplace_back(position_(), trees_.size() - 1); }

  // The trees that a power cut at `position` may leave: first and last, both included.
  std::pair<size_t, size_t> Allowed(size_t position) const;
  // Whether `tree` is one of the trees [first, last].
  bool Contains(const std::string& tree, std::pair<size_t, size_t> range) const;
  // Position and tree.
  const std::pair<size_t, size_t>& last_promise() const { return promises_.back(); }
  const std::vector<std::string>& trees() const { return trees_; }

 private:
  absl::Status Read(Volume& volume, std::string* tree) const;
  absl::Status Note(Volume& volume, size_t began, const Call& call, const absl::Status& status);

  std::function<size_t()> position_;
  std::function<void(bool)> reading_;
  const std::vector<std::string>* reference_ = nullptr;
  uint64_t serial_ = 0;
  std::vector<std::string> trees_;
  std::vector<size_t> began_;                        // beside trees_
  std::vector<std::pair<size_t, size_t>> promises_;  // position, tree
  std::map<InodeNumber, size_t> last_change_;        // the tree that each inode's last change left
};

}  // namespace fs::testing

#endif  // FS_TESTING_RUN_LOG_H_
