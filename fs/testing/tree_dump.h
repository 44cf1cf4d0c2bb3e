// The whole of a volume as text, one line for each name, so that two trees can be compared.
//
// Shape:   sorted by path; kContent has the type, link count, size and a digest of the data,
//          kAll has mode, owner, times and extended attributes as well.
// Errors:  any that the volume gives, with the path; DataLoss also when what it says of a
//          file contradicts itself (sizes, counts of links)
// Threads: no state.
#ifndef FS_TESTING_TREE_DUMP_H_
#define FS_TESTING_TREE_DUMP_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/volume/volume.h"

namespace fs::testing {

enum class DumpDetail : uint8_t { kContent = 1, kAll };

absl::StatusOr<std::string> DumpTree(Volume& volume, DumpDetail detail);

// A dump of a volume on a damaged disk: what could be read, and where it could not.
struct PartialDump {
  std::map<std::string, std::string> lines;    // by path
  std::map<std::string, absl::Status> errors;  // by path; of a directory: its names are not known
};
PartialDump DumpWhatCanBeRead(Volume& volume, DumpDetail detail);

// Whether `found` is `expected` but for paths with errors, or below directories with errors: DataLoss
// that names the first path that is wrong, missing or one too many. `dump` is what DumpTree() gave.
absl::Status CompareWithDump(const PartialDump& found, const std::string& dump);

// One line of a dump with kContent, ended by a newline.
std::string ContentLine(absl::string_view path, uint32_t mode, uint64_t link_count, absl::string_view data);

}  // namespace fs::testing

#endif  // FS_TESTING_TREE_DUMP_H_
