// One batch of the commit log: a header, then records, padded to whole blocks.
//
// Shape:   header 128 B | records | zeros up to a multiple of 4 KiB. A batch lies
//          contiguously in the ring; one that reaches the ring's end goes on at its start.
// Order:   batches are numbered without gaps; each names the crc of the one before it.
//          Within a batch apply: rows, then forgets, then inline data.
// Errors:  DataLoss  a header or record that cannot be
// Threads: no state; LogBatchBuilder is thread-compatible.
// Source:  fs/format/FORMAT.md, "Log batch"; rules V10 to V15, R4 to R9.
#ifndef FS_FORMAT_LOG_BATCH_H_
#define FS_FORMAT_LOG_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fs/format/block_header.h"

namespace fs {

// A marker says that the batch before it is durable; the next batch overwrites it.
enum class LogBatchKind : uint32_t { kBatch = 1, kMarker = 2 };

struct LogBatchHeader {
  BlockHeader header;  // generation: the batch's number; length: kLogHeaderBytes
  LogBatchKind kind = LogBatchKind::kBatch;
  uint32_t previous_crc = 0;    // header.crc32c of the batch before
  uint64_t epoch = 0;           // log epoch of the superblock
  uint64_t first_sequence = 0;  // of the mutations in it; first > last: none
  uint64_t last_sequence = 0;
  uint64_t durable_batch = 0;  // up to it everything was flushed when this was sealed
  uint64_t payload_bytes = 0;
  uint32_t payload_crc32c = 0;
  uint32_t record_count = 0;
  uint64_t reserved0 = 0;
  uint64_t reserved1 = 0;
  uint64_t reserved2 = 0;
  uint64_t reserved3 = 0;

  uint64_t number() const { return header.generation; }
  uint64_t TotalBytes() const;
};
constexpr size_t kLogHeaderBytes = 128;
static_assert(sizeof(LogBatchHeader) == kLogHeaderBytes);
static_assert(offsetof(LogBatchHeader, payload_bytes) == 80);
static_assert(std::has_unique_object_representations_v<LogBatchHeader>);

// Bound on what a reader believes before it has checked anything else.
constexpr uint64_t kLogPayloadBytesMax = 256 << 20;

enum class LogRecordKind : uint8_t { kPut = 1, kDelete = 2, kForget = 3, kInline = 4, kManifest = 5 };

// A decoded record; the views point into the payload. Fields of other kinds are 0.
struct LogRecord {
  LogRecordKind kind{};
  absl::string_view key;    // kPut, kDelete
  absl::string_view value;  // kPut; kInline: the bytes
  uint64_t inode = 0;       // kForget, kInline
  uint64_t offset = 0;
  uint64_t length = 0;   // kForget, kManifest
  uint64_t group = 0;    // kInline
  uint64_t order = 0;    // kInline
  uint32_t policy = 0;   // kInline
  uint64_t address = 0;  // kManifest
  uint32_t crc32c = 0;   // kManifest
};

// Bytes that the records take, for reservations.
constexpr size_t kLogRowOverhead = 7;
constexpr size_t kLogForgetBytes = 25;
constexpr size_t kLogInlineOverhead = 41;
constexpr size_t kLogManifestBytes = 17;

// Gathers records behind room for the header.
class LogBatchBuilder {
 public:
  LogBatchBuilder();

  void Put(absl::string_view key, absl::string_view value);
  void Delete(absl::string_view key);
  void Forget(uint64_t inode, uint64_t offset, uint64_t length);
  void Inline(const LogRecord& record);
  void Manifest(uint64_t address, uint64_t length, uint32_t crc32c);

  size_t payload_bytes() const { return bytes_.size() - kLogHeaderBytes; }
  // What the finished batch takes in the log.
  uint64_t TotalBytes() const;

  // Seals into `out`, which has TotalBytes(); counts and crcs of `header` are filled
  // in, the rest is the caller's. Returns the header's crc: the next one's previous_crc.
  uint32_t Finish(LogBatchHeader header, absl::Span<uint8_t> out);

 private:
  void Append(const void* data, size_t size);

  std::string bytes_;
  uint32_t record_count_ = 0;
};

// Checks the header alone; `block` is at least kLogHeaderBytes.
absl::StatusOr<LogBatchHeader> DecodeLogBatchHeader(absl::Span<const uint8_t> block, uint64_t volume_id,
                                                    uint64_t address);

// Checks the payload that follows the header and visits its records; the first
// error ends it. `payload` has header.payload_bytes.
absl::Status DecodeLogPayload(const LogBatchHeader& header, absl::Span<const uint8_t> payload,
                              absl::FunctionRef<absl::Status(const LogRecord&)> visit);

std::string DebugString(const LogBatchHeader& header);
std::string DebugString(const LogRecord& record);

// Complete batches, for tests of the decoder.
std::vector<std::vector<uint8_t>> LogBatchTestInstances(uint64_t volume_id, uint64_t address);

}  // namespace fs

#endif  // FS_FORMAT_LOG_BATCH_H_
