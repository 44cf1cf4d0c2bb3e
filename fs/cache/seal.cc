// The part of EngineImpl that closes the open batch: what goes inline into the log, what
// gets a place on the device, and where.
#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
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

// Files up to this size are packed.
constexpr uint64_t kSmallFileBytes = 64 << 10;

// One write to the device is at most this long.
constexpr uint32_t kWriteBytesMax = 1 << 20;

// From here on a request of its own is cheaper than a copy: with 32 KiB, batches of 64 KiB
// objects took twice as long on a busy machine, for each completion wakes somebody.
constexpr uint32_t kDirectBytesMin = 256 << 10;

void AppendCrcs(const uint8_t* data, uint32_t length, std::vector<uint32_t>* crcs) {
  for (uint32_t at = 0; at < length; at += kBlockBytes) crcs->push_back(Crc32c(data + at, std::min(length - at, kBlockBytes)));
}

}  // namespace

absl::Status EngineImpl::Seal(CommitKind kind, Batch* batch) {
  batch->number = next_batch_;
  batch->durable_batch = durable_batch_;
  batch->last_sequence = last_sequence_;
  batch->mutations = open_.mutations;
  chunks_.set_batch(batch->number);
  const uint64_t inline_max = std::min<uint64_t>(options_.inline_bytes_max, log_bytes_ / 8);
  std::vector<InodeNumber> dirty(buffer_.dirty_inodes().begin(), buffer_.dirty_inodes().end());
  std::sort(dirty.begin(), dirty.end());
  for (const InodeNumber inode : dirty) SealTiny(inode);
  if (kind.flip || kind.place || buffer_.dirty_bytes() > inline_max) {
    RETURN_IF_ERROR(SealPlaced(kind.flip || kind.place, batch));
    // What the log will no longer tell: who lies where in chunks that are still filled.
    for (auto& [policy, pack] : packs_) {
      if (kind.flip) SummarizePack(pack, batch);
    }
  } else {
    SealInline(batch);
  }
  batch->rows = std::exchange(open_.rows, {});
  batch->forgets = std::exchange(open_.forgets, {});
  open_ = OpenBatch();
  if (kind.flip) {
    // E3. Chunk rows are the checkpoint's alone: replay finds them out from extents.
    WriteChunkRows();
    batch->flip = true;
    batch->frozen = tree_.Freeze();
    frozen_pages_ = batch->frozen.frames.size();
  }
  ++next_batch_;
  return absl::OkStatus();
}

// A whole file of a few bytes lives in its extent row.
bool EngineImpl::SealTiny(InodeNumber inode) {
  const WriteBuffer::File* file = buffer_.Find(inode);
  if (file == nullptr || file->runs.size() != 1) return false;
  const auto& [offset, run] = *file->runs.begin();
  if (offset != 0 || run.length > kInlineExtentBytesMax || run.state != WriteBuffer::State::kDirty) return false;
  if (HasExtent(inode, kBlockBytes, UINT64_MAX)) return false;
  const std::string value = EncodeInlineExtent(absl::string_view(reinterpret_cast<const char*>(run.data()), run.length));
  CarveExtents(inode, 0, kBlockBytes);
  PutRow(RowKey(inode, RowType::kExtent, 0), value);
  buffer_.Remove(inode, 0);
  return true;
}

void EngineImpl::SealInline(Batch* batch) {
  std::vector<InodeNumber> dirty(buffer_.dirty_inodes().begin(), buffer_.dirty_inodes().end());
  std::sort(dirty.begin(), dirty.end());
  for (const InodeNumber inode : dirty) {
    WriteBuffer::File* file = buffer_.Find(inode);
    batch->inodes.push_back(inode);
    for (auto& [offset, run] : file->runs) {
      if (run.state != WriteBuffer::State::kDirty) continue;
      buffer_.SetEarly(run, nullptr);
      batch->inlines.push_back({inode, offset, run.length, run.blob, run.blob_offset, file->placement});
      buffer_.SetState(inode, run, WriteBuffer::State::kSealed);
      run.is_inline = true;
    }
  }
}

bool EngineImpl::IsSmallFile(InodeNumber inode, const WriteBuffer::File& file) const {
  const auto& [offset, run] = *file.runs.rbegin();
  const uint64_t small = std::min<uint64_t>(kSmallFileBytes, chunks_.chunk_bytes() / 4);
  return offset + run.length <= small && !HasExtent(inode, small, UINT64_MAX);
}

absl::Status EngineImpl::SealPlaced(bool with_logged, Batch* batch) {
  std::vector<InodeNumber> inodes(buffer_.dirty_inodes().begin(), buffer_.dirty_inodes().end());
  if (with_logged) {
    inodes.insert(inodes.end(), buffer_.logged_inodes().begin(), buffer_.logged_inodes().end());
  }
  std::sort(inodes.begin(), inodes.end());
  inodes.erase(std::unique(inodes.begin(), inodes.end()), inodes.end());
  std::vector<Unplaced> small;
  for (const InodeNumber inode : inodes) {
    WriteBuffer::File* file = buffer_.Find(inode);
    if (file == nullptr) continue;
    batch->inodes.push_back(inode);
    if (!IsSmallFile(inode, *file)) {
      RETURN_IF_ERROR(PlaceLarge(inode, with_logged, batch));
      continue;
    }
    for (auto& [offset, run] : file->runs) {
      buffer_.SetEarly(run, nullptr);  // it has shrunk since
      if (run.state == WriteBuffer::State::kDirty || (with_logged && run.state == WriteBuffer::State::kLogged)) {
        small.push_back({inode, offset, file->placement});
      }
    }
  }
  // Files of a directory lie together, in the order in which it lists them.
  std::sort(small.begin(), small.end(), [](const Unplaced& a, const Unplaced& b) {
    return std::tie(a.placement.policy, a.placement.group, a.placement.order, a.inode, a.offset) <
           std::tie(b.placement.policy, b.placement.group, b.placement.order, b.inode, b.offset);
  });
  for (const Unplaced& object : small) RETURN_IF_ERROR(PlacePacked(object, batch));
  EndPackRuns();
  return absl::OkStatus();
}

// Adds what `run` holds from `skip` on to the batch's writes, to lie at `address`.
void EngineImpl::AddPiece(uint64_t address, const WriteBuffer::Run& run, uint32_t skip, uint32_t length, Batch* batch) {
  const bool direct = length >= kDirectBytesMin && length % kBlockBytes == 0 && address % kBlockBytes == 0 &&
                      run.blob->aligned() && (run.blob_offset + skip) % kBlockBytes == 0;
  if (direct) {
    batch->writes.emplace_back();
    DataWrite& write = batch->writes.back();
    write.address = address;
    write.bytes = length;
    write.direct = true;
    write.pieces.push_back({run.blob, run.blob_offset + skip, length, 0});
    return;
  }
  while (length > 0) {
    const uint64_t block = base::RoundDown(address, kBlockBytes);
    DataWrite* write = batch->writes.empty() ? nullptr : &batch->writes.back();
    // Goes on in the last write if it lies in its last block or right behind it.
    const bool follows = write != nullptr && !write->direct && block >= write->address && block <= write->address + write->bytes &&
                         address - write->address < kWriteBytesMax &&
                         chunks_.ChunkOf(write->address) == chunks_.ChunkOf(address);
    if (!follows) {
      batch->writes.emplace_back();
      write = &batch->writes.back();
      write->address = block;
    }
    const auto at = static_cast<uint32_t>(address - write->address);
    const uint32_t step = std::min(length, kWriteBytesMax - at);
    write->pieces.push_back({run.blob, run.blob_offset + skip, step, at});
    write->bytes = static_cast<uint32_t>(base::RoundUp(at + step, kBlockBytes));
    address += step;
    skip += step;
    length -= step;
  }
}

absl::StatusOr<EngineImpl::OpenPack*> EngineImpl::PackFor(uint32_t policy, uint32_t length, Batch* batch) {
  auto it = packs_.find(policy);
  if (it != packs_.end()) {
    OpenPack& pack = it->second;
    const uint64_t at = base::RoundUp(pack.fill, kPackAlignment);
    const uint64_t end = base::RoundUp(at + length, kBlockBytes) + PackSummaryBytes(pack.owners.size() + 1);
    if (end <= chunks_.chunk_bytes()) return &pack;
    ClosePack(pack, batch);
    packs_.erase(it);
  }
  // A PACK chunk may end with room for no object. Where that could cost the place promised
  // to other data, objects go to blocks of their own.
  const uint64_t blocks_per_chunk = chunks_.chunk_bytes() / kBlockBytes;
  const uint32_t kept = MetaChunks() + DeleteChunks();
  const uint64_t chunks = chunks_.free_chunks() > kept ? chunks_.free_chunks() - kept : 0;
  const uint64_t free = chunks * blocks_per_chunk + chunks_.hole_bytes() / kBlockBytes;
  if (free < buffer_.unsealed_blocks() + blocks_per_chunk) return nullptr;
  const absl::optional<uint32_t> chunk = chunks_.OpenPack(policy, kept);
  if (!chunk) return nullptr;
  OpenPack& pack = packs_[policy];
  pack.chunk = *chunk;
  LogChunk(pack.chunk);
  return &pack;
}

// Behind the last object, of all that came since the summary before.
void EngineImpl::SummarizePack(OpenPack& pack, Batch* batch) {
  if (!pack.owners.empty()) {
    const auto position = static_cast<uint32_t>(base::RoundUp(pack.fill, kBlockBytes));
    const uint64_t address = chunks_.ChunkAddress(pack.chunk) + position;
    const auto bytes = static_cast<uint32_t>(PackSummaryBytes(pack.owners.size()));
    WriteBuffer::Run run;
    run.blob = Blob::Make(bytes);
    run.length = bytes;
    EncodePackSummary({pack.summary_block, std::exchange(pack.owners, {})}, volume_id_, batch->number, address,
                      absl::MakeSpan(run.blob->data(), bytes));
    AddPiece(address, run, 0, bytes, batch);
    pack.summary_block = position / kBlockBytes;
    pack.fill = position + bytes;
  }
  chunks_.FillPack(pack.chunk, pack.fill, pack.summary_block);
}

void EngineImpl::ClosePack(OpenPack& pack, Batch* batch) {
  SummarizePack(pack, batch);
  chunks_.ClosePack(pack.chunk, pack.fill, pack.summary_block);
  LogChunk(pack.chunk);
}

// Whoever replays the log learns that a PACK chunk was begun or closed, and where its
// summaries are; what else a chunk row says, extents tell.
void EngineImpl::LogChunk(uint32_t chunk) {
  if (const absl::optional<ChunkRow> row = chunks_.Row(chunk)) PutRow(ChunkKey(chunk), EncodeChunkRow(*row));
}

// What follows starts at a block of its own: the last one is sealed.
void EngineImpl::EndPackRuns() {
  for (auto& [policy, pack] : packs_) pack.fill = static_cast<uint32_t>(base::RoundUp(pack.fill, kBlockBytes));
}

absl::Status EngineImpl::PlacePacked(const Unplaced& object, Batch* batch) {
  WriteBuffer::Run& run = buffer_.Find(object.inode)->runs.at(object.offset);
  ASSIGN_OR_RETURN(OpenPack* const pack, PackFor(object.placement.policy, run.length, batch));
  if (pack == nullptr) return PlaceSpan(object.inode, object.offset, object.offset + run.length, batch);
  const auto at = static_cast<uint32_t>(base::RoundUp(pack->fill, kPackAlignment));
  const uint64_t address = chunks_.ChunkAddress(pack->chunk) + at;
  AddPiece(address, run, 0, run.length, batch);
  pack->fill = at + run.length;
  pack->owners.push_back({object.inode, object.offset, at, run.length});
  std::vector<uint32_t> crcs;
  AppendCrcs(run.data(), run.length, &crcs);
  if (run.is_inline) open_.forgets.push_back({object.inode, object.offset, base::RoundUp(run.length, kBlockBytes)});
  run.is_inline = false;
  buffer_.SetState(object.inode, run, WriteBuffer::State::kSealed);
  PlaceExtent(object.inode, object.offset, ExtentKind::kPacked, run.length, address, crcs);
  return absl::OkStatus();
}

absl::Status EngineImpl::PlaceLarge(InodeNumber inode, bool with_logged, Batch* batch) {
  // Spans of runs that follow each other without a gap.
  std::vector<std::pair<uint64_t, uint64_t>> spans;
  for (auto& [offset, run] : buffer_.Find(inode)->runs) {
    const bool wanted = run.state == WriteBuffer::State::kDirty || (with_logged && run.state == WriteBuffer::State::kLogged);
    if (!wanted) continue;
    if (KeepEarly(run)) {
      PlaceEarly(inode, offset, run, batch);
      continue;
    }
    if (!spans.empty() && spans.back().second == offset) {
      spans.back().second = offset + run.length;
    } else {
      spans.emplace_back(offset, offset + run.length);
    }
  }
  for (const auto& [begin, end] : spans) RETURN_IF_ERROR(PlaceSpan(inode, begin, end, batch));
  return absl::OkStatus();
}

// Places [begin, end), which runs cover without a gap.
absl::Status EngineImpl::PlaceSpan(InodeNumber inode, uint64_t begin, uint64_t end, Batch* batch) {
  while (begin < end) {
    // Extents begin at multiples of their longest size where they can: later writes then
    // replace whole ones.
    const uint64_t extent_max = uint64_t{ExtentUnitsMax()} * kBlockBytes;
    const uint64_t wanted = std::min(end - begin, extent_max - begin % extent_max);
    // Holes before the reserves; the reserves before a broken promise.
    absl::optional<BlockRange> range = chunks_.AllocateExtent(wanted, MetaChunks() + ReservedChunks());
    if (!range) range = chunks_.AllocateExtent(wanted, MetaChunks());
    if (!range) range = chunks_.AllocateExtent(wanted, 0);
    if (!range) return absl::ResourceExhaustedError("no space for data that was promised some");
    const uint64_t length = std::min(wanted, range->bytes);
    std::vector<uint32_t> crcs;
    std::vector<uint64_t> offsets;
    buffer_.Visit(inode, begin, begin + length, [&](uint64_t offset, const WriteBuffer::Run& run) {
      mutex_.AssertHeld();
      const auto skip = static_cast<uint32_t>(std::max(begin, offset) - offset);
      const auto part = static_cast<uint32_t>(std::min<uint64_t>(offset + run.length, begin + length) - offset - skip);
      AddPiece(range->address + (offset + skip - begin), run, skip, part, batch);
      AppendCrcs(run.data() + skip, part, &crcs);
      offsets.push_back(offset);
    });
    for (const uint64_t offset : offsets) {
      WriteBuffer::Run& run = buffer_.Find(inode)->runs.at(offset);
      if (run.is_inline) open_.forgets.push_back({inode, offset, base::RoundUp(run.length, kBlockBytes)});
      run.is_inline = false;
      if (run.state != WriteBuffer::State::kSealed) buffer_.SetState(inode, run, WriteBuffer::State::kSealed);
    }
    PlaceExtent(inode, begin, ExtentKind::kDevice, static_cast<uint32_t>(length), range->address, crcs);
    begin += length;
  }
  return absl::OkStatus();
}

void EngineImpl::WriteChunkRows() {
  chunks_.VisitChanged([&](uint32_t index, const absl::optional<ChunkRow>& row) {
    if (row) {
      tree_.Put(ChunkKey(index), EncodeChunkRow(*row));
    } else {
      tree_.Delete(ChunkKey(index));
    }
  });
}

}  // namespace fs
