// tar streams into and out of a tree.
//
// Errors:  DataLoss  the stream is damaged or cut short
// Threads: thread-compatible.
#ifndef TOOLS_TREE_ARCHIVE_H_
#define TOOLS_TREE_ARCHIVE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fs/client/tree_client.h"
#include "tools/tree_store.h"

namespace tools {

// Reads an archive (tar in any of its forms, compressed or not, cpio, zip) from `fd`.
// Names with ".." are refused, a leading '/' is dropped; devices and FIFOs are refused.
absl::Status ImportArchive(int fd, TreeStore* store);

// Writes `paths` (directories with all below them; none = the whole tree) of the tree
// at `directory` as a pax tar to `fd`.
absl::Status ExportArchive(const std::string& directory, const std::vector<std::string>& paths, int fd);

}  // namespace tools

#endif  // TOOLS_TREE_ARCHIVE_H_
