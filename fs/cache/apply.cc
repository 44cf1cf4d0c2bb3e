// The part of EngineImpl that takes mutations.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

absl::Span<const uint8_t> Bytes(absl::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

uint64_t UnitOf(uint64_t offset) { return base::RoundDown(offset, kBlockBytes); }

// However slow the device, so much may be dirty.
constexpr uint64_t kDirtyBytesMin = 16 << 20;

// Past the end of every file; keeps sums from overflowing.
constexpr uint64_t kFileBytesMax = uint64_t{1} << 62;

}  // namespace

absl::Status EngineImpl::CheckMutation(const Mutation& mutation) const {
  size_t bytes = 0;
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.key.size() < kKeyHeaderBytes || row.key.size() > kKeyBytesMax ||
        row.key.size() + row.value.size() > RowBytesMax(page_bytes_)) {
      return absl::InvalidArgumentError(absl::StrFormat("row too long; key %d, value %d, together at most %d",
                                                        row.key.size(), row.value.size(), RowBytesMax(page_bytes_)));
    }
    const RowType type = KeyType(row.key);
    if (type == RowType::kExtent || type == RowType::kChunk || type == RowType::kOwner) {
      return absl::InvalidArgumentError("extent, chunk and owner rows are the engine's own");
    }
    bytes += kLogRowOverhead + row.key.size() + row.value.size();
  }
  const uint64_t bytes_max = log_bytes_ / 8;
  if (bytes > bytes_max) {
    return absl::InvalidArgumentError(absl::StrFormat("mutation too long; %d bytes of rows, at most %d", bytes, bytes_max));
  }
  for (const Mutation::Data& data : mutation.data()) {
    if (data.offset > kFileBytesMax || (data.kind == Mutation::Data::Kind::kWrite && data.length > kFileBytesMax)) {
      return absl::InvalidArgumentError(absl::StrFormat("offset too large; %d", data.offset));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Sequence> EngineImpl::Apply(const Mutation& mutation) {
  UnitMap units;
  std::vector<IoRequest> early;
  absl::optional<Sequence> sequence;
  while (!sequence) {
    std::vector<DevicePiece> missing;
    std::vector<std::string> buffers;
    uint64_t era = 0;
    {
      base::MutexLock lock(&mutex_);
      RETURN_IF_ERROR(CheckMutation(mutation));
      RETURN_IF_ERROR(MakeRoom(mutation));
      if (FindMissingUnits(mutation, units, &missing, &buffers)) {
        era = EnterReader();
      } else {
        ApplyNow(mutation, units);
        if (!failure_.ok()) return failure_;
        sequence = ++last_sequence_;
        BeginEarly(mutation, &early);
        if (buffer_.dirty_bytes() >= options_.background_bytes) work_.SignalAll();
      }
    }
    if (!sequence) RETURN_IF_ERROR(ReadMissingUnits(missing, buffers, era, &units));
  }
  if (!early.empty()) device_.Submit(absl::MakeSpan(early));
  return *sequence;
}

void EngineImpl::ApplyNow(const Mutation& mutation, const UnitMap& units) {
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.deleted) {
      DeleteRow(row.key);
    } else {
      PutRow(row.key, row.value);
    }
  }
  for (const Mutation::Data& data : mutation.data()) {
    if (data.kind == Mutation::Data::Kind::kWrite) {
      if (!data.bytes.empty()) ApplyWrite(data, units);
      stats_.user_bytes += data.bytes.size();
    } else {
      ApplyPunch(data.inode, data.offset, data.length, units);
    }
  }
  ++open_.mutations;
  ++stats_.mutations;
}

// What whoever waits for a commit has to wait for at most: about a quarter of a second of
// writing, as fast as the device was lately.
uint64_t EngineImpl::DirtyBytesMax() const {
  const auto bytes = static_cast<uint64_t>(write_bytes_per_second_ / 4);
  return std::min(options_.dirty_bytes_max, std::max(bytes, kDirtyBytesMin));
}

// Waits until the mutation may change something: dirty data below its bound, room in the
// log for its rows, space for all of it.
absl::Status EngineImpl::MakeRoom(const Mutation& mutation) {
  uint64_t blocks = 0;
  for (const Mutation::Data& data : mutation.data()) {
    // Whole units around what is written; a punch may leave two units in part.
    blocks += data.kind == Mutation::Data::Kind::kWrite ? data.bytes.size() / kBlockBytes + 2
              : data.kind == Mutation::Data::Kind::kPunch ? 2 : 0;
  }
  const uint64_t rows = mutation.rows().size() + 2 * mutation.data().size();
  RoomSearch search;
  const uint32_t reserve = ReserveFor(mutation);
  search.must_try = mutation.frees_space() || mutation.replaces_space();
  search.blocks = blocks;
  search.rows = rows;
  search.reserve = reserve;
  while (true) {
    if (closed_) return absl::FailedPreconditionError("the engine is closed");
    if (!failure_.ok()) return base::Annotate(absl::FailedPreconditionError("read-only after a failure"), failure_.message());
    if (read_only_) return absl::FailedPreconditionError("opened read-only");
    if (buffer_.total_bytes() > DirtyBytesMax() || OpenBytes() > log_bytes_ / 8) {
      RETURN_IF_ERROR(CommitOnce({.flip = false, .place = true}));
      continue;
    }
    if (HasRoom(blocks, rows, reserve)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool tried, FindRoom(&search));
    if (!tried) {
      return absl::ResourceExhaustedError(absl::StrFormat("no space; %d blocks wanted, %d chunks short", blocks,
                                                          -SpareChunks(blocks, rows, reserve, tree_.dirty_count())));
    }
  }
}

void EngineImpl::NeedUnit(InodeNumber inode, uint64_t unit, uint32_t wanted_from, const UnitMap& have, std::vector<DevicePiece>* missing,
                          std::vector<std::string>* buffers) {
  if (buffer_.Covers(inode, unit, unit + kBlockBytes)) return;
  const absl::Status status = VisitExtents(inode, unit, unit + kBlockBytes, [&](uint64_t offset, const ExtentView& extent) {
    if (extent.kind == ExtentKind::kInline) return false;
    const auto index = static_cast<uint32_t>((unit - offset) / kBlockBytes);
    const uint64_t address = extent.address + (unit - offset);
    const auto it = have.find({inode, unit});
    if (it != have.end() && it->second.address == address && it->second.crc == extent.Crc(index)) return false;
    const uint32_t bytes = extent.UnitBytes(index);
    if (bytes <= wanted_from) return false;
    buffers->push_back(std::string(bytes, '\0'));
    missing->push_back({missing->size(), address, bytes, {extent.Crc(index)}, 0, {}, inode, unit});
    return false;
  });
  static_cast<void>(status);  // a damaged row is reported by whoever uses it
}

// The units that the mutation covers in part and that only the device has.
bool EngineImpl::FindMissingUnits(const Mutation& mutation, const UnitMap& have, std::vector<DevicePiece>* missing,
                                  std::vector<std::string>* buffers) {
  for (const Mutation::Data& data : mutation.data()) {
    if (data.kind == Mutation::Data::Kind::kDrop || data.length == 0) continue;
    const uint64_t end = data.length > kFileBytesMax ? UINT64_MAX : data.offset + data.length;
    if (data.offset % kBlockBytes != 0) NeedUnit(data.inode, UnitOf(data.offset), 0, have, missing, buffers);
    if (end != UINT64_MAX && end % kBlockBytes != 0 && (UnitOf(end) != UnitOf(data.offset) || data.offset % kBlockBytes == 0)) {
      NeedUnit(data.inode, UnitOf(end), static_cast<uint32_t>(end % kBlockBytes), have, missing, buffers);
    }
  }
  for (size_t i = 0; i < missing->size(); ++i) {
    (*missing)[i].out = absl::MakeSpan(reinterpret_cast<uint8_t*>((*buffers)[i].data()), (*buffers)[i].size());
  }
  return !missing->empty();
}

absl::Status EngineImpl::ReadMissingUnits(std::vector<DevicePiece>& missing, std::vector<std::string>& buffers,
                                          uint64_t era, UnitMap* have) {
  absl::Status status;
  ReadPieces(missing, [&](const DevicePiece&, const absl::Status& error) { status.Update(error); });
  LeaveReader(era);
  RETURN_IF_ERROR(status);
  for (const DevicePiece& piece : missing) {
    (*have)[{piece.inode, piece.offset}] = {piece.address, piece.crcs[0], std::move(buffers[piece.read])};
  }
  return absl::OkStatus();
}

// The bytes that a unit has now, without trailing zeros that it need not have.
std::string EngineImpl::OldUnit(InodeNumber inode, uint64_t unit, const UnitMap& units) {
  std::string bytes;
  bool found = false;
  buffer_.Visit(inode, unit, unit + kBlockBytes, [&](uint64_t offset, const WriteBuffer::Run& run) {
    const uint64_t skip = unit - offset;
    if (skip < run.length) {
      bytes.assign(reinterpret_cast<const char*>(run.data() + skip), std::min<uint64_t>(run.length - skip, kBlockBytes));
    }
    found = true;
  });
  if (found) return bytes;
  Damage(VisitExtents(inode, unit, unit + kBlockBytes, [&](uint64_t, const ExtentView& extent) {
    if (extent.kind == ExtentKind::kInline) {
      bytes = std::string(extent.bytes);
    } else {
      const auto it = units.find({inode, unit});  // absent: nothing of it is wanted
      if (it != units.end()) bytes = it->second.bytes;
    }
    return false;
  }));
  return bytes;
}

void EngineImpl::CarveBuffer(InodeNumber inode, uint64_t begin, uint64_t end) {
  buffer_.Carve(inode, begin, end, [&](uint64_t offset, const WriteBuffer::Run& part) {
    mutex_.AssertHeld();
    if (!part.is_inline) return;
    open_.forgets.push_back({inode, offset, base::RoundUp(part.length, kBlockBytes)});
    open_.row_bytes += kLogForgetBytes;
  });
}

// Lays whole units (the last one may be short) over what is there.
void EngineImpl::PutUnits(InodeNumber inode, uint64_t offset, absl::Span<const uint8_t> bytes,
                          const Placement& placement) {
  CarveBuffer(inode, offset, offset + base::RoundUp(bytes.size(), kBlockBytes));
  while (!bytes.empty()) {
    const size_t length = std::min<size_t>(bytes.size(), WriteBuffer::kRunBytesMax);
    std::shared_ptr<Blob> blob = Blob::Make(length);
    std::memcpy(blob->data(), bytes.data(), length);
    buffer_.Add(inode, offset, static_cast<uint32_t>(length), std::move(blob), 0, placement, NowNs());
    offset += length;
    bytes.remove_prefix(length);
  }
}

void EngineImpl::ApplyWrite(const Mutation::Data& data, const UnitMap& units) {
  const uint64_t end = data.offset + data.bytes.size();
  const bool done = buffer_.WriteInPlace(data.inode, data.offset, Bytes(data.bytes), [&](uint64_t unit) {
    mutex_.AssertHeld();
    return !HasExtent(data.inode, unit, unit + kBlockBytes);
  });
  if (done) return;
  // Complete the first and the last unit with what they hold already.
  const uint64_t begin = UnitOf(data.offset);
  std::string head, tail;
  if (begin != data.offset) {
    head = OldUnit(data.inode, begin, units);
    if (end < begin + kBlockBytes && head.size() > end - begin) tail = head.substr(end - begin);
    head.resize(data.offset - begin, '\0');
  }
  if (end % kBlockBytes != 0 && (head.empty() || UnitOf(end) != begin)) {
    const std::string last = OldUnit(data.inode, UnitOf(end), units);
    if (last.size() > end % kBlockBytes) tail = last.substr(end % kBlockBytes);
  }
  if (head.empty() && tail.empty()) {
    PutUnits(data.inode, data.offset, Bytes(data.bytes), data.placement);
    return;
  }
  std::string whole = std::move(head);
  whole.append(data.bytes.data(), data.bytes.size());
  whole.append(tail);
  PutUnits(data.inode, begin, Bytes(whole), data.placement);
}

void EngineImpl::ApplyPunch(InodeNumber inode, uint64_t offset, uint64_t length, const UnitMap& units) {
  if (length == 0) return;
  const uint64_t end = length > kFileBytesMax ? UINT64_MAX : offset + length;
  Placement placement;
  if (const WriteBuffer::File* file = buffer_.Find(inode)) placement = file->placement;
  const uint64_t first = UnitOf(offset);
  std::string head, tail;
  if (offset != first) {
    head = OldUnit(inode, first, units);
    if (end < first + kBlockBytes && head.size() > end - first) {
      // Within one unit: zeros between what stays on both sides.
      std::fill(head.begin() + static_cast<ptrdiff_t>(offset - first), head.begin() + static_cast<ptrdiff_t>(end - first), '\0');
    } else if (head.size() > offset - first) {
      head.resize(offset - first);
    }
  }
  if (end != UINT64_MAX && end % kBlockBytes != 0 && (offset == first || UnitOf(end) != first)) {
    tail = OldUnit(inode, UnitOf(end), units);
    if (tail.size() > end % kBlockBytes) {
      std::fill(tail.begin(), tail.begin() + static_cast<ptrdiff_t>(end % kBlockBytes), '\0');
    } else {
      tail.clear();
    }
  }
  const uint64_t units_end = end > kFileBytesMax ? UINT64_MAX : base::RoundUp(end, kBlockBytes);
  CarveBuffer(inode, first, units_end);
  CarveExtents(inode, first, units_end);
  if (!head.empty()) PutUnits(inode, first, Bytes(head), placement);
  if (!tail.empty()) PutUnits(inode, UnitOf(end), Bytes(tail), placement);
}

}  // namespace fs
