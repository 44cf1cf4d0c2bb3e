#include "fs/format/extent_row.h"

#include "absl/strings/str_format.h"

namespace fs {

// kind u8 | codec u8 (0) | reserved u16 | length u32 | stored u32 | address u64 | crcs
std::string EncodeDeviceExtent(ExtentKind kind, uint32_t length, uint64_t address, const uint32_t* crcs) {
  std::string value(kExtentHeaderBytes + size_t{UnitCount(length)} * 4, '\0');
  value[0] = static_cast<char>(kind);
  base::StoreLittle<uint32_t>(value.data() + 4, length);
  base::StoreLittle<uint32_t>(value.data() + 8, length);
  base::StoreLittle<uint64_t>(value.data() + 12, address);
  for (uint32_t i = 0; i < UnitCount(length); ++i) {
    base::StoreLittle<uint32_t>(value.data() + kExtentHeaderBytes + size_t{i} * 4, crcs[i]);
  }
  return value;
}

std::string EncodeInlineExtent(absl::string_view bytes) {
  std::string value(kExtentHeaderBytes, '\0');
  value[0] = static_cast<char>(ExtentKind::kInline);
  base::StoreLittle<uint32_t>(value.data() + 4, static_cast<uint32_t>(bytes.size()));
  base::StoreLittle<uint32_t>(value.data() + 8, static_cast<uint32_t>(bytes.size()));
  value.append(bytes.data(), bytes.size());
  return value;
}

absl::StatusOr<ExtentView> DecodeExtent(absl::string_view value) {
  if (value.size() < kExtentHeaderBytes) return absl::DataLossError("V30: extent row too short");
  ExtentView extent;
  extent.kind = static_cast<ExtentKind>(value[0]);
  extent.length = base::LoadLittle<uint32_t>(value.data() + 4);
  const uint32_t stored = base::LoadLittle<uint32_t>(value.data() + 8);
  extent.address = base::LoadLittle<uint64_t>(value.data() + 12);
  extent.bytes = value.substr(kExtentHeaderBytes);
  if (value[1] != 0 || value[2] != 0 || value[3] != 0 || stored != extent.length) {
    return absl::DataLossError("V31: extent row with an unknown codec");
  }
  if (extent.length == 0 || extent.length > kExtentBytesMax) {
    return absl::DataLossError(absl::StrFormat("V32: bad extent length; stored %d", extent.length));
  }
  switch (extent.kind) {
    case ExtentKind::kDevice:
    case ExtentKind::kPacked:
      if (extent.bytes.size() != size_t{UnitCount(extent.length)} * 4) {
        return absl::DataLossError("V33: wrong count of crcs in an extent row");
      }
      if (extent.address == 0 || extent.address % (extent.kind == ExtentKind::kPacked ? kPackAlignment : kBlockBytes) != 0) {
        return absl::DataLossError(absl::StrFormat("V33: bad extent address; stored %d", extent.address));
      }
      return extent;
    case ExtentKind::kInline:
      if (extent.bytes.size() != extent.length || extent.length > kInlineExtentBytesMax || extent.address != 0) {
        return absl::DataLossError("V33: bad inline extent");
      }
      return extent;
  }
  return absl::DataLossError(absl::StrFormat("V30: bad extent kind; stored %d", static_cast<int>(extent.kind)));
}

std::string DebugString(const ExtentView& extent) {
  if (extent.kind == ExtentKind::kInline) return absl::StrFormat("inline length=%d", extent.length);
  return absl::StrFormat("%s length=%d address=%d crc32c[0]=%08x", extent.kind == ExtentKind::kPacked ? "packed" : "device", extent.length, extent.address, extent.Crc(0));
}

std::vector<std::string> ExtentTestInstances() {
  const uint32_t crcs[3] = {1, 0xffffffff, 0x12345678};
  return {EncodeInlineExtent("x"), EncodeInlineExtent(std::string(kInlineExtentBytesMax, 'y')),
          EncodeDeviceExtent(ExtentKind::kPacked, 1, 64, crcs),
          EncodeDeviceExtent(ExtentKind::kDevice, 3 * kBlockBytes - 5, uint64_t{1} << 40, crcs)};
}

}  // namespace fs
