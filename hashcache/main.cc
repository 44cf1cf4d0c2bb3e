// hashcache: see command/hashcache.cc.
#include "base/command_line.h"
#include "hashcache/command/commands.h"

int main(int argc, char** argv) { return base::RunCommand(hashcache::HashcacheCommand(), argc, argv); }
