// The part of EngineImpl that empties sparse chunks: what lives there is read, laid into
// the write buffer as if it had just been written, and placed by the next batch. A crash
// in between costs nothing: the old place holds until the batch is durable.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/cache/pack_summary.h"

namespace fs {

absl::optional<uint32_t> EngineImpl::ChooseVictim(bool urgent) {
  const uint32_t chunk = chunks_.chunk_bytes();
  const uint32_t wanted_free = MetaChunks() + DeleteChunks() + std::max(4u, chunks_.chunk_count() / 20);
  if (!urgent && chunks_.free_chunks() >= wanted_free) return absl::nullopt;
  // What is gained is the dead part; moving the rest is its price.
  if (const auto victim = chunks_.Sparsest(ChunkType::kPack, urgent ? chunk / 8 : chunk / 2)) return victim;
  // Holes serve extents as they are; but pages and objects need whole chunks.
  const bool chunks_short = chunks_.free_chunks() < MetaChunks() + DeleteChunks() + 2;
  if (chunks_short && chunks_.hole_bytes() >= 2 * uint64_t{chunk}) return chunks_.Sparsest(ChunkType::kExtent, chunk / 2);
  return absl::nullopt;
}

void EngineImpl::AddResident(InodeNumber inode, uint64_t offset, const ExtentView& extent,
                             std::vector<DevicePiece>* residents) const {
  DevicePiece piece;
  piece.read = residents->size();
  piece.address = extent.address;
  piece.bytes = extent.length;
  piece.crcs.resize(UnitCount(extent.length));
  std::memcpy(piece.crcs.data(), extent.bytes.data(), piece.crcs.size() * sizeof(uint32_t));
  piece.skip = 0;
  piece.inode = inode;
  piece.offset = offset;
  residents->push_back(std::move(piece));
}

// Who may have extents in `chunk`: its owner rows or its summaries say so. If a summary
// is missing or cannot be read, everybody may. Drops the lock to read.
std::vector<ExtentOwner> EngineImpl::FindOwners(uint32_t chunk) {
  std::vector<ExtentOwner> owners;
  if (chunks_.type(chunk) == ChunkType::kExtent) {
    tree_.Scan(OwnerKey(chunk, 0), OwnerKey(chunk + 1, 0), [&](absl::string_view, absl::string_view value) {
      const absl::StatusOr<ExtentOwner> owner = DecodeOwnerRow(value);
      if (owner.ok()) owners.push_back(*owner);
      return true;
    });
    return owners;
  }
  const PackLocation location = {volume_id_, chunks_.ChunkAddress(chunk), chunks_.chunk_bytes(), chunks_.summary_block(chunk)};
  mutex_.Unlock();
  const absl::StatusOr<std::vector<PackOwner>> packed = ReadPackOwners(device_, location);
  mutex_.Lock();
  if (packed.ok()) {
    for (const PackOwner& owner : *packed) owners.push_back({owner.inode, owner.offset, owner.length});
  }
  return owners;
}

// The extents that lie in `chunk`; without owners every extent of the table is looked at.
std::vector<EngineImpl::DevicePiece> EngineImpl::FindResidents(uint32_t chunk, const std::vector<ExtentOwner>& owners) {
  std::vector<DevicePiece> residents;
  const auto one = [&](InodeNumber inode, uint64_t offset, const ExtentView& extent) {
    mutex_.AssertReaderHeld();
    if (extent.kind != ExtentKind::kInline && chunks_.ChunkOf(extent.address) == chunk) AddResident(inode, offset, extent, &residents);
  };
  for (const ExtentOwner& owner : owners) {
    static_cast<void>(VisitExtents(owner.inode, owner.offset, owner.offset + owner.length, [&](uint64_t offset, const ExtentView& extent) {
      one(owner.inode, offset, extent);
      return true;
    }));
  }
  if (owners.empty()) {
    tree_.Scan("", std::string(kKeyBytesMax, '\xff'), [&](absl::string_view key, absl::string_view value) {
      if (KeyType(key) != RowType::kExtent || key.size() != kKeyHeaderBytes + 8) return true;
      const absl::StatusOr<ExtentView> extent = DecodeExtent(value);
      if (extent.ok()) one(KeyInode(key), base::LoadBig<uint64_t>(KeySuffix(key).data()), *extent);
      return true;
    });
  }
  // Two owners may name one extent: a file that was rewritten within the chunk.
  std::sort(residents.begin(), residents.end(), [](const DevicePiece& a, const DevicePiece& b) { return a.address < b.address; });
  residents.erase(std::unique(residents.begin(), residents.end(),
                              [](const DevicePiece& a, const DevicePiece& b) { return a.address == b.address; }),
                  residents.end());
  return residents;
}

absl::StatusOr<bool> EngineImpl::CleanOne(bool urgent) {
  const int64_t begin_ns = clock_.MonotonicNs();
  if (read_only_ || !failure_.ok()) return false;
  const absl::optional<uint32_t> victim = ChooseVictim(urgent);
  if (!victim) return false;
  const Placement otherwise{0, 0, chunks_.policy(*victim)};
  chunks_.Evacuate(*victim);
  const uint64_t era = EnterReader();
  std::vector<DevicePiece> residents = FindResidents(*victim, FindOwners(*victim));
  const uint64_t moved_before = stats_.moved_bytes;
  mutex_.Unlock();
  std::vector<std::shared_ptr<Blob>> blobs;
  for (size_t i = 0; i < residents.size(); ++i) {
    blobs.push_back(Blob::Make(residents[i].bytes));
    residents[i].read = i;
    residents[i].out = absl::MakeSpan(blobs[i]->data(), residents[i].bytes);
  }
  std::vector<bool> damaged(residents.size());
  ReadPieces(residents, [&](const DevicePiece& piece, const absl::Status&) { damaged[piece.read] = true; });
  LeaveReader(era);
  mutex_.Lock();
  for (const DevicePiece& resident : residents) {
    // What cannot be read stays where it is; whoever reads it hears why.
    if (damaged[resident.read]) continue;
    const uint64_t end = resident.offset + base::RoundUp(resident.bytes, kBlockBytes);
    bool same = false, buffered = false;
    RETURN_IF_ERROR(VisitExtents(resident.inode, resident.offset, end, [&](uint64_t offset, const ExtentView& extent) {
      same = offset == resident.offset && extent.address == resident.address && extent.length == resident.bytes;
      return false;
    }));
    buffer_.Visit(resident.inode, resident.offset, end, [&](uint64_t, const WriteBuffer::Run&) { buffered = true; });
    // Changed meanwhile, or about to be replaced anyway.
    if (!same || buffered) continue;
    const WriteBuffer::File* file = buffer_.Find(resident.inode);
    Placement placement = otherwise;
    placement.order = resident.address;
    if (file != nullptr) placement = file->placement;
    buffer_.Add(resident.inode, resident.offset, resident.bytes, std::move(blobs[resident.read]), 0, placement, NowNs());
    stats_.moved_bytes += resident.bytes;
  }
  ++stats_.cleaned_chunks;
  Report({"clean", begin_ns, clock_.MonotonicNs(), *victim, residents.size(), stats_.moved_bytes - moved_before});
  RETURN_IF_ERROR(CommitOnce({.flip = false, .place = true}));
  return true;
}

}  // namespace fs
