#include "fs/cache/pack_summary.h"

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/format/block_header.h"

namespace fs {

absl::StatusOr<std::vector<PackOwner>> ReadPackOwners(Device& device, const PackLocation& location) {
  std::vector<PackOwner> owners;
  if (location.summary_block == 0) return owners;
  // Summaries may lie anywhere in the chunk: one read gets them all. V48: the chain goes
  // towards the front, so it ends.
  const uint64_t bytes = location.chunk_bytes;
  AlignedBuffer chunk = AlignedBuffer::Uninitialized(bytes);
  RETURN_IF_ERROR(device.Read(location.chunk_address, chunk.span()));
  for (uint32_t block = location.summary_block; block != 0;) {
    const uint64_t position = uint64_t{block} * kBlockBytes;
    if (position >= bytes)
      return absl::DataLossError(absl::StrFormat("V42: summary in block %d of a chunk of %d bytes", block, bytes));
    absl::StatusOr<PackSummary> summary = DecodePackSummary(chunk.span(position, bytes - position), location.volume_id,
                                                            location.chunk_address, static_cast<uint32_t>(position));
    if (!summary.ok()) {
      return base::Annotate(summary.status(), absl::StrFormat("summary at %d", location.chunk_address + position));
    }
    owners.insert(owners.end(), summary->owners.begin(), summary->owners.end());
    block = summary->previous_block;
  }
  return owners;
}

}  // namespace fs
