// A SpaceMap is a picture of a device in numbers: what each chunk is, how full, how often it was
// read, and the directory that most of its data belongs to.
//
// Shape:   found by one pass over the rows, in pieces, so that others go on meanwhile; what
//          changes under it may be told as it was before or after.
// Threads: no state.
#ifndef FS_VOLUME_SPACE_MAP_H_
#define FS_VOLUME_SPACE_MAP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/cache/raw_engine.h"
#include "fs/volume/volume.h"

namespace fs {

struct SpaceMap {
  static constexpr size_t kNoDirectory = SIZE_MAX;
  struct Chunk {
    std::string type;  // "free", "meta", "pack", "extent", "bad"
    uint64_t used_bytes = 0;
    uint64_t reads = 0;  // of the device since the volume was opened
    uint32_t policy = 0;
    size_t directory = kNoDirectory;  // index of `directories`
  };
  uint64_t chunk_bytes = 0;
  std::vector<std::string> directories;  // "/a/b"
  std::vector<Chunk> chunks;             // in the order of the device
};

const char* ChunkTypeName(ChunkType type);

// `engine` is the one below `volume`.
absl::StatusOr<SpaceMap> MapSpace(RawEngine& engine, Volume& volume);

std::string SpaceMapJson(const SpaceMap& map);
// Never trusts `json`. DataLoss if it is no map.
absl::StatusOr<SpaceMap> ParseSpaceMap(absl::string_view json);

}  // namespace fs

#endif  // FS_VOLUME_SPACE_MAP_H_
