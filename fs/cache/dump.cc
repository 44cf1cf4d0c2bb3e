#include "fs/cache/dump.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/endian.h"
#include "fs/cache/log_scanner.h"
#include "fs/cache/pack_summary.h"
#include "fs/cache/superblock_store.h"
#include "fs/cache/tree_walk.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/format/block_header.h"
#include "fs/format/chunk_row.h"
#include "fs/format/extent_row.h"
#include "fs/format/inode_row.h"
#include "fs/format/key.h"
#include "fs/format/name_row.h"
#include "fs/format/page.h"
#include "fs/format/volume_row.h"

namespace fs {
namespace {

using Line = absl::FunctionRef<void(absl::string_view)>;

// "; crc32c should be ..." when the header tells how long the structure is.
std::string RightCrc(absl::Span<const uint8_t> block) {
  BlockHeader header;
  if (block.size() < sizeof header) return "";
  std::memcpy(&header, block.data(), sizeof header);
  if (header.length < sizeof header || header.length > block.size()) return "";
  return absl::StrFormat("; crc32c is %08x, should be %08x", header.crc32c, BlockCrc32c(block));
}

template <typename Row>
std::string Text(const absl::StatusOr<Row>& row) {
  return row.ok() ? row->DebugString() : std::string(row.status().message());
}

std::string ValueText(absl::string_view key, absl::string_view value) {
  switch (KeyType(key)) {
    case RowType::kInode:
      return Text(InodeRow::Decode(value));
    case RowType::kName:
      return Text(NameRow::Decode(value));
    case RowType::kOrder:
      return Text(OrderRow::Decode(value));
    case RowType::kPolicy:
      return Text(PolicyRow::Decode(value));
    case RowType::kUsage:
      return Text(UsageRow::Decode(value));
    case RowType::kExtent: {
      const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
      return extent.ok() ? DebugString(*extent) : std::string(extent.status().message());
    }
    case RowType::kOwner: {
      const absl::StatusOr<ExtentOwner> owner = DecodeOwnerRow(value);
      return owner.ok() ? DebugString(*owner) : std::string(owner.status().message());
    }
    default:
      return absl::StrCat("value=", absl::BytesToHexString(value));
  }
}

const char* TypeName(RowType type) {
  switch (type) {
    case RowType::kInode: return "inode";
    case RowType::kBackReference: return "back-reference";
    case RowType::kXattr: return "xattr";
    case RowType::kExtent: return "extent";
    case RowType::kName: return "name";
    case RowType::kOrder: return "order";
    case RowType::kOrphan: return "orphan";
    case RowType::kExpiry: return "expiry";
    case RowType::kPolicy: return "policy";
    case RowType::kUsage: return "usage";
    case RowType::kChunk: return "chunk";
    case RowType::kSharedExtent: return "shared-extent";
    case RowType::kCounter: return "counter";
    case RowType::kOwner: return "owner";
  }
  return "unknown";
}

std::string RowText(absl::string_view key, absl::string_view value) {
  return absl::StrFormat("inode=%d type=%s suffix=%s %s", KeyInode(key), TypeName(KeyType(key)),
                         absl::BytesToHexString(KeySuffix(key)), ValueText(key, value));
}

void DumpSuperblocks(Device& device, const std::vector<SuperblockStore::Copy>& copies, Line line) {
  for (size_t i = 0; i < copies.size(); ++i) {
    const SuperblockStore::Copy& copy = copies[i];
    if (copy.status.ok()) {
      for (absl::string_view part : absl::StrSplit(DebugString(copy.superblock), '\n')) {
        line(absl::StrCat(part[0] == ' ' ? "" : absl::StrFormat("superblock %d: ", i), part));
      }
      continue;
    }
    AlignedBuffer block(kSuperblockBytes);
    const bool read = device.Read(copy.address, block.span()).ok();
    line(absl::StrFormat("superblock %d: damaged: %s%s", i, copy.status.message(), read ? RightCrc(block.span()) : ""));
  }
}

void DumpLog(Device& device, const Superblock& superblock, bool records, Line line) {
  LogScanner scanner(device, superblock);
  while (true) {
    const absl::StatusOr<absl::optional<LogScanner::Batch>> batch = scanner.Next();
    if (!batch.ok()) line(absl::StrCat("log: ", batch.status().message()));
    if (!batch.ok() || !*batch) break;
    line(absl::StrFormat("log at %d: %s", superblock.log_address + (*batch)->offset, DebugString((*batch)->header)));
    if (!records) continue;
    const absl::Status decoded = DecodeLogPayload((*batch)->header, (*batch)->payload, [&](const LogRecord& record) {
      line(absl::StrCat("  ", DebugString(record)));
      return absl::OkStatus();
    });
    if (!decoded.ok()) line(absl::StrCat("  ", decoded.message()));
  }
  if (!scanner.cut().empty()) line(absl::StrCat("log: cut at ", scanner.cut()));
  line(absl::StrFormat("log: ends before batch %d, %d bytes in use", scanner.end_batch(), scanner.used_bytes()));
}

void DumpChunk(Device& device, const Superblock& superblock, uint32_t index, absl::string_view value, bool owners, Line line) {
  const absl::StatusOr<ChunkRow> row = DecodeChunkRow(value, superblock.chunk_bytes);
  line(absl::StrFormat("chunk %d at %d: %s", index, superblock.ChunkAddress(index), row.ok() ? DebugString(*row) : std::string(row.status().message())));
  if (!row.ok() || !owners || row->summary_block == 0) return;
  const absl::StatusOr<std::vector<PackOwner>> packed = ReadPackOwners(
      device, {superblock.header.volume_id, superblock.ChunkAddress(index), superblock.chunk_bytes, row->summary_block});
  if (!packed.ok()) return line(absl::StrCat("  ", packed.status().message()));
  for (const PackOwner& owner : *packed) {
    line(absl::StrFormat("  at %d: inode=%d offset=%d length=%d", owner.position, owner.inode, owner.offset, owner.length));
  }
}

}  // namespace

absl::Status DumpVolume(Device& device, const DumpOptions& options, Line line) {
  const std::vector<SuperblockStore::Copy> copies = SuperblockStore::ReadCopies(device);
  if (options.superblocks) DumpSuperblocks(device, copies, line);
  const SuperblockStore::Copy* best = nullptr;
  for (const SuperblockStore::Copy& copy : copies) {
    if (copy.status.ok() && (best == nullptr || copy.superblock.header.generation > best->superblock.header.generation)) best = &copy;
  }
  if (best == nullptr) {
    line("no valid superblock: nothing else can be found");
    return absl::OkStatus();
  }
  const Superblock& superblock = best->superblock;
  if (options.log) DumpLog(device, superblock, options.records, line);
  std::map<uint32_t, std::string> chunks;
  const uint64_t pages_max = superblock.chunk_count * uint64_t{superblock.chunk_bytes / superblock.page_bytes};
  const absl::Status walked = WalkTree(device, superblock, pages_max, [&](const WalkedPage& walked_page) {
    Page page(walked_page.bytes.data(), walked_page.bytes.size());
    if (!walked_page.status.ok()) {
      line(absl::StrFormat("page at %d: damaged: %s%s", walked_page.ref.address, walked_page.status.message(), RightCrc(walked_page.bytes)));
      return;
    }
    if (options.pages) line(absl::StrFormat("page at %d: %s", walked_page.ref.address, DebugString(page)));
    if (walked_page.level > 0) return;
    for (int i = 0; i < page.count(); ++i) {
      const std::string key = page.Key(i);
      if (key.size() < kKeyHeaderBytes) continue;
      if (KeyInode(key) == 0 && KeyType(key) == RowType::kChunk && key.size() == kKeyHeaderBytes + 4) {
        chunks[base::LoadBig<uint32_t>(KeySuffix(key).data())] = std::string(page.Value(i));
      } else if (options.rows) {
        line(absl::StrCat("  ", RowText(key, page.Value(i))));
      }
    }
  });
  if (!walked.ok()) line(absl::StrCat("tree: ", walked.message()));
  for (const auto& [index, value] : chunks) {
    if (options.chunks) DumpChunk(device, superblock, index, value, options.rows, line);
  }
  return absl::OkStatus();
}

}  // namespace fs
