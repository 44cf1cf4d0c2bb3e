// The commands of cachectl that talk to a running mount: stats, sync, umount.
//
// Threads: no state.
#ifndef TOOLS_CACHECTL_MOUNT_H_
#define TOOLS_CACHECTL_MOUNT_H_

#include <vector>

#include "base/command_line.h"

namespace tools {

std::vector<base::Command> MountCommands();

}  // namespace tools

#endif  // TOOLS_CACHECTL_MOUNT_H_
