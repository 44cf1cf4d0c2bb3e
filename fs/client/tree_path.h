// The paths a TreeClient takes, and how errno becomes one of its errors.
//
// Threads: no state.
#ifndef FS_CLIENT_TREE_PATH_H_
#define FS_CLIENT_TREE_PATH_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fs {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kPathBytesMax = 4095;

// Errors: InvalidArgument  empty, absolute, "." or "..", "//", NUL, too long; says which
absl::Status ValidateTreePath(absl::string_view path);

// The contract's status for `error_number` at `path`; `what` is a verb.
absl::Status TreeStatus(int error_number, absl::string_view what, absl::string_view path);

}  // namespace fs

#endif  // FS_CLIENT_TREE_PATH_H_
