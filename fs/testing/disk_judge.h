// A DiskJudge says what a disk shows: mounts a copy of it, reads every name, attribute and byte, and lets fsck look at
// it, file data included.
//
// Shape:   a mount is a function of what the disk holds, so each content is judged once and remembered; power cuts in
//          runs that begin alike leave the same disks again and again.
// Bounds:  some 50 bytes for each content, and each verdict once.
// Threads: thread-compatible.
#ifndef FS_TESTING_DISK_JUDGE_H_
#define FS_TESTING_DISK_JUDGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/testing/proof_store.h"
#include "fs/testing/tree_dump.h"

namespace fs::testing {

struct Verdict {
  absl::Status mounted;  // why the volume could not be mounted
  PartialDump dump;      // what it showed, if it could
  std::string tree;      // the same as text, if no path gave an error
  bool cut = false;      // the mount said that it cut the newest commit off
  // The first path's, or the mount's; what a user sees of damage.
  const absl::Status& shown() const;
  // What fsck says of the disk as it is: DataLoss with all its findings, but for those that the next mount puts right
  // by itself; and of the mounted tree.
  absl::Status fsck;
};

Verdict JudgeDisk(const DiskImage& image, const ProofStoreOptions& options);

class DiskJudge {
 public:
  explicit DiskJudge(const ProofStoreOptions& options) : options_(options) {}

  // Valid as long as the judge.
  const Verdict& Judge(const DiskImage& image);

  uint64_t disks() const { return by_content_.size(); }  // distinct ones
  size_t verdicts() const { return by_text_.size(); }

 private:
  struct HashDigest {
    size_t operator()(const DiskImage::Digest& digest) const { return static_cast<size_t>(digest.low); }
  };

  const ProofStoreOptions options_;
  std::unordered_map<DiskImage::Digest, const Verdict*, HashDigest> by_content_;
  std::unordered_map<std::string, std::unique_ptr<const Verdict>> by_text_;
};

}  // namespace fs::testing

#endif  // FS_TESTING_DISK_JUDGE_H_
