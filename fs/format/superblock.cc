#include "fs/format/superblock.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "base/units.h"

namespace fs {
namespace {

// Fewer chunks leave no room for two generations of the tree, data and the cleaner.
constexpr uint32_t kChunksMin = 16;

absl::Status Bad(int rule, absl::string_view what, uint64_t value) {
  return absl::DataLossError(absl::StrFormat("superblock rule V%d: bad %s; stored %d", rule, what, value));
}

bool IsPowerOfTwoIn(uint64_t value, uint64_t low, uint64_t high) {
  return std::has_single_bit(value) && value >= low && value <= high;
}

}  // namespace

uint64_t SuperblockAddress(int copy, uint64_t device_bytes) {
  switch (copy) {
    case 0:
      return 0;
    case 1:
      return kSuperblockSpacing;
    default:
      return base::RoundDown(device_bytes, kBlockBytes) - kSuperblockSpacing;
  }
}

absl::Status Validate(const Superblock& s) {
  if (s.header.volume_id == 0) return Bad(1, "volume id", 0);
  if (s.block_bytes != kBlockBytes) return Bad(2, "block size", s.block_bytes);
  if (!IsPowerOfTwoIn(s.page_bytes, kPageBytesMin, kPageBytesMax)) return Bad(2, "page size", s.page_bytes);
  if (!IsPowerOfTwoIn(s.chunk_bytes, kChunkBytesMin, kChunkBytesMax)) return Bad(2, "chunk size", s.chunk_bytes);
  if (s.device_bytes > uint64_t{1} << 56) return Bad(3, "device size", s.device_bytes);
  if (s.device_bytes < 4 * kSuperblockSpacing) return Bad(3, "device size", s.device_bytes);
  if (s.log_address % kBlockBytes != 0 || s.log_address < 2 * kSuperblockSpacing) {
    return Bad(4, "log address", s.log_address);
  }
  if (s.log_bytes % kBlockBytes != 0 || s.log_bytes < kLogBytesMin || s.log_bytes > s.device_bytes) {
    return Bad(4, "log size", s.log_bytes);
  }
  if (s.chunks_address % kBlockBytes != 0 || s.chunks_address < s.log_address + s.log_bytes) {
    return Bad(5, "chunk area address", s.chunks_address);
  }
  const uint64_t chunks_end = s.chunks_address + uint64_t{s.chunk_count} * s.chunk_bytes;
  if (s.chunk_count < kChunksMin || chunks_end > SuperblockAddress(2, s.device_bytes)) {
    return Bad(5, "chunk count", s.chunk_count);
  }
  if ((s.tree_height == 0) != (s.root.address == 0)) return Bad(6, "tree height", s.tree_height);
  if (s.tree_height > 16) return Bad(6, "tree height", s.tree_height);
  if (s.root.address != 0) {
    const uint64_t offset = s.root.address - s.chunks_address;
    if (s.root.address < s.chunks_address || s.root.address >= chunks_end || offset % s.page_bytes != 0) {
      return Bad(6, "root address", s.root.address);
    }
  }
  if (s.tail_offset >= s.log_bytes || s.tail_offset % kBlockBytes != 0) return Bad(7, "log tail", s.tail_offset);
  if (s.tail_batch == 0 || s.fence_batch + 1 < s.tail_batch) return Bad(8, "fence", s.fence_batch);
  if (s.void_bytes % kBlockBytes != 0 || s.void_bytes >= s.log_bytes) return Bad(8, "void range of the log", s.void_bytes);
  if (s.void_bytes == 0 ? s.void_batch != 0 : s.void_batch + 1 < s.tail_batch || s.void_batch > s.fence_batch) {
    return Bad(8, "void range of the log", s.void_batch);
  }
  if (s.reserved0 != 0) return Bad(9, "reserved field", s.reserved0);
  return absl::OkStatus();
}

void Encode(Superblock superblock, uint64_t address, absl::Span<uint8_t> out) {
  superblock.header.magic = kBlockMagic;
  superblock.header.type = BlockType::kSuperblock;
  superblock.header.version = kBlockVersion;
  superblock.header.address = address;
  superblock.header.length = kSuperblockBytes;
  std::fill(out.begin(), out.end(), 0);
  std::memcpy(out.data(), &superblock, sizeof superblock);
  SealBlock(out);
}

absl::StatusOr<Superblock> DecodeSuperblock(absl::Span<const uint8_t> block, uint64_t address) {
  if (block.size() != kSuperblockBytes) return absl::DataLossError("superblock of a wrong size");
  Superblock superblock;
  std::memcpy(&superblock, block.data(), sizeof superblock);
  if (superblock.header.length != kSuperblockBytes) {
    return absl::DataLossError(absl::StrFormat("bad length; stored %d", superblock.header.length));
  }
  RETURN_IF_ERROR(CheckBlock(block, {BlockType::kSuperblock, superblock.header.volume_id, address}));
  if (superblock.format_version != kFormatVersion) {
    return absl::UnimplementedError(absl::StrFormat("format version %d, this program knows %d: take a newer cachefs",
                                                    superblock.format_version, kFormatVersion));
  }
  if (superblock.features_incompat != 0) {
    return absl::UnimplementedError(absl::StrFormat("needs unknown features %x: take a newer cachefs", superblock.features_incompat));
  }
  RETURN_IF_ERROR(Validate(superblock));
  return superblock;
}

std::string DebugString(const Superblock& s) {
  return absl::StrFormat(
      "%s\n  format=%d flags=%x features=%x/%x/%x device_bytes=%d page_bytes=%d chunk_bytes=%d chunks=%d@%d "
      "log=%d@%d\n  mount_epoch=%d log_epoch=%d tree_generation=%d root={%d gen %d crc %08x} height=%d pages=%d "
      "tree_sequence=%d\n  tail={offset %d batch %d chain %08x} fence={batch %d chain %08x} void={batch %d bytes %d} "
      "label=\"%s\"",
      DebugString(s.header), s.format_version, s.flags, s.features_compat, s.features_ro_compat, s.features_incompat,
      s.device_bytes, s.page_bytes, s.chunk_bytes, s.chunk_count, s.chunks_address, s.log_bytes, s.log_address,
      s.mount_epoch, s.log_epoch, s.tree_generation, s.root.address, s.root.generation, s.root.crc32c, s.tree_height,
      s.tree_pages, s.tree_sequence, s.tail_offset, s.tail_batch, s.tail_chain, s.fence_batch, s.fence_chain, s.void_batch, s.void_bytes,
      std::string(s.label.data(), strnlen(s.label.data(), s.label.size())));
}

absl::StatusOr<Superblock> LayOut(const GeometryOptions& options) {
  if (!IsPowerOfTwoIn(options.page_bytes, kPageBytesMin, kPageBytesMax)) {
    return absl::InvalidArgumentError(absl::StrFormat("page size %d is no power of two from 4 KiB to 32 KiB", options.page_bytes));
  }
  if (!IsPowerOfTwoIn(options.chunk_bytes, kChunkBytesMin, kChunkBytesMax)) {
    return absl::InvalidArgumentError(absl::StrFormat("chunk size %d is no power of two from 64 KiB to 8 MiB", options.chunk_bytes));
  }
  Superblock s;
  s.device_bytes = options.device_bytes;
  s.page_bytes = options.page_bytes;
  s.chunk_bytes = options.chunk_bytes;
  s.log_address = 2 * kSuperblockSpacing;
  s.log_bytes = options.log_bytes;
  if (s.log_bytes == 0) {
    const uint64_t least = std::min<uint64_t>(64 * base::kMiB, options.device_bytes / 10);
    s.log_bytes = std::clamp(options.device_bytes / 100, std::max<uint64_t>(least, kLogBytesMin), base::kGiB);
    s.log_bytes = base::RoundDown(s.log_bytes, kLogBytesMin);
  }
  if (s.log_bytes % kBlockBytes != 0 || s.log_bytes < kLogBytesMin || s.log_bytes > options.device_bytes) {
    return absl::InvalidArgumentError(absl::StrFormat("log size %d is no multiple of 4 KiB from 64 KiB up to the device's size", s.log_bytes));
  }
  s.chunks_address = base::RoundUp(s.log_address + s.log_bytes, s.chunk_bytes);
  const uint64_t end = options.device_bytes < kSuperblockSpacing ? 0 : SuperblockAddress(2, options.device_bytes);
  if (end < s.chunks_address + uint64_t{kChunksMin} * s.chunk_bytes) {
    return absl::InvalidArgumentError(absl::StrFormat("device too small; %s, needs at least %s",
                                                      base::HumanSize(options.device_bytes),
                                                      base::HumanSize(s.chunks_address + uint64_t{kChunksMin} * s.chunk_bytes + kSuperblockSpacing)));
  }
  s.chunk_count = static_cast<uint32_t>(std::min<uint64_t>((end - s.chunks_address) / s.chunk_bytes, UINT32_MAX - 1));
  return s;
}

std::vector<Superblock> SuperblockTestInstances() {
  std::vector<Superblock> instances;
  for (const uint64_t size : {uint64_t{4} << 20, uint64_t{1} << 30, uint64_t{10} << 40}) {
    GeometryOptions options;
    options.device_bytes = size;
    if (size < base::kGiB) options.chunk_bytes = 64 << 10, options.page_bytes = 4 << 10, options.log_bytes = 128 << 10;
    Superblock s = *LayOut(options);
    s.header.volume_id = 0x1122334455667788;
    s.header.generation = 1;
    s.tail_batch = 1;
    instances.push_back(s);
    s.flags = kCleanlyClosed;
    s.mount_epoch = 7;
    s.log_epoch = 9;
    s.tree_generation = 12;
    s.root = {s.ChunkAddress(3), 12, 0xdeadbeef};
    s.tree_height = 2;
    s.tree_pages = 17;
    s.tail_offset = 8192;
    s.tail_batch = 40;
    s.fence_batch = 41;
    s.tail_chain = 0x01020304;
    s.fence_chain = 0x0a0b0c0d;
    s.tree_sequence = 1234;
    s.void_batch = 40;
    s.void_bytes = 12288;
    s.created_ns = 1'700'000'000'000'000'000;
    std::memcpy(s.label.data(), "test", 4);
    instances.push_back(s);
  }
  return instances;
}

}  // namespace fs
