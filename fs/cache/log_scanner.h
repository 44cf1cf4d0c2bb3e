// The LogScanner walks the batches of the log that recovery has to replay, and finds its end.
//
// Rules (FORMAT.md, R4 to R9):
//   - from the tail on, each batch follows the one before: number, place, chain;
//   - up to the fence every batch must be there; behind it, each has the epoch of the
//     superblock;
//   - a batch is handed out when a later one (or the fence, or a marker) proves it durable,
//     or when its manifest does;
//   - the log ends at the first batch that is not there, whole, or true to its manifest;
//   - it does not end where the device fails to read, nor before a batch that is proved
//     durable by a later one of the same epoch: those are errors.
// Errors:  DataLoss  a batch that must be there is not; names number and address
//          other     the device's
// Threads: thread-compatible.
#ifndef FS_CACHE_LOG_SCANNER_H_
#define FS_CACHE_LOG_SCANNER_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/device.h"
#include "fs/format/log_batch.h"
#include "fs/format/superblock.h"

namespace fs {

class LogScanner {
 public:
  struct Batch {
    LogBatchHeader header;
    uint64_t offset = 0;  // into the log
    std::vector<uint8_t> payload;
  };

  LogScanner(Device& device, const Superblock& superblock);

  // The next batch to apply, nothing at the log's end.
  absl::StatusOr<absl::optional<Batch>> Next();

  // Where the next batch will go: valid once Next() returned nothing.
  uint64_t end_offset() const { return offset_; }
  uint64_t end_batch() const { return number_; }
  uint32_t end_chain() const { return chain_; }
  uint64_t used_bytes() const { return used_; }
  // Why the last batch that began to be written was cut; empty if the log ended cleanly.
  const std::string& cut() const { return cut_; }

 private:
  // Reads the batch at the scan position into held_, or finds the end.
  absl::Status ScanOne();
  absl::StatusOr<absl::optional<Batch>> ReadBatch(uint64_t offset, uint64_t number, std::string* why);
  absl::Status CheckNothingFollows(uint64_t offset, uint64_t number, uint64_t skip_bytes, const std::string& why);
  absl::Status CheckNotExchanged(uint64_t offset, uint64_t number);
  absl::StatusOr<bool> ManifestHolds(const Batch& batch, std::string* why);
  absl::Status ReadLog(uint64_t offset, absl::Span<uint8_t> out);
  absl::Status EndAt(const std::string& why);

  Device& device_;
  const Superblock superblock_;

  // The bytes behind batch `number` that hold none.
  uint64_t VoidBehind(uint64_t number) const { return number == superblock_.void_batch ? superblock_.void_bytes : 0; }

  // Of what was handed out.
  uint64_t offset_;
  uint64_t number_;
  uint32_t chain_;
  uint64_t used_ = 0;
  // Of what was read: in held_ up to scan_number_ - 1.
  std::deque<Batch> held_;
  uint64_t scan_offset_;
  uint64_t scan_number_;
  uint32_t scan_chain_;
  uint64_t scan_used_ = 0;
  uint64_t durable_;  // proved
  bool at_end_ = false;
  bool began_ = false;  // the batch that ReadBatch() refused has the right header
  std::string cut_;

  // Read ahead of the scan.
  AlignedBuffer window_;
  uint64_t window_offset_ = 0;
  uint64_t window_bytes_ = 0;
};

}  // namespace fs

#endif  // FS_CACHE_LOG_SCANNER_H_
