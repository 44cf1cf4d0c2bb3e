#include "fs/cache/log_scanner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/format/block_header.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

constexpr uint64_t kWindowBytes = 1 << 20;
// How far behind a bad batch a later one is looked for. Batches are shorter than this.
constexpr uint64_t kLookAheadBytesMax = 64 << 20;

}  // namespace

LogScanner::LogScanner(Device& device, const Superblock& superblock)
    : device_(device),
      superblock_(superblock),
      offset_(superblock.tail_offset),
      number_(superblock.tail_batch),
      chain_(superblock.tail_chain),
      scan_offset_(offset_),
      scan_number_(number_),
      scan_chain_(chain_),
      durable_(superblock.fence_batch) {
  // What is void right behind the last batch that the tree holds.
  const uint64_t skipped = VoidBehind(number_ - 1);
  offset_ = scan_offset_ = (offset_ + skipped) % superblock.log_bytes;
  used_ = scan_used_ = skipped;
}

// Reads [offset, offset + out.size()) of the ring, wrapping; blocks are read once, in windows.
absl::Status LogScanner::ReadLog(uint64_t offset, absl::Span<uint8_t> out) {
  while (!out.empty()) {
    offset %= superblock_.log_bytes;
    if (window_bytes_ == 0 || offset < window_offset_ || offset >= window_offset_ + window_bytes_) {
      if (window_.empty()) window_ = AlignedBuffer::Uninitialized(kWindowBytes);
      window_offset_ = offset / kBlockBytes * kBlockBytes;
      window_bytes_ = std::min(kWindowBytes, superblock_.log_bytes - window_offset_);
      const absl::Status status = device_.Read(superblock_.log_address + window_offset_, window_.span(0, window_bytes_));
      if (!status.ok()) {
        window_bytes_ = 0;
        return base::Annotate(status, "reading the commit log");
      }
    }
    const uint64_t at = offset - window_offset_;
    const size_t step = std::min<uint64_t>(out.size(), window_bytes_ - at);
    std::memcpy(out.data(), window_.data() + at, step);
    out.remove_prefix(step);
    offset += step;
  }
  return absl::OkStatus();
}

// The batch `number` at `offset` if it is there, whole and the right one; else `why` not.
absl::StatusOr<absl::optional<LogScanner::Batch>> LogScanner::ReadBatch(uint64_t offset, uint64_t number, std::string* why) {
  began_ = false;
  Batch batch;
  batch.offset = offset;
  std::vector<uint8_t> head(kLogHeaderBytes);
  RETURN_IF_ERROR(ReadLog(offset, absl::MakeSpan(head)));
  absl::StatusOr<LogBatchHeader> header =
      DecodeLogBatchHeader(head, superblock_.header.volume_id, superblock_.log_address + offset);
  if (!header.ok()) {
    *why = std::string(header.status().message());
    return absl::optional<Batch>();
  }
  batch.header = *header;
  const bool in_fence = number <= superblock_.fence_batch;
  if (header->number() != number || (!in_fence && header->epoch != superblock_.log_epoch)) {
    // What an older lap of the ring or a voided epoch left here.
    why->clear();
    return absl::optional<Batch>();
  }
  began_ = header->kind == LogBatchKind::kBatch;
  if (header->previous_crc != scan_chain_) {
    *why = absl::StrFormat("chain broken; stored %08x, expected %08x", header->previous_crc, scan_chain_);
    return absl::optional<Batch>();
  }
  if (header->TotalBytes() > superblock_.log_bytes - scan_used_) {
    *why = "batch longer than the log";
    return absl::optional<Batch>();
  }
  batch.payload.resize(header->payload_bytes);
  RETURN_IF_ERROR(ReadLog(offset + kLogHeaderBytes, absl::MakeSpan(batch.payload)));
  if (Crc32c(batch.payload.data(), batch.payload.size()) != header->payload_crc32c) {
    *why = "payload checksum mismatch";
    return absl::optional<Batch>();
  }
  return absl::optional<Batch>(std::move(batch));
}

// R8: batch n + 1 is written only after the flush of batch n, so a later one proves that
// this one was durable and has rotted since.
absl::Status LogScanner::CheckNothingFollows(uint64_t offset, uint64_t number, uint64_t skip_bytes, const std::string& why) {
  const uint64_t end = std::min(superblock_.log_bytes - scan_used_, kLookAheadBytesMax);
  std::vector<uint8_t> head(kLogHeaderBytes);
  for (uint64_t at = skip_bytes; at < end; at += kBlockBytes) {
    const uint64_t there = (offset + at) % superblock_.log_bytes;
    RETURN_IF_ERROR(ReadLog(there, absl::MakeSpan(head)));
    const absl::StatusOr<LogBatchHeader> header =
        DecodeLogBatchHeader(head, superblock_.header.volume_id, superblock_.log_address + there);
    if (!header.ok() || header->number() <= number || header->epoch != superblock_.log_epoch) continue;
    return absl::DataLossError(absl::StrFormat(
        "R8: log batch %d at %d is damaged (%s), and batch %d at %d proves that it was durable; %s", number,
        superblock_.log_address + offset, why.empty() ? "not there" : why, header->number(),
        superblock_.log_address + there, device_.name()));
  }
  return absl::OkStatus();
}

// R8: a batch that lies in another's place, and that one in its, were both written. Only the
// pair tells: a block with a foreign address alone may be what a file holds, old bytes of a payload.
absl::Status LogScanner::CheckNotExchanged(uint64_t offset, uint64_t number) {
  std::vector<uint8_t> head(kLogHeaderBytes);
  RETURN_IF_ERROR(ReadLog(offset, absl::MakeSpan(head)));
  BlockHeader found;
  std::memcpy(&found, head.data(), sizeof found);
  const uint64_t address = superblock_.log_address + offset;
  if (found.address == address || found.address < superblock_.log_address) return absl::OkStatus();
  if (found.address - superblock_.log_address >= superblock_.log_bytes) return absl::OkStatus();
  const absl::StatusOr<LogBatchHeader> later = DecodeLogBatchHeader(head, superblock_.header.volume_id, found.address);
  if (!later.ok() || later->number() <= number) return absl::OkStatus();
  RETURN_IF_ERROR(ReadLog(found.address - superblock_.log_address, absl::MakeSpan(head)));
  const absl::StatusOr<LogBatchHeader> wanted = DecodeLogBatchHeader(head, superblock_.header.volume_id, address);
  if (!wanted.ok() || wanted->number() != number || wanted->epoch != later->epoch) return absl::OkStatus();
  return absl::DataLossError(absl::StrFormat("R8: log batches %d at %d and %d at %d lie in each other's place; %s", number,
                                             address, later->number(), found.address, device_.name()));
}

absl::StatusOr<bool> LogScanner::ManifestHolds(const Batch& batch, std::string* why) {
  bool holds = true;
  const absl::Status status = DecodeLogPayload(batch.header, batch.payload, [&](const LogRecord& record) -> absl::Status {
    if (record.kind != LogRecordKind::kManifest || !holds) return absl::OkStatus();
    if (record.length > superblock_.chunk_bytes * uint64_t{2}) return absl::DataLossError("V15: manifest range too long");
    AlignedBuffer data = AlignedBuffer::Uninitialized(record.length);
    RETURN_IF_ERROR(base::Annotate(device_.Read(record.address, data.span()), "verifying a log batch's data"));
    if (Crc32c(data.data(), data.size()) != record.crc32c) {
      holds = false;
      *why = absl::StrFormat("data at %d is not what the manifest says", record.address);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(status);
  return holds;
}

absl::Status LogScanner::EndAt(const std::string& why) {
  at_end_ = true;
  cut_ = why;
  return absl::OkStatus();
}

absl::Status LogScanner::ScanOne() {
  std::string why;
  ASSIGN_OR_RETURN(absl::optional<Batch> batch, ReadBatch(scan_offset_, scan_number_, &why));
  if (!batch) {
    if (scan_number_ <= superblock_.fence_batch) {
      return absl::DataLossError(absl::StrFormat("R6: log batch %d at %d is missing, which the superblock names as durable (%s); %s",
                                                 scan_number_, superblock_.log_address + scan_offset_,
                                                 why.empty() ? "another one is there" : why, device_.name()));
    }
    RETURN_IF_ERROR(CheckNotExchanged(scan_offset_, scan_number_));
    RETURN_IF_ERROR(CheckNothingFollows(scan_offset_, scan_number_, kBlockBytes, why));
    return EndAt(began_ ? absl::StrFormat("batch %d: %s", scan_number_, why) : "");
  }
  const LogBatchHeader& header = batch->header;
  durable_ = std::max(durable_, std::min(header.durable_batch, scan_number_ - 1));
  if (header.kind == LogBatchKind::kMarker) {
    RETURN_IF_ERROR(CheckNothingFollows(scan_offset_, scan_number_, kBlockBytes, "a marker"));
    return EndAt("");
  }
  if (scan_number_ == superblock_.fence_batch && header.header.crc32c != superblock_.fence_chain) {
    return absl::DataLossError(absl::StrFormat("R7: log batch %d at %d is not the one that the superblock names; %s", scan_number_,
                                               superblock_.log_address + scan_offset_, device_.name()));
  }
  const uint64_t bytes = header.TotalBytes() + VoidBehind(scan_number_);
  scan_used_ += bytes;
  scan_offset_ = (scan_offset_ + bytes) % superblock_.log_bytes;
  scan_chain_ = header.header.crc32c;
  ++scan_number_;
  held_.push_back(*std::move(batch));
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<LogScanner::Batch>> LogScanner::Next() {
  while (!at_end_ && (held_.empty() || held_.front().header.number() > durable_)) RETURN_IF_ERROR(ScanOne());
  if (held_.empty()) return absl::optional<Batch>();
  const LogBatchHeader header = held_.front().header;
  if (header.number() > durable_) {
    std::string why;
    ASSIGN_OR_RETURN(const bool holds, ManifestHolds(held_.front(), &why));
    if (!holds) {
      held_.clear();
      cut_ = absl::StrFormat("batch %d: %s", header.number(), why);
      return absl::optional<Batch>();
    }
  }
  Batch batch = std::move(held_.front());
  held_.pop_front();
  const uint64_t bytes = header.TotalBytes() + VoidBehind(header.number());
  offset_ = (offset_ + bytes) % superblock_.log_bytes;
  number_ = header.number() + 1;
  chain_ = header.header.crc32c;
  used_ += bytes;
  return absl::optional<Batch>(std::move(batch));
}

}  // namespace fs
