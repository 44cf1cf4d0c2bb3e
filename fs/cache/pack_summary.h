// Reads who owned what in a PACK chunk: its chain of summaries, newest first.
//
// Errors:  DataLoss  a summary is damaged; names its address
//          other     the device's
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Pack summary".
#ifndef FS_CACHE_PACK_SUMMARY_H_
#define FS_CACHE_PACK_SUMMARY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "fs/disk/device.h"
#include "fs/format/chunk_row.h"

namespace fs {

struct PackLocation {
  uint64_t volume_id = 0;
  uint64_t chunk_address = 0;
  uint32_t chunk_bytes = 0;
  uint32_t summary_block = 0;  // of the last one; 0: there is none
};

absl::StatusOr<std::vector<PackOwner>> ReadPackOwners(Device& device, const PackLocation& location);

}  // namespace fs

#endif  // FS_CACHE_PACK_SUMMARY_H_
