#include "fs/cache/superblock_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/disk/aligned_buffer.h"

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
  if (best < 0) {
    return absl::FailedPreconditionError(absl::StrFormat("no valid superblock; copy 0: %s; %s", copies[0].status.message(), device.name()));
  }
  store.current_ = copies[best].superblock;
  const Superblock& s = store.current_;
  for (int i = 0; i < kSuperblockCopies; ++i) {
    if (copies[i].status.ok() && copies[i].superblock.header.volume_id != s.header.volume_id) {
      return absl::DataLossError(absl::StrFormat("superblock copies %d and %d belong to different volumes; %s", best, i, device.name()));
    }
  }
  if (s.device_bytes > device.size_bytes()) {
    return absl::DataLossError(absl::StrFormat("the device has shrunk; the volume needs %d bytes, it has %d; %s", s.device_bytes,
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

absl::Status SuperblockStore::Repair(Device& device) {
  if (broken_.empty()) return absl::OkStatus();
  for (const int copy : broken_) RETURN_IF_ERROR(WriteCopy(device, current_, copy));
  broken_.clear();
  return device.Flush();
}

}  // namespace fs
