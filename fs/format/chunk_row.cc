#include "fs/format/chunk_row.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/format/extent_row.h"

namespace fs {
namespace {

constexpr size_t kChunkRowHeaderBytes = 32;
constexpr size_t kOwnerRowBytes = 20;
constexpr uint8_t kRetired = 1;
constexpr uint8_t kOpen = 2;
constexpr size_t kSummaryHeaderBytes = sizeof(BlockHeader) + 8;

}  // namespace

// type u8 | flags u8 | reserved u16 | policy u32 | live u32 | summary u32 | filled u32 | reserved u32 | birth u64 | bitmap
std::string EncodeChunkRow(const ChunkRow& row) {
  std::string value(kChunkRowHeaderBytes, '\0');
  value[0] = static_cast<char>(row.type);
  value[1] = static_cast<char>((row.retired ? kRetired : 0) | (row.open ? kOpen : 0));
  base::StoreLittle<uint32_t>(value.data() + 4, row.policy);
  base::StoreLittle<uint32_t>(value.data() + 8, row.live_bytes);
  base::StoreLittle<uint32_t>(value.data() + 12, row.summary_block);
  base::StoreLittle<uint32_t>(value.data() + 16, row.filled_bytes);
  base::StoreLittle<uint64_t>(value.data() + 24, row.birth_batch);
  return value + row.bitmap;
}

absl::StatusOr<ChunkRow> DecodeChunkRow(absl::string_view value, uint32_t chunk_bytes) {
  if (value.size() < kChunkRowHeaderBytes) return absl::DataLossError("V40: chunk row too short");
  const auto flags = static_cast<uint8_t>(value[1]);
  if ((flags & ~(kRetired | kOpen)) != 0 || base::LoadLittle<uint16_t>(value.data() + 2) != 0 ||
      base::LoadLittle<uint32_t>(value.data() + 20) != 0) {
    return absl::DataLossError("V40: reserved bytes in a chunk row");
  }
  ChunkRow row;
  row.type = static_cast<ChunkType>(value[0]);
  row.retired = (flags & kRetired) != 0;
  row.open = (flags & kOpen) != 0;
  row.policy = base::LoadLittle<uint32_t>(value.data() + 4);
  row.live_bytes = base::LoadLittle<uint32_t>(value.data() + 8);
  row.summary_block = base::LoadLittle<uint32_t>(value.data() + 12);
  row.filled_bytes = base::LoadLittle<uint32_t>(value.data() + 16);
  row.birth_batch = base::LoadLittle<uint64_t>(value.data() + 24);
  row.bitmap = std::string(value.substr(kChunkRowHeaderBytes));
  const uint32_t blocks = chunk_bytes / kBlockBytes;
  const bool is_pack = row.type == ChunkType::kPack;
  if (!is_pack && row.type != ChunkType::kExtent && row.type != ChunkType::kBad) {
    return absl::DataLossError(absl::StrFormat("V41: bad chunk type; stored %d", static_cast<int>(row.type)));
  }
  if (row.live_bytes > chunk_bytes || row.summary_block >= blocks || row.filled_bytes > chunk_bytes) {
    return absl::DataLossError("V42: bad chunk row");
  }
  if (row.type == ChunkType::kBad && !row.retired) return absl::DataLossError("V42: bad chunk row");
  if (!is_pack && (row.live_bytes != 0 || row.summary_block != 0 || row.filled_bytes != 0 || row.open)) {
    return absl::DataLossError("V42: bad chunk row");
  }
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
  return absl::StrFormat("%s%s%s policy=%d live_bytes=%d summary_block=%d filled_bytes=%d used_blocks=%d birth_batch=%d",
                         type <= 5 ? kNames[type] : "?", row.retired ? " retired" : "", row.open ? " open" : "", row.policy,
                         row.live_bytes, row.summary_block, row.filled_bytes, used, row.birth_batch);
}

std::vector<ChunkRow> ChunkRowTestInstances(uint32_t chunk_bytes) {
  std::vector<ChunkRow> rows(4);
  rows[0].type = ChunkType::kPack;
  rows[0].live_bytes = 1234;
  rows[0].summary_block = 3;
  rows[0].policy = 9;
  rows[0].filled_bytes = 16384;
  rows[0].birth_batch = uint64_t{1} << 40;
  rows[1].type = ChunkType::kExtent;
  rows[1].bitmap.assign((chunk_bytes / kBlockBytes + 7) / 8, '\x55');
  rows[2].type = ChunkType::kBad;
  rows[2].retired = true;
  rows[3].type = ChunkType::kPack;
  rows[3].open = true;
  return rows;
}

std::string ChunkKey(uint32_t index) {
  char suffix[4];
  base::StoreBig<uint32_t>(suffix, index);
  return RowKey(0, RowType::kChunk, absl::string_view(suffix, sizeof suffix));
}

std::string OwnerKey(uint32_t chunk, uint32_t block) {
  return RowKey(0, RowType::kOwner, uint64_t{chunk} << 32 | block);
}

// inode u64 | offset u64 | length u32
std::string EncodeOwnerRow(const ExtentOwner& owner) {
  std::string value(kOwnerRowBytes, '\0');
  base::StoreLittle<uint64_t>(value.data(), owner.inode);
  base::StoreLittle<uint64_t>(value.data() + 8, owner.offset);
  base::StoreLittle<uint32_t>(value.data() + 16, owner.length);
  return value;
}

absl::StatusOr<ExtentOwner> DecodeOwnerRow(absl::string_view value) {
  if (value.size() != kOwnerRowBytes) return absl::DataLossError(absl::StrFormat("V47: owner row of %d bytes", value.size()));
  ExtentOwner owner;
  owner.inode = base::LoadLittle<uint64_t>(value.data());
  owner.offset = base::LoadLittle<uint64_t>(value.data() + 8);
  owner.length = base::LoadLittle<uint32_t>(value.data() + 16);
  if (owner.offset % kBlockBytes != 0 || owner.length == 0 || owner.length > kExtentBytesMax) {
    return absl::DataLossError(absl::StrFormat("V47: bad owner row; %s", DebugString(owner)));
  }
  return owner;
}

std::string DebugString(const ExtentOwner& owner) {
  return absl::StrFormat("inode=%d offset=%d length=%d", owner.inode, owner.offset, owner.length);
}

uint64_t PackSummaryBytes(size_t count) {
  return base::RoundUp(kSummaryHeaderBytes + count * sizeof(PackOwner), kBlockBytes);
}

// header | count u32 | previous block u32 | owners
void EncodePackSummary(const PackSummary& summary, uint64_t volume_id, uint64_t generation, uint64_t address,
                       absl::Span<uint8_t> out) {
  const size_t owners_bytes = summary.owners.size() * sizeof(PackOwner);
  BlockHeader header;
  header.type = BlockType::kPackSummary;
  header.volume_id = volume_id;
  header.generation = generation;
  header.address = address;
  header.length = static_cast<uint32_t>(kSummaryHeaderBytes + owners_bytes);
  std::memset(out.data(), 0, out.size());
  std::memcpy(out.data(), &header, sizeof header);
  base::StoreLittle<uint32_t>(out.data() + sizeof header, static_cast<uint32_t>(summary.owners.size()));
  base::StoreLittle<uint32_t>(out.data() + sizeof header + 4, summary.previous_block);
  if (owners_bytes > 0) std::memcpy(out.data() + kSummaryHeaderBytes, summary.owners.data(), owners_bytes);
  SealBlock(out);
}

absl::StatusOr<PackSummary> DecodePackSummary(absl::Span<const uint8_t> block, uint64_t volume_id,
                                              uint64_t chunk_address, uint32_t position) {
  RETURN_IF_ERROR(CheckBlock(block, {BlockType::kPackSummary, volume_id, chunk_address + position}));
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (header.length < kSummaryHeaderBytes) return absl::DataLossError("V44: summary too short");
  const uint32_t count = base::LoadLittle<uint32_t>(block.data() + sizeof header);
  if (header.length != kSummaryHeaderBytes + uint64_t{count} * sizeof(PackOwner)) {
    return absl::DataLossError(absl::StrFormat("V44: bad count of owners; stored %d", count));
  }
  PackSummary summary;
  summary.previous_block = base::LoadLittle<uint32_t>(block.data() + sizeof header + 4);
  if (summary.previous_block != 0 && summary.previous_block >= position / kBlockBytes) {
    return absl::DataLossError(absl::StrFormat("V48: bad place of the summary before; stored %d", summary.previous_block));
  }
  summary.owners.resize(count);
  if (count > 0) std::memcpy(summary.owners.data(), block.data() + kSummaryHeaderBytes, count * sizeof(PackOwner));
  for (const PackOwner& owner : summary.owners) {
    if (owner.offset % kBlockBytes != 0 || owner.position % kPackAlignment != 0 || owner.length == 0 ||
        owner.length > position || owner.position > position - owner.length) {
      return absl::DataLossError("V45: bad owner in a summary");
    }
  }
  return summary;
}

}  // namespace fs
