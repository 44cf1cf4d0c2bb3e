// The part of EngineImpl that tells a file's crc32c without reading it.
#include <algorithm>

#include "absl/types/optional.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

// Appends pieces of a file whose end it knows.
class RunningCrc {
 public:
  uint64_t at() const { return at_; }
  uint32_t crc() const { return crc_; }

  void AddBytes(const void* data, uint64_t size) {
    crc_ = ExtendCrc32c(crc_, data, size);
    at_ += size;
  }
  void AddKnown(uint32_t crc, uint64_t size) {
    crc_ = CombineCrc32c(crc_, crc, size);
    at_ += size;
  }
  void ZerosTo(uint64_t end) {
    if (end <= at_) return;
    // The crc of n zeros is x^8n times all ones, complemented.
    AddKnown(CombineCrc32c(UINT32_MAX, UINT32_MAX, end - at_), end - at_);
  }

 private:
  uint64_t at_ = 0;
  uint32_t crc_ = 0;
};

// Up to `end`, from an extent at `offset` of the file. False if a unit is wanted in part.
bool AddExtent(uint64_t offset, const ExtentView& extent, uint64_t end, RunningCrc* sum) {
  sum->ZerosTo(std::min(offset, end));
  const uint64_t stop = std::min(end, offset + extent.length);
  if (stop <= sum->at()) return true;
  if (extent.kind == ExtentKind::kInline) {
    sum->AddBytes(extent.bytes.data() + (sum->at() - offset), stop - sum->at());
    return true;
  }
  if (extent.kind != ExtentKind::kDevice && extent.kind != ExtentKind::kPacked) return false;
  while (sum->at() < stop) {
    const auto unit = static_cast<uint32_t>((sum->at() - offset) / kBlockBytes);
    const uint32_t bytes = extent.UnitBytes(unit);
    if (offset + uint64_t{unit} * kBlockBytes != sum->at() || sum->at() + bytes > stop) return false;
    sum->AddKnown(extent.Crc(unit), bytes);
  }
  return true;
}

}  // namespace

absl::StatusOr<absl::optional<uint32_t>> EngineImpl::ContentCrc32c(InodeNumber inode, uint64_t size) {
  base::ReaderMutexLock lock(&mutex_);
  RunningCrc sum;
  bool whole_units = true;
  absl::Status status;
  const auto add_extents = [&](uint64_t end) {
    mutex_.AssertReaderHeld();
    status.Update(VisitExtents(inode, sum.at(), end, [&](uint64_t offset, const ExtentView& extent) {
      whole_units = AddExtent(offset, extent, end, &sum);
      return whole_units && sum.at() < end;
    }));
    if (whole_units) sum.ZerosTo(end);
  };
  buffer_.Visit(inode, 0, size, [&](uint64_t offset, const WriteBuffer::Run& run) {
    if (!status.ok() || !whole_units) return;
    add_extents(std::min(offset, size));
    if (!status.ok() || !whole_units || offset >= size) return;
    sum.AddBytes(run.data(), std::min<uint64_t>(run.length, size - offset));
    sum.ZerosTo(std::min(size, offset + base::RoundUp(run.length, kBlockBytes)));
  });
  if (status.ok() && whole_units) add_extents(size);
  RETURN_IF_ERROR(status);
  if (!whole_units) return absl::optional<uint32_t>();
  return absl::optional<uint32_t>(sum.crc());
}

}  // namespace fs
