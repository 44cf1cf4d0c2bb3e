// Making room in bounded caches, and removing what has expired.
//
// Threads: thread-safe; no lock may be held by the caller unless said otherwise.
#ifndef FS_VOLUME_EVICTION_H_
#define FS_VOLUME_EVICTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fs/volume/volume_state.h"

namespace fs {

// EDQUOT, with what MakeRoom() needs to know.
absl::Status OverQuota(uint32_t policy, uint64_t bytes, uint64_t quota_bytes);

// Removes all names of a file, unless its policy is another by now or it is no longer
// expired (by `reason`). The size of what went; none if nothing was removed.
absl::StatusOr<absl::optional<uint64_t>> RemoveAllNames(VolumeState& state, InodeNumber inode, uint32_t policy,
                                                        RemovedEntry::Reason reason)
    ABSL_LOCKS_EXCLUDED(state.namespace_mutex);

// Evicts files of `policy`, never `kept`, until `bytes` are gone or nothing is left.
// Returns the bytes that went.
absl::StatusOr<uint64_t> Evict(VolumeState& state, uint32_t policy, uint64_t bytes, InodeNumber kept)
    ABSL_LOCKS_EXCLUDED(state.namespace_mutex, state.usage_mutex);

}  // namespace fs

#endif  // FS_VOLUME_EVICTION_H_
