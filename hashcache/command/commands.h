// The commands of hashcache, one table each.
//
// Threads: single thread (main).
#ifndef HASHCACHE_COMMAND_COMMANDS_H_
#define HASHCACHE_COMMAND_COMMANDS_H_

#include "base/command_line.h"

namespace hashcache {

base::Command SumCommand();
base::Command CheckCommand();
base::Command UpdateCommand();
base::Command TreeCommand();
base::Command DiffCommand();
base::Command DupsCommand();
base::Command StatusCommand();
base::Command CacheCommand();
base::Command BenchCommand();

// The program: all of them.
base::Command HashcacheCommand();

}  // namespace hashcache

#endif  // HASHCACHE_COMMAND_COMMANDS_H_
