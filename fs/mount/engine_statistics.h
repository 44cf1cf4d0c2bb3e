// What an engine and a volume tell of themselves, as parts of the statistics of a mount.
//
// Threads: no state.
#ifndef FS_MOUNT_ENGINE_STATISTICS_H_
#define FS_MOUNT_ENGINE_STATISTICS_H_

#include <vector>

#include "fs/cache/latency.h"
#include "fs/cache/raw_engine.h"
#include "fs/mount/statistics.pb.h"
#include "fs/volume/volume.h"

namespace fs {

Latency LatencyOf(const LatencySnapshot& snapshot);
// Rates are over the uptime that `statistics` has.
void AddEngineStatistics(const EngineStats& stats, const std::vector<ChunkInfo>& chunks, uint64_t chunk_bytes,
                         Statistics* statistics);
// Policies, usage and evictions.
void AddVolumeStatistics(Volume& volume, Statistics* statistics);

}  // namespace fs

#endif  // FS_MOUNT_ENGINE_STATISTICS_H_
