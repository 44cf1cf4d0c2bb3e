// The part of EngineImpl that edits rows and extents.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"

namespace fs {
namespace {

uint64_t ExtentOffset(absl::string_view key) { return base::LoadBig<uint64_t>(KeySuffix(key).data()); }

bool IsExtentOf(InodeNumber inode, absl::string_view key) {
  return key.size() == kKeyHeaderBytes + 8 && KeyInode(key) == inode && KeyType(key) == RowType::kExtent;
}

uint64_t UnitsEnd(uint64_t offset, const ExtentView& extent) {
  return offset + base::RoundUp(extent.length, kBlockBytes);
}

}  // namespace

void EngineImpl::PutRow(absl::string_view key, absl::string_view value) {
  tree_.Put(key, value);
  open_.rows[key] = std::string(value);
  open_.row_bytes += kLogRowOverhead + key.size() + value.size();
}

void EngineImpl::DeleteRow(absl::string_view key) {
  if (!tree_.Delete(key)) return;
  open_.rows[key] = absl::nullopt;
  open_.row_bytes += kLogRowOverhead + key.size();
}

std::string EngineImpl::OwnerKeyOf(uint64_t address) const {
  const uint32_t chunk = chunks_.ChunkOf(address).value_or(0);
  return OwnerKey(chunk, static_cast<uint32_t>((address - chunks_.ChunkAddress(chunk)) / kBlockBytes));
}

void EngineImpl::PutOwner(uint64_t address, const ExtentOwner& owner) {
  tree_.Put(OwnerKeyOf(address), EncodeOwnerRow(owner));
}

void EngineImpl::DeleteOwner(uint64_t address) { static_cast<void>(tree_.Delete(OwnerKeyOf(address))); }

uint32_t EngineImpl::ExtentUnitsMax() const {
  const size_t row = RowBytesMax(page_bytes_) - kKeyHeaderBytes - 8 - kExtentHeaderBytes;
  return static_cast<uint32_t>(std::min<size_t>(row / 4, std::min(kExtentBytesMax, chunks_.chunk_bytes()) / kBlockBytes));
}

// What the tree says about space cannot be: nothing may be written any more.
void EngineImpl::Damage(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

absl::Status EngineImpl::VisitExtents(InodeNumber inode, uint64_t begin, uint64_t end,
                                      absl::FunctionRef<bool(uint64_t offset, const ExtentView& extent)> visit) const {
  absl::Status status;
  uint64_t last_end = 0;
  const auto one = [&](absl::string_view key, absl::string_view value) {
    absl::StatusOr<ExtentView> extent = DecodeExtent(value);
    if (!extent.ok() || key.size() != kKeyHeaderBytes + 8) {
      status = extent.ok() ? absl::DataLossError("V30: bad extent key") : extent.status();
      status = base::Annotate(status, absl::StrFormat("inode %d", inode));
      return false;
    }
    const uint64_t offset = ExtentOffset(key);
    last_end = UnitsEnd(offset, *extent);
    return last_end <= begin || visit(offset, *extent);
  };
  // The one that begins at or before `begin`, then those that begin in the range.
  std::string key;
  absl::string_view value;
  if (tree_.Floor(RowKey(inode, RowType::kExtent, begin), &key, &value) && IsExtentOf(inode, key)) {
    if (!one(key, value) || last_end >= end) return status;
  }
  if (begin + 1 >= end) return status;
  const std::string last = end == UINT64_MAX ? RowEnd(inode, RowType::kExtent) : RowKey(inode, RowType::kExtent, end);
  tree_.Scan(RowKey(inode, RowType::kExtent, begin + 1), last, one);
  return status;
}

bool EngineImpl::HasExtent(InodeNumber inode, uint64_t begin, uint64_t end) const {
  bool found = false;
  const absl::Status status = VisitExtents(inode, begin, end, [&](uint64_t, const ExtentView&) {
    found = true;
    return false;
  });
  return found || !status.ok();
}

void EngineImpl::CarveExtents(InodeNumber inode, uint64_t begin, uint64_t end) {
  struct Old {
    uint64_t offset;
    std::string value;
  };
  std::vector<Old> old;
  Damage(VisitExtents(inode, begin, end, [&](uint64_t offset, const ExtentView& extent) {
    const char* start = extent.bytes.data() - kExtentHeaderBytes;
    old.push_back({offset, std::string(start, kExtentHeaderBytes + extent.bytes.size())});
    return true;
  }));
  for (const Old& row : old) {
    const ExtentView extent = *DecodeExtent(row.value);
    const std::string key = RowKey(inode, RowType::kExtent, row.offset);
    const uint64_t units_end = UnitsEnd(row.offset, extent);
    if (extent.kind == ExtentKind::kInline) {
      DeleteRow(key);
      continue;
    }
    const bool packed = extent.kind == ExtentKind::kPacked;
    const auto* crcs = reinterpret_cast<const uint32_t*>(extent.bytes.data());
    std::vector<uint32_t> all(UnitCount(extent.length));
    std::memcpy(all.data(), crcs, all.size() * sizeof(uint32_t));
    const uint64_t from = std::max(begin, row.offset), to = std::min(end, units_end);
    const uint64_t cut_bytes = std::min<uint64_t>(to, row.offset + extent.length) - from;
    Damage(chunks_.RemoveLive(extent.address + (from - row.offset), cut_bytes, packed, FreeTag()));
    if (row.offset < begin) {
      const auto length = static_cast<uint32_t>(begin - row.offset);
      PutRow(key, EncodeDeviceExtent(extent.kind, length, extent.address, all.data()));
      if (!packed) PutOwner(extent.address, {inode, row.offset, length});
    } else {
      DeleteRow(key);
      if (!packed) DeleteOwner(extent.address);
    }
    if (units_end > end) {
      const uint64_t cut = end - row.offset;
      const auto length = static_cast<uint32_t>(extent.length - cut);
      PutRow(RowKey(inode, RowType::kExtent, end),
             EncodeDeviceExtent(extent.kind, length, extent.address + cut, all.data() + cut / kBlockBytes));
      if (!packed) PutOwner(extent.address + cut, {inode, end, length});
    }
  }
}

void EngineImpl::PlaceExtent(InodeNumber inode, uint64_t offset, ExtentKind kind, uint32_t length, uint64_t address,
                             absl::Span<const uint32_t> crcs) {
  CarveExtents(inode, offset, offset + base::RoundUp(length, kBlockBytes));
  Damage(chunks_.AddLive(address, length, kind == ExtentKind::kPacked));
  PutRow(RowKey(inode, RowType::kExtent, offset), EncodeDeviceExtent(kind, length, address, crcs.data()));
  if (kind == ExtentKind::kDevice) PutOwner(address, {inode, offset, length});
}

}  // namespace fs
