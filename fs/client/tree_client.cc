#include "fs/client/tree_client.h"

#include <string>
#include <utility>

#include "base/status_macros.h"
#include "fs/client/posix_tree_client.h"

namespace fs {

absl::StatusOr<std::unique_ptr<TreeClient>> TreeClient::ForPath(absl::string_view dir) {
  ASSIGN_OR_RETURN(std::unique_ptr<PosixTreeClient> client, PosixTreeClient::Open(std::string(dir)));
  return std::unique_ptr<TreeClient>(std::move(client));
}

}  // namespace fs
