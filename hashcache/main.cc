// hashcache: see command/hashcache.cc.
#include <malloc.h>

#include "base/command_line.h"
#include "hashcache/command/commands.h"

int main(int argc, char** argv) {
  // Results are made and freed by the directory; giving the memory back to the kernel each time would
  // cost a page fault per few files.
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  return base::RunCommand(hashcache::HashcacheCommand(), argc, argv);
}
