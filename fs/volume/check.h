// CheckTree() reads every row of a volume and names each broken rule of the namespace.
//
// Rules:   T1  every row has a known type, decodes, and belongs to an inode that exists
//          T2  a directory entry is one name row (under the hash of its name) and one
//              order row that agree, and one back-reference of the child, whose type it has
//          T3  a file has as many links as back-references; a directory has one name
//              (the root none) and 2 + subdirectories links, and counts its entries
//          T4  next_index is greater than every index of the directory
//          T5  an inode has no name if and only if it is an orphan
//          T6  an inode row counts its xattr rows
//          T7  no inode number is beyond the counter or inside a run that is still free
//          T8  every directory leads up to the root
//          T9  no data lies past the end of a file
//          T10 usage rows count files and bytes
//          T11 an inode with an expiry time has the one expiry row that says so, and its
//              directories know
//          T12 every policy that an inode has exists
// Errors:  what the engine's reads return; broken rules are no errors but the result
// Threads: no state; nothing may change the volume meanwhile. Writes nothing.
// Source:  fs/format/FORMAT.md, "Rows".
#ifndef FS_VOLUME_CHECK_H_
#define FS_VOLUME_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fs/cache/engine.h"

namespace fs {

struct TreeCheckOptions {
  size_t problems_max = 1000;  // further ones are only counted
  int name_hash_bits = 64;     // as VolumeOptions
  // Called now and then with the number of rows read so far.
  std::function<void(uint64_t rows)> progress;
};

struct TreeProblem {
  std::string rule;  // "T3"
  std::string text;
};

struct TreeCheckReport {
  uint64_t rows = 0;
  uint64_t files = 0;  // all inodes that are no directories
  uint64_t directories = 0;
  uint64_t orphans = 0;
  uint64_t problem_count = 0;
  std::vector<TreeProblem> problems;
};

absl::StatusOr<TreeCheckReport> CheckTree(Engine& engine, const TreeCheckOptions& options = {});

}  // namespace fs

#endif  // FS_VOLUME_CHECK_H_
