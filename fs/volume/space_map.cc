#include "fs/volume/space_map.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "fs/format/extent_row.h"
#include "fs/format/key.h"
#include "nlohmann/json.hpp"

namespace fs {
namespace {

constexpr size_t kRowsAtOnce = 4096;

// How many bytes of each directory's files lie in each chunk.
class OwnerCount {
 public:
  OwnerCount(const std::vector<ChunkInfo>& chunks, uint64_t chunk_bytes)
      : begin_(chunks.empty() ? 0 : chunks[0].address), chunk_bytes_(chunk_bytes), bytes_(chunks.size()) {}

  void Row(absl::string_view key, absl::string_view value) {
    if (key.size() < kKeyHeaderBytes) return;
    if (KeyType(key) == RowType::kBackReference && KeySuffix(key).size() == 16) {
      inode_ = KeyInode(key);
      parent_ = base::LoadBig<uint64_t>(KeySuffix(key).data());
    } else if (KeyType(key) == RowType::kExtent) {
      const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
      if (!extent.ok() || extent->kind == ExtentKind::kInline || extent->address < begin_) return;
      const uint64_t chunk = (extent->address - begin_) / chunk_bytes_;
      // An inode's back-references come right before its extents; an orphan has none.
      if (chunk < bytes_.size() && inode_ == KeyInode(key)) bytes_[chunk][parent_] += extent->length;
    }
  }

  // The directory that most of the chunk belongs to; 0 if nothing does.
  InodeNumber Owner(size_t chunk) const {
    InodeNumber owner = 0;
    uint64_t most = 0;
    for (const auto& [directory, bytes] : bytes_[chunk]) {
      if (bytes > most || (bytes == most && directory < owner)) owner = directory;
      most = std::max(most, bytes);
    }
    return owner;
  }

 private:
  const uint64_t begin_;
  const uint64_t chunk_bytes_;
  std::vector<absl::flat_hash_map<InodeNumber, uint64_t>> bytes_;  // by chunk
  InodeNumber inode_ = 0;
  InodeNumber parent_ = 0;
};

}  // namespace

const char* ChunkTypeName(ChunkType type) {
  switch (type) {
    case ChunkType::kFree: return "free";
    case ChunkType::kMeta: return "meta";
    case ChunkType::kPack: return "pack";
    case ChunkType::kExtent: return "extent";
    case ChunkType::kBad: return "bad";
  }
  return "other";
}

absl::StatusOr<SpaceMap> MapSpace(RawEngine& engine, Volume& volume) {
  const std::vector<ChunkInfo> chunks = engine.chunks();
  SpaceMap map;
  map.chunk_bytes = engine.superblock().chunk_bytes;
  OwnerCount owners(chunks, map.chunk_bytes);
  const std::string last = RowKey(UINT64_MAX, static_cast<RowType>(0xff));
  std::string next = RowKey(1, RowType::kInode);
  for (bool more = true; more;) {
    size_t rows = 0;
    std::string reached;
    RETURN_IF_ERROR(engine.Scan(next, last, [&](absl::string_view key, absl::string_view value) {
      owners.Row(key, value);
      reached = std::string(key);
      return ++rows < kRowsAtOnce;
    }));
    more = rows == kRowsAtOnce;
    next = reached + '\0';
  }
  std::map<InodeNumber, size_t> known;
  for (size_t i = 0; i < chunks.size(); ++i) {
    SpaceMap::Chunk chunk = {ChunkTypeName(chunks[i].type), chunks[i].used_bytes, chunks[i].reads, chunks[i].policy};
    if (const InodeNumber owner = owners.Owner(i); owner != 0) {
      const auto [entry, is_new] = known.emplace(owner, map.directories.size());
      if (is_new) {
        const absl::StatusOr<std::string> path = volume.PathOf(owner);
        map.directories.push_back(path.ok() ? absl::StrCat("/", *path) : "(removed)");
      }
      chunk.directory = entry->second;
    }
    map.chunks.push_back(std::move(chunk));
  }
  return map;
}

std::string SpaceMapJson(const SpaceMap& map) {
  nlohmann::ordered_json json = {{"chunk_bytes", map.chunk_bytes}, {"directories", map.directories}};
  nlohmann::ordered_json& chunks = json["chunks"] = nlohmann::ordered_json::array();
  for (const SpaceMap::Chunk& chunk : map.chunks) {
    const int64_t directory = chunk.directory == SpaceMap::kNoDirectory ? -1 : static_cast<int64_t>(chunk.directory);
    chunks.push_back({chunk.type, chunk.used_bytes, chunk.reads, chunk.policy, directory});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::StatusOr<SpaceMap> ParseSpaceMap(absl::string_view json) {
  const auto damaged = [](absl::string_view what) { return absl::DataLossError(absl::StrCat("no map: ", what)); };
  const nlohmann::json root = nlohmann::json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return damaged("not an object");
  const auto size = root.find("chunk_bytes"), directories = root.find("directories"), chunks = root.find("chunks");
  if (size == root.end() || !size->is_number_unsigned() || directories == root.end() || !directories->is_array() ||
      chunks == root.end() || !chunks->is_array()) {
    return damaged("chunk_bytes, directories or chunks is missing");
  }
  SpaceMap map;
  map.chunk_bytes = size->get<uint64_t>();
  for (const nlohmann::json& directory : *directories) {
    if (!directory.is_string()) return damaged("a directory is no text");
    map.directories.push_back(directory.get<std::string>());
  }
  for (const nlohmann::json& chunk : *chunks) {
    const bool sound = chunk.is_array() && chunk.size() == 5 && chunk[0].is_string() && chunk[1].is_number_unsigned() &&
                       chunk[2].is_number_unsigned() && chunk[3].is_number_unsigned() && chunk[4].is_number_integer();
    if (!sound) return damaged(absl::StrCat("chunk ", map.chunks.size()));
    SpaceMap::Chunk next = {chunk[0].get<std::string>(), chunk[1].get<uint64_t>(), chunk[2].get<uint64_t>(),
                            static_cast<uint32_t>(chunk[3].get<uint64_t>())};
    const int64_t directory = chunk[4].get<int64_t>();
    if (directory >= 0) {
      if (static_cast<uint64_t>(directory) >= map.directories.size()) return damaged("no such directory");
      next.directory = static_cast<size_t>(directory);
    }
    map.chunks.push_back(std::move(next));
  }
  return map;
}

}  // namespace fs
