// Writes what is on a volume as text: superblocks, log, pages, chunks. Never writes to the
// device, goes on past damage, and prints the checksum that should be there.
//
// Errors:  only the device's own; damage is part of the text
// Threads: no state.
#ifndef FS_CACHE_DUMP_H_
#define FS_CACHE_DUMP_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fs/disk/device.h"

namespace fs {

struct DumpOptions {
  bool superblocks = true;
  bool log = true;
  bool pages = true;
  bool rows = false;     // every row of every leaf, every owner in a PACK chunk
  bool records = false;  // every record of every log batch
  bool chunks = true;
};

// `line` gets each line without its end.
absl::Status DumpVolume(Device& device, const DumpOptions& options, absl::FunctionRef<void(absl::string_view line)> line);

}  // namespace fs

#endif  // FS_CACHE_DUMP_H_
