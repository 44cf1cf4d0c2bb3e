#include "hashcache/command/commands.h"
#include "hashcache/command/run.h"

namespace hashcache {

base::Command HashcacheCommand() {
  return {.name = "hashcache",
          .summary = "hash files and trees in parallel, and remember the digests of unchanged ones",
          .description =
              "Cold trees are read at the disk's full parallel speed; unchanged files are not read again. A "
              "remembered digest is given only if inode, size, mtime, ctime and birth time are as they were and the "
              "file cannot have changed unseen; when in doubt the file is read.",
          .subcommands = {SumCommand(), CheckCommand(), UpdateCommand(), TreeCommand(), DiffCommand(), DupsCommand(),
                          StatusCommand(), CacheCommand(), BenchCommand()},
          .examples = {{"hashcache sum -r --jsonl src > src.hashcache", "a manifest"},
                       {"hashcache check src.hashcache", "what changed, rotted, is missing or new"},
                       {"hashcache tree src", "one digest for the whole tree"}},
          .exit_codes = {{kOk, "all well"},
                         {kDifferences, "differences: changed, corrupt, missing or new files"},
                         {kUnreadable, "some files were unreadable or changed while being read"},
                         {kUsage, "wrong command line"},
                         {kCacheFault, "the cache held a wrong digest or is damaged"},
                         {kInternal, "output could not be written, or an internal error"},
                         {130, "interrupted"}},
          .sections = {{"CACHE",
                        "Digests are remembered per filesystem in $XDG_CACHE_HOME/hashcache (--cache-dir). It may be "
                        "deleted at any time. Any number of processes may use it at once. Entries not needed for 90 "
                        "days are dropped. One hit in a thousand is read again and compared (--audit); a contradiction "
                        "empties the cache and ends with exit code 4."},
                       {"TREE ENCODING",
                        "Version 1. H is the algorithm. A directory's digest is H(\"hashcache tree 1\\n\" followed by "
                        "its entries in the order of their names' bytes). An entry is one byte for the kind (f file, "
                        "x executable file, l link, d directory, o other), the length of the name as 8 bytes "
                        "little-endian, the name, and the digest: of the content, of the link's target, of the "
                        "directory, or H of nothing."},
                       {"ENVIRONMENT",
                        "XDG_CACHE_HOME: see above. CACHEFS_NO_IO_URING=1: read cold files with threads. NO_COLOR: no "
                        "colours in messages."}},
          .usage_error_code = kUsage};
}

}  // namespace hashcache
