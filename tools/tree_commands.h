// The commands of cachectl that move many files at once through a TreeClient: put,
// get, cp, rm, stat, digest. They work on any directory, fastest on a cachefs mount.
//
// Threads: no state.
#ifndef TOOLS_TREE_COMMANDS_H_
#define TOOLS_TREE_COMMANDS_H_

#include <vector>

#include "base/command_line.h"

namespace tools {

std::vector<base::Command> TreeCommands();

}  // namespace tools

#endif  // TOOLS_TREE_COMMANDS_H_
