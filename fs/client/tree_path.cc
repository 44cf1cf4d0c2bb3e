#include "fs/client/tree_path.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "fs/format/contract_status.h"

namespace fs {

absl::Status ValidateTreePath(absl::string_view path) {
  const auto error = [path](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("path \"", absl::CHexEscape(path.substr(0, 300)), "\" ", why));
  };
  if (path.empty()) return error("is empty");
  if (path.size() > kPathBytesMax) return error("is longer than 4095 bytes");
  if (path[0] == '/') return error("is absolute");
  if (path.find('\0') != absl::string_view::npos) return error("holds a NUL byte");
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (name.empty()) return error("has an empty component");
    if (name == "." || name == "..") return error("has a component \".\" or \"..\"");
    if (name.size() > kNameBytesMax) return error("has a component longer than 255 bytes");
  }
  return absl::OkStatus();
}

absl::Status TreeStatus(int error_number, absl::string_view what, absl::string_view path) {
  return ContractStatus(
      base::ErrnoStatus(error_number, absl::StrCat(what, " ", absl::CHexEscape(path.substr(0, 300)))));
}

}  // namespace fs
