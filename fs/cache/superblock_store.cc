#include "fs/cache/superblock_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/format/foreign.h"

namespace fs {
namespace {

absl::Status WriteCopy(Device& device, const Superblock& superblock, int copy) {
  const uint64_t address = SuperblockAddress(copy, superblock.device_bytes);
  AlignedBuffer block(kSuperblockBytes);
  Encode(superblock, address, block.span());
  return base::Annotate(device.Write(address, block.span()), absl::StrFormat("superblock copy %d", copy));
}

}  // namespace

std::vector<SuperblockStore::Copy> SuperblockStore::ReadCopies(Device& device) {
  std::vector<Copy> copies(kSuperblockCopies);
  uint64_t device_bytes = device.size_bytes();
  for (int i = 0; i < kSuperblockCopies; ++i) {
    Copy& copy = copies[i];
    // The last copy lies where the volume ends, which the first ones know better.
    for (int j = 0; i == 2 && j < 2; ++j) {
      if (copies[j].status.ok()) device_bytes = copies[j].superblock.device_bytes;
    }
    if (device_bytes < 2 * kSuperblockSpacing) {
      copy.status = absl::DataLossError("device too small for a superblock");
      continue;
    }
    copy.address = SuperblockAddress(i, device_bytes);
    AlignedBuffer block(kSuperblockBytes);
    copy.status = device.Read(copy.address, block.span());
    if (!copy.status.ok()) continue;
    absl::StatusOr<Superblock> decoded = DecodeSuperblock(block.span(), copy.address);
    if (decoded.ok()) {
      copy.superblock = *decoded;
    } else {
      copy.status = decoded.status();
    }
  }
  return copies;
}

absl::Status SuperblockStore::NoVolume(Device& device, const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    if (!copy.status.ok() && !absl::IsDataLoss(copy.status) && !absl::IsOutOfRange(copy.status)) return copy.status;
  }
  AlignedBuffer head(std::min<uint64_t>(kForeignProbeBytes, base::RoundDown(device.size_bytes(), kBlockBytes)));
  RETURN_IF_ERROR(device.Read(0, head.span()));
  const std::string found = FindForeignSignature(head.span(), {});
  return absl::FailedPreconditionError(absl::StrFormat(
      "no cachefs volume: it holds %s; superblock copy 0: %s; %s", found.empty() ? "nothing but zeros at its beginning" : found,
      copies[0].status.message(), device.name()));
}

absl::StatusOr<SuperblockStore> SuperblockStore::Open(Device& device) {
  const std::vector<Copy> copies = ReadCopies(device);
  SuperblockStore store;
  int best = -1;
  for (int i = 0; i < kSuperblockCopies; ++i) {
    const Copy& copy = copies[i];
    if (copy.status.code() == absl::StatusCode::kUnimplemented) return base::Annotate(copy.status, device.name());
    if (!copy.status.ok()) {
      store.broken_.push_back(i);
      store.notes_.push_back(absl::StrFormat("superblock copy %d at %d is damaged: %s", i, copy.address, copy.status.message()));
    } else if (best < 0 || copy.superblock.header.generation > copies[best].superblock.header.generation) {
      best = i;
    }
  }
  if (best < 0) return NoVolume(device, copies);
  store.current_ = copies[best].superblock;
  const Superblock& s = store.current_;
  for (int i = 0; i < kSuperblockCopies; ++i) {
    if (copies[i].status.ok() && copies[i].superblock.header.volume_id != s.header.volume_id) {
      return absl::DataLossError(absl::StrFormat("superblock copies %d and %d belong to different volumes; %s", best, i, device.name()));
    }
  }
  if (s.device_bytes > device.size_bytes()) {
    return absl::DataLossError(absl::StrFormat("the device has shrunk; the volume needs %d bytes, it has %d: give it its size back; %s", s.device_bytes,
                                               device.size_bytes(), device.name()));
  }
  if (s.device_bytes < base::RoundDown(device.size_bytes(), kBlockBytes)) {
    store.notes_.push_back(absl::StrFormat("the device has grown to %d bytes; the volume uses %d", device.size_bytes(), s.device_bytes));
  }
  // Next to be written is whichever of copies 0 and 1 is not (or less) needed.
  const auto age = [&](int i) { return copies[i].status.ok() ? copies[i].superblock.header.generation : 0; };
  store.turn_ = age(0) <= age(1) ? 0 : 1;
  return store;
}

absl::Status SuperblockStore::WriteAll(Device& device, const Superblock& superblock) {
  for (int i = 0; i < kSuperblockCopies; ++i) RETURN_IF_ERROR(WriteCopy(device, superblock, i));
  return device.Flush();
}

absl::Status SuperblockStore::Write(Device& device, Superblock next) {
  next.header.generation = std::max(current_.header.generation, next_.header.generation) + 1;
  next_ = next;
  RETURN_IF_ERROR(WriteCopy(device, next, turn_));
  return WriteCopy(device, next, 2);
}

absl::StatusOr<std::vector<int>> SuperblockStore::Repair(Device& device) {
  const std::vector<int> repaired = std::move(broken_);
  broken_.clear();
  if (repaired.empty()) return repaired;
  for (const int copy : repaired) RETURN_IF_ERROR(WriteCopy(device, current_, copy));
  RETURN_IF_ERROR(device.Flush());
  return repaired;
}

}  // namespace fs
