// Volume: the content of regular files.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/volume/volume.h"
#include "fs/volume/volume_state.h"
#include "fs/volume/xattr_store.h"

namespace fs {
namespace {

constexpr uint64_t kCopyBytes = 1 << 20;      // one mutation of a copy, or of an allocation
constexpr uint64_t kCopyBytesMax = 64 << 20;  // one call; the caller asks again for the rest

// The part of [offset, offset + size) that lies before the end of the file.
size_t Clamp(const Inode& inode, uint64_t offset, size_t size) {
  const uint64_t end = inode.size_bytes();
  return offset >= end ? 0 : static_cast<size_t>(std::min<uint64_t>(size, end - offset));
}

absl::StatusOr<Placement> PlacementOf(VolumeState& state, Inode& inode, uint32_t policy) {
  ASSIGN_OR_RETURN(const Home home, state.HomeOf(inode));
  if (home.parent == 0) return Placement{inode.number(), 0, policy};
  return Placement{home.parent, home.index, policy};
}

absl::Status CheckRange(const Inode& inode, uint64_t offset, uint64_t length) {
  if (offset <= kFileBytesMax && length <= kFileBytesMax - offset) return absl::OkStatus();
  return InodeError(EFBIG, "file would be too large", inode.number());
}

// Whether all of [offset, offset + size) has space already.
bool IsAllocated(VolumeState& state, InodeNumber inode, uint64_t offset, size_t size) {
  const absl::StatusOr<uint64_t> hole = state.engine.Seek(inode, offset, /*hole=*/true);
  return hole.ok() && *hole >= offset + size;
}

void Grow(Change& change, InodeRow& row, uint64_t end) {
  if (end <= row.size_bytes) return;
  change.AddUsage(row.policy, 0, static_cast<int64_t>(end - row.size_bytes));
  row.size_bytes = end;
}

absl::Status WriteLocked(VolumeState& state, Inode& inode, Change& change, uint64_t offset, absl::string_view bytes,
                         const VolumeWriteOptions& options) {
  InodeRow& row = change.EditContent(inode);
  RETURN_IF_ERROR(DropPrivileges(state, change.mutation(), inode.number(), row, options.kill_privileges));
  ASSIGN_OR_RETURN(const Placement placement, PlacementOf(state, inode, row.policy));
  Grow(change, row, offset + bytes.size());
  change.mutation().Write(inode.number(), offset, bytes, placement);
  absl::Status status = change.Apply();
  if (absl::IsResourceExhausted(status) && IsAllocated(state, inode.number(), offset, bytes.size())) {
    // What was allocated can be written, however full the device is.
    change.mutation().set_replaces_space();
    status = change.Apply();
  }
  return base::Annotate(status, absl::StrCat("write of inode ", inode.number(), " at ", offset));
}

// Punches or zeros.
absl::Status ClearLocked(VolumeState& state, Inode& inode, Change& change, FallocateMode mode, uint64_t offset,
                         uint64_t length, const VolumeWriteOptions& options) {
  InodeRow& row = change.EditContent(inode);
  RETURN_IF_ERROR(DropPrivileges(state, change.mutation(), inode.number(), row, options.kill_privileges));
  if (mode == FallocateMode::kZeroRange) Grow(change, row, offset + length);
  change.mutation().Punch(inode.number(), offset, length);
  change.mutation().set_frees_space();
  return change.Apply();
}

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// What has no space yet in [begin, end).
absl::StatusOr<std::vector<Range>> HolesOf(VolumeState& state, InodeNumber inode, uint64_t begin, uint64_t end) {
  std::vector<Range> holes;
  while (begin < end) {
    const absl::StatusOr<uint64_t> found = state.engine.Seek(inode, begin, /*hole=*/true);
    if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
    const uint64_t hole = found.ok() ? *found : begin;  // nothing but a hole from here on
    if (hole >= end) break;
    const absl::StatusOr<uint64_t> data = state.engine.Seek(inode, hole, /*hole=*/false);
    if (!data.ok() && !absl::IsNotFound(data.status())) return data.status();
    begin = data.ok() ? std::min(*data, end) : end;
    holes.push_back({hole, begin});
  }
  return holes;
}

// Space is promised by taking it: zeros are written where nothing is, and an overwrite needs no
// more than it gives back. All of it, or nothing.
absl::Status Allocate(VolumeState& state, Inode& inode, uint64_t begin, uint64_t end) {
  ASSIGN_OR_RETURN(const std::vector<Range> holes, HolesOf(state, inode.number(), begin, end));
  uint64_t wanted = 0;
  for (const Range& hole : holes) wanted += hole.end - hole.begin;
  absl::Status status;
  if (wanted > state.engine.space().available_bytes) status = absl::ResourceExhaustedError("");
  const std::string zeros(std::min(wanted, kCopyBytes), '\0');
  std::vector<Range> taken;
  for (const Range& hole : holes) {
    for (uint64_t at = hole.begin; status.ok() && at < hole.end; at += zeros.size()) {
      const absl::string_view bytes(zeros.data(), std::min<uint64_t>(zeros.size(), hole.end - at));
      status = ChangeInode(state, inode, [&](Change& change) -> absl::Status {
        ASSIGN_OR_RETURN(const Placement placement, PlacementOf(state, inode, change.EditQuietly(inode).policy));
        change.mutation().Write(inode.number(), at, bytes, placement);
        return change.Apply();
      });
      if (status.ok()) taken.push_back({at, at + bytes.size()});
    }
  }
  if (status.ok()) return status;
  for (const Range& range : taken) {
    status.Update(ChangeInode(state, inode, [&](Change& change) {
      change.mutation().Punch(inode.number(), range.begin, range.end - range.begin);
      change.mutation().set_frees_space();
      return change.Apply();
    }));
  }
  if (absl::IsResourceExhausted(status)) return InodeError(ENOSPC, "no space left for this allocation", inode.number());
  return status;
}

}  // namespace

absl::StatusOr<size_t> Volume::Read(InodeNumber inode, uint64_t offset, absl::Span<uint8_t> out) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  const size_t size = Clamp(*pin, offset, out.size());
  if (size == 0) return size;
  const absl::Status read = state_->engine.ReadData({inode, offset, out.first(size)});
  if (!read.ok()) return base::Annotate(read, absl::StrCat("read of inode ", inode, " at ", offset));
  state_->NoteUse(*pin);
  return size;
}

absl::StatusOr<bool> Volume::TryRead(InodeNumber inode, uint64_t offset, absl::Span<uint8_t> out, size_t* size) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  *size = Clamp(*pin, offset, out.size());
  state_->NoteUse(*pin);
  return *size == 0 || state_->engine.TryReadData({inode, offset, out.first(*size)});
}

void Volume::ReadBatch(absl::Span<const VolumeRead> reads,
                       absl::FunctionRef<void(size_t index, absl::StatusOr<size_t> size)> done) {
  std::vector<DataRead> data_reads;
  std::vector<size_t> indexes;
  std::vector<InodePin> pins;
  for (size_t i = 0; i < reads.size(); ++i) {
    absl::StatusOr<InodePin> pin = state_->PinFile(reads[i].inode);
    if (!pin.ok()) {
      done(i, pin.status());
      continue;
    }
    const size_t size = Clamp(**pin, reads[i].offset, reads[i].out.size());
    state_->NoteUse(**pin);
    if (size == 0) {
      done(i, size);
      continue;
    }
    data_reads.push_back({reads[i].inode, reads[i].offset, reads[i].out.first(size)});
    indexes.push_back(i);
    pins.push_back(*std::move(pin));
  }
  state_->engine.ReadDataBatch(data_reads, [&](size_t index, absl::Status status) {
    const DataRead& read = data_reads[index];
    if (status.ok()) {
      done(indexes[index], read.out.size());
    } else {
      done(indexes[index], base::Annotate(status, absl::StrCat("read of inode ", read.inode, " at ", read.offset)));
    }
  });
}

absl::Status Volume::Write(InodeNumber inode, uint64_t offset, absl::string_view bytes,
                           const VolumeWriteOptions& options) {
  RETURN_IF_ERROR(state_->CheckWritable());
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  RETURN_IF_ERROR(CheckRange(*pin, offset, bytes.size()));
  if (bytes.empty()) return absl::OkStatus();
  return ChangeInode(*state_, *pin,
                     [&](Change& change) { return WriteLocked(*state_, *pin, change, offset, bytes, options); });
}

absl::StatusOr<uint64_t> Volume::Append(InodeNumber inode, absl::string_view bytes, const VolumeWriteOptions& options) {
  RETURN_IF_ERROR(state_->CheckWritable());
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  uint64_t offset = pin->size_bytes();
  if (bytes.empty()) return offset;
  RETURN_IF_ERROR(ChangeInode(*state_, *pin, [&](Change& change) -> absl::Status {
    offset = pin->size_bytes();
    RETURN_IF_ERROR(CheckRange(*pin, offset, bytes.size()));
    return WriteLocked(*state_, *pin, change, offset, bytes, options);
  }));
  return offset;
}

absl::Status Volume::Fallocate(InodeNumber inode, FallocateMode mode, uint64_t offset, uint64_t length,
                               const VolumeWriteOptions& options) {
  RETURN_IF_ERROR(state_->CheckWritable());
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  if (length == 0) return InodeError(EINVAL, "nothing to allocate", inode);
  RETURN_IF_ERROR(CheckRange(*pin, offset, length));
  if (mode != FallocateMode::kExtend && mode != FallocateMode::kKeepSize) {
    return ChangeInode(*state_, *pin, [&](Change& change) {
      return ClearLocked(*state_, *pin, change, mode, offset, length, options);
    });
  }
  RETURN_IF_ERROR(Allocate(*state_, *pin, offset, offset + length));
  return ChangeInode(*state_, *pin, [&](Change& change) -> absl::Status {
    InodeRow& row = change.Edit(*pin);
    RETURN_IF_ERROR(DropPrivileges(*state_, change.mutation(), inode, row, options.kill_privileges));
    if (mode == FallocateMode::kExtend) Grow(change, row, offset + length);
    return change.Apply();
  });
}

absl::StatusOr<uint64_t> Volume::CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to, uint64_t to_offset,
                                           uint64_t length, const VolumeWriteOptions& options) {
  VolumeState& state = *state_;
  RETURN_IF_ERROR(state.CheckWritable());
  ASSIGN_OR_RETURN(const InodePin source, state.PinFile(from));
  ASSIGN_OR_RETURN(const InodePin target, state.PinFile(to));
  RETURN_IF_ERROR(CheckRange(*source, from_offset, length));
  RETURN_IF_ERROR(CheckRange(*target, to_offset, length));
  length = Clamp(*source, from_offset, length);  // as it is now: a copy within a file may let it grow
  if (from == to && from_offset < to_offset + length && to_offset < from_offset + length) {
    return InodeError(EINVAL, "ranges overlap", from);
  }
  length = std::min(length, kCopyBytesMax);
  std::string buffer;
  uint64_t copied = 0;
  while (copied < length) {
    const uint64_t at = from_offset + copied;
    const uint64_t rest = Clamp(*source, at, length - copied);
    if (rest == 0) break;
    // Holes stay holes.
    const absl::StatusOr<uint64_t> data = state.engine.Seek(from, at, /*hole=*/false);
    if (!data.ok() && !absl::IsNotFound(data.status())) return data.status();
    const uint64_t hole = data.ok() ? std::min(*data - at, rest) : rest;
    if (hole > 0) {
      RETURN_IF_ERROR(ChangeInode(state, *target, [&](Change& change) {
        return ClearLocked(state, *target, change, FallocateMode::kZeroRange, to_offset + copied, hole, options);
      }));
      copied += hole;
      continue;
    }
    buffer.resize(std::min(rest, kCopyBytes));
    RETURN_IF_ERROR(
        state.engine.ReadData({from, at, absl::MakeSpan(reinterpret_cast<uint8_t*>(buffer.data()), buffer.size())}));
    RETURN_IF_ERROR(ChangeInode(state, *target, [&](Change& change) {
      return WriteLocked(state, *target, change, to_offset + copied, buffer, options);
    }));
    copied += buffer.size();
  }
  return copied;
}

absl::StatusOr<uint64_t> Volume::Seek(InodeNumber inode, uint64_t offset, bool hole) {
  ASSIGN_OR_RETURN(const InodePin pin, state_->PinFile(inode));
  const uint64_t end = pin->size_bytes();
  if (offset >= end) return InodeError(ENXIO, "past the end of the file", inode);
  const absl::StatusOr<uint64_t> found = state_->engine.Seek(inode, offset, hole);
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  if (hole) return found.ok() ? std::min(*found, end) : offset;
  if (!found.ok() || *found >= end) return InodeError(ENXIO, "no data up to the end of the file", inode);
  return *found;
}

}  // namespace fs
