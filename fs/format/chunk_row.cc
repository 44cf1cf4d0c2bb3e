#include "fs/format/chunk_row.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/format/extent_row.h"

namespace fs {
namespace {

constexpr size_t kChunkRowHeaderBytes = 16;
constexpr size_t kSummaryHeaderBytes = sizeof(BlockHeader) + 8;

}  // namespace

// type u8 | flags u8 (1: retired) | reserved u16 | policy u32 | live_bytes u32 | summary_block u32 | bitmap
std::string EncodeChunkRow(const ChunkRow& row) {
  std::string value(kChunkRowHeaderBytes, '\0');
  value[0] = static_cast<char>(row.type);
  value[1] = row.retired ? 1 : 0;
  base::StoreLittle<uint32_t>(value.data() + 4, row.policy);
  base::StoreLittle<uint32_t>(value.data() + 8, row.live_bytes);
  base::StoreLittle<uint32_t>(value.data() + 12, row.summary_block);
  return value + row.bitmap;
}

absl::StatusOr<ChunkRow> DecodeChunkRow(absl::string_view value, uint32_t chunk_bytes) {
  if (value.size() < kChunkRowHeaderBytes) return absl::DataLossError("V40: chunk row too short");
  if ((value[1] & ~1) != 0 || value[2] != 0 || value[3] != 0) return absl::DataLossError("V40: reserved bytes in a chunk row");
  ChunkRow row;
  row.type = static_cast<ChunkType>(value[0]);
  row.retired = value[1] != 0;
  row.policy = base::LoadLittle<uint32_t>(value.data() + 4);
  row.live_bytes = base::LoadLittle<uint32_t>(value.data() + 8);
  row.summary_block = base::LoadLittle<uint32_t>(value.data() + 12);
  row.bitmap = std::string(value.substr(kChunkRowHeaderBytes));
  const uint32_t blocks = chunk_bytes / kBlockBytes;
  const bool is_pack = row.type == ChunkType::kPack;
  if (!is_pack && row.type != ChunkType::kExtent && row.type != ChunkType::kBad) {
    return absl::DataLossError(absl::StrFormat("V41: bad chunk type; stored %d", static_cast<int>(row.type)));
  }
  if (row.live_bytes > chunk_bytes || row.summary_block >= blocks) return absl::DataLossError("V42: bad chunk row");
  if (row.type == ChunkType::kBad && !row.retired) return absl::DataLossError("V42: bad chunk row");
  if (!is_pack && (row.live_bytes != 0 || row.summary_block != 0)) return absl::DataLossError("V42: bad chunk row");
  if (row.bitmap.size() != (row.type == ChunkType::kExtent ? (blocks + 7) / 8 : 0)) {
    return absl::DataLossError("V43: wrong size of a chunk's bitmap");
  }
  return row;
}

std::string DebugString(const ChunkRow& row) {
  static constexpr const char* kNames[] = {"0", "FREE", "META", "PACK", "EXT", "BAD"};
  size_t used = 0;
  for (const char byte : row.bitmap) used += __builtin_popcount(static_cast<unsigned char>(byte));
  const auto type = static_cast<size_t>(row.type);
  return absl::StrFormat("%s%s policy=%d live_bytes=%d summary_block=%d used_blocks=%d", type <= 5 ? kNames[type] : "?", row.retired ? " retired" : "",
                         row.policy, row.live_bytes, row.summary_block, used);
}

std::vector<ChunkRow> ChunkRowTestInstances(uint32_t chunk_bytes) {
  std::vector<ChunkRow> rows(3);
  rows[0].type = ChunkType::kPack;
  rows[0].live_bytes = 1234;
  rows[0].summary_block = 3;
  rows[0].policy = 9;
  rows[1].type = ChunkType::kExtent;
  rows[1].bitmap.assign((chunk_bytes / kBlockBytes + 7) / 8, '\x55');
  rows[2].type = ChunkType::kBad;
  rows[2].retired = true;
  return rows;
}

std::string ChunkKey(uint32_t index) {
  char suffix[4];
  base::StoreBig<uint32_t>(suffix, index);
  return RowKey(0, RowType::kChunk, absl::string_view(suffix, sizeof suffix));
}

uint64_t PackSummaryBytes(size_t count) {
  return base::RoundUp(kSummaryHeaderBytes + count * sizeof(PackOwner), kBlockBytes);
}

// header | count u32 | reserved u32 | owners
void EncodePackSummary(absl::Span<const PackOwner> owners, uint64_t volume_id, uint64_t generation, uint64_t address,
                       absl::Span<uint8_t> out) {
  BlockHeader header;
  header.type = BlockType::kPackSummary;
  header.volume_id = volume_id;
  header.generation = generation;
  header.address = address;
  header.length = static_cast<uint32_t>(kSummaryHeaderBytes + owners.size() * sizeof(PackOwner));
  std::memset(out.data(), 0, out.size());
  std::memcpy(out.data(), &header, sizeof header);
  base::StoreLittle<uint32_t>(out.data() + sizeof header, static_cast<uint32_t>(owners.size()));
  if (!owners.empty()) std::memcpy(out.data() + kSummaryHeaderBytes, owners.data(), owners.size() * sizeof(PackOwner));
  SealBlock(out);
}

absl::StatusOr<std::vector<PackOwner>> DecodePackSummary(absl::Span<const uint8_t> block, uint64_t volume_id,
                                                         uint64_t address, uint32_t chunk_bytes) {
  RETURN_IF_ERROR(CheckBlock(block, {BlockType::kPackSummary, volume_id, address}));
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (header.length < kSummaryHeaderBytes) return absl::DataLossError("V44: summary too short");
  const uint32_t count = base::LoadLittle<uint32_t>(block.data() + sizeof header);
  if (header.length != kSummaryHeaderBytes + uint64_t{count} * sizeof(PackOwner)) {
    return absl::DataLossError(absl::StrFormat("V44: bad count of owners; stored %d", count));
  }
  std::vector<PackOwner> owners(count);
  if (count > 0) std::memcpy(owners.data(), block.data() + kSummaryHeaderBytes, count * sizeof(PackOwner));
  for (const PackOwner& owner : owners) {
    if (owner.offset % kBlockBytes != 0 || owner.position % kPackAlignment != 0 || owner.length == 0 ||
        owner.length > chunk_bytes || owner.position > chunk_bytes - owner.length) {
      return absl::DataLossError("V45: bad owner in a summary");
    }
  }
  return owners;
}

}  // namespace fs
