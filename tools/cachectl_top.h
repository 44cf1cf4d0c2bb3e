// cachectl top: a live view of a mount on a terminal.
//
// Threads: single thread; the terminal belongs to it while it runs.
#ifndef TOOLS_CACHECTL_TOP_H_
#define TOOLS_CACHECTL_TOP_H_

#include "base/command_line.h"

namespace tools {

base::Command TopCommand();

}  // namespace tools

#endif  // TOOLS_CACHECTL_TOP_H_
