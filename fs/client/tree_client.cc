#include "fs/client/tree_client.h"

#include <fcntl.h>

#include <string>
#include <utility>

#include "base/os/file.h"
#include "base/status_macros.h"
#include "fs/client/batch_session_file.h"
#include "fs/client/batch_tree_client.h"
#include "fs/client/posix_tree_client.h"

namespace fs {

absl::StatusOr<std::unique_ptr<TreeClient>> TreeClient::ForPath(absl::string_view dir) {
  ASSIGN_OR_RETURN(std::unique_ptr<TreeClient> posix, PosixTreeClient::Open(std::string(dir)));
  ASSIGN_OR_RETURN(base::Fd directory, base::OpenFile(std::string(dir), O_RDONLY | O_DIRECTORY));
  if (!HasBatchSessions(directory.get())) return posix;
  const auto shared = std::make_shared<base::Fd>(std::move(directory));
  absl::StatusOr<std::unique_ptr<BatchTreeClient>> batch = BatchTreeClient::Create(
      [shared] { return BatchSessionFile::Open(shared->get()); }, std::move(posix));
  // A mount that refuses this user, or speaks other versions, is still a tree;
  // capabilities() tells.
  if (batch.ok()) return std::unique_ptr<TreeClient>(*std::move(batch));
  return PosixTreeClient::Open(std::string(dir));
}

}  // namespace fs
