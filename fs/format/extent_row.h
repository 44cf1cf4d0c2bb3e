// The value of an extent row: where a range of a file lies, and the crcs of its units.
//
// Shape:   the key's offset is a multiple of 4 KiB; `length` bytes of the file follow it.
//          Units are 4 KiB of the file; the last may be short and reads on as zeros.
//          kDevice, kPacked: crc32c for each unit. kInline: the bytes themselves.
// Errors:  DataLoss  a value that cannot be
// Threads: no state.
// Source:  fs/format/FORMAT.md, "Extent row"; rules V30 to V33.
#ifndef FS_FORMAT_EXTENT_ROW_H_
#define FS_FORMAT_EXTENT_ROW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/endian.h"
#include "fs/format/block_header.h"

namespace fs {

// kDevice starts at a block of an EXT chunk, kPacked at any multiple of 64 in a PACK chunk.
enum class ExtentKind : uint8_t { kDevice = 1, kInline = 2, kPacked = 3 };

constexpr size_t kExtentHeaderBytes = 20;
constexpr uint32_t kExtentBytesMax = 1 << 20;
constexpr uint32_t kInlineExtentBytesMax = 256;
// Objects in a PACK chunk start at multiples of this.
constexpr uint32_t kPackAlignment = 64;

constexpr uint32_t UnitCount(uint64_t length) {
  return static_cast<uint32_t>((length + kBlockBytes - 1) / kBlockBytes);
}

// A decoded row; the views point into the value.
struct ExtentView {
  ExtentKind kind{};
  uint32_t length = 0;    // of the file
  uint64_t address = 0;     // of the first byte; kInline: 0
  absl::string_view bytes;  // kInline: the data; else the crcs

  uint32_t Crc(uint32_t unit) const { return base::LoadLittle<uint32_t>(bytes.data() + size_t{unit} * 4); }
  uint32_t UnitBytes(uint32_t unit) const {
    return unit + 1 < UnitCount(length) ? kBlockBytes : length - unit * kBlockBytes;
  }
};

// `crcs` has UnitCount(length) entries.
std::string EncodeDeviceExtent(ExtentKind kind, uint32_t length, uint64_t address, const uint32_t* crcs);
std::string EncodeInlineExtent(absl::string_view bytes);

// Never trusts `value`.
absl::StatusOr<ExtentView> DecodeExtent(absl::string_view value);

std::string DebugString(const ExtentView& extent);
std::vector<std::string> ExtentTestInstances();

}  // namespace fs

#endif  // FS_FORMAT_EXTENT_ROW_H_
