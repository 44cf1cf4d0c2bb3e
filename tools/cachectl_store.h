// The commands of cachectl that work on a store that is not mounted: mkfs, info, fsck,
// dump; and mkfs.cachefs and fsck.cachefs, the names that mkfs(8) and fsck(8) call.
//
// Threads: no state.
#ifndef TOOLS_CACHECTL_STORE_H_
#define TOOLS_CACHECTL_STORE_H_

#include <vector>

#include "base/command_line.h"

namespace tools {

std::vector<base::Command> StoreCommands();

// The same under the names that mkfs(8) and fsck(8) expect, with their options.
base::Command MkfsHelperCommand();
base::Command FsckHelperCommand();

}  // namespace tools

#endif  // TOOLS_CACHECTL_STORE_H_
