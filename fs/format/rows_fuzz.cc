// Any bytes as the engine's own rows, a pack summary, or the head of a foreign disk.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "fs/format/chunk_row.h"
#include "fs/format/extent_row.h"
#include "fs/format/foreign.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<fs::ExtentView> extent = fs::DecodeExtent(text);
  if (extent.ok()) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < fs::UnitCount(extent->length); ++i) {
      bytes += extent->UnitBytes(i);
      if (extent->kind != fs::ExtentKind::kInline) static_cast<void>(extent->Crc(i));
    }
    if (bytes != extent->length) __builtin_trap();
    static_cast<void>(fs::DebugString(*extent));
  }
  const absl::StatusOr<fs::ChunkRow> row = fs::DecodeChunkRow(text, 64 << 10);
  if (row.ok() && fs::EncodeChunkRow(*row) != text) __builtin_trap();
  const absl::StatusOr<fs::ExtentOwner> owner = fs::DecodeOwnerRow(text);
  if (owner.ok() && fs::EncodeOwnerRow(*owner) != text) __builtin_trap();
  static_cast<void>(fs::FindForeignSignature(absl::Span<const uint8_t>(data, size), absl::Span<const uint8_t>(data, size)));
  std::vector<uint8_t> block(4096);
  std::memcpy(block.data() + sizeof(fs::BlockHeader), data, std::min(size, block.size() - sizeof(fs::BlockHeader)));
  fs::BlockHeader header;
  header.type = fs::BlockType::kPackSummary;
  header.volume_id = 1;
  header.address = 64 << 10;
  header.length = static_cast<uint32_t>(sizeof header + 8 + 24 * (size % 100));
  std::memcpy(block.data(), &header, sizeof header);
  fs::SealBlock(absl::MakeSpan(block));
  static_cast<void>(fs::DecodePackSummary(block, 1, 4096, 60 << 10));
  return 0;
}
