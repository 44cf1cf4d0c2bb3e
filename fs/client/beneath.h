// Directories below a root, opened without following a link and without leaving it.
//
// A Beneath remembers the directories it has opened or made, for the length of
// one batch: somebody else may rename them afterwards.
// Bounds:  at most kDirectoriesMax descriptors
// Errors:  as TreeStatus()
// Threads: thread-compatible; several may share one root descriptor.
#ifndef FS_CLIENT_BENEATH_H_
#define FS_CLIENT_BENEATH_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"

namespace fs {

class Beneath {
 public:
  static constexpr size_t kDirectoriesMax = 64;

  explicit Beneath(int root) : root_(root) {}  // borrowed

  // A descriptor (O_PATH) of the directory `path`, "" = the root; valid until the next call.
  absl::StatusOr<int> Open(absl::string_view path);
  // As Open(), making what is missing.
  absl::StatusOr<int> OpenOrMake(absl::string_view path);
  // Whether OpenOrMake() has made anything so far.
  bool made_any() const { return made_any_; }

 private:
  // `path` is one or more components below `directory`.
  absl::StatusOr<base::Fd> Resolve(int directory, const std::string& path);
  int Remember(absl::string_view path, base::Fd fd);

  const int root_;
  bool made_any_ = false;
  absl::flat_hash_map<std::string, base::Fd> directories_;
};

// The part before the last '/', "" if there is none; and the part after it.
absl::string_view ParentOf(absl::string_view path);
std::string NameOf(absl::string_view path);

}  // namespace fs

#endif  // FS_CLIENT_BENEATH_H_
