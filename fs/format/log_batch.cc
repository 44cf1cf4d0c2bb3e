#include "fs/format/log_batch.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/endian.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

// A cursor over untrusted bytes: after the first read past the end everything is 0 and
// ok() is false.
class Cursor {
 public:
  explicit Cursor(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    if (bytes_.size() < sizeof(T)) return Fail(), T{0};
    const T value = base::LoadLittle<T>(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  absl::string_view Take(size_t size) {
    if (bytes_.size() < size) return Fail(), absl::string_view();
    const absl::string_view view(reinterpret_cast<const char*>(bytes_.data()), size);
    bytes_.remove_prefix(size);
    return view;
  }
  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  absl::Span<const uint8_t> bytes_;
  bool ok_ = true;
};

template <typename T>
void AppendLittle(std::string& to, T value) {
  char bytes[sizeof(T)];
  base::StoreLittle<T>(bytes, value);
  to.append(bytes, sizeof bytes);
}

LogRecord TakeRecord(Cursor& cursor) {
  LogRecord record;
  record.kind = static_cast<LogRecordKind>(cursor.Take<uint8_t>());
  switch (record.kind) {
    case LogRecordKind::kPut:
    case LogRecordKind::kDelete: {
      const size_t key_bytes = cursor.Take<uint16_t>();
      const size_t value_bytes = cursor.Take<uint32_t>();
      record.key = cursor.Take(key_bytes);
      record.value = cursor.Take(value_bytes);
      break;
    }
    case LogRecordKind::kForget:
      record.inode = cursor.Take<uint64_t>();
      record.offset = cursor.Take<uint64_t>();
      record.length = cursor.Take<uint64_t>();
      break;
    case LogRecordKind::kInline: {
      record.inode = cursor.Take<uint64_t>();
      record.offset = cursor.Take<uint64_t>();
      const size_t length = cursor.Take<uint32_t>();
      record.group = cursor.Take<uint64_t>();
      record.order = cursor.Take<uint64_t>();
      record.policy = cursor.Take<uint32_t>();
      record.value = cursor.Take(length);
      break;
    }
    case LogRecordKind::kManifest:
      record.address = cursor.Take<uint64_t>();
      record.length = cursor.Take<uint32_t>();
      record.crc32c = cursor.Take<uint32_t>();
      break;
    default:
      record.kind = LogRecordKind{};
  }
  return record;
}

absl::Status CheckRecord(const LogRecord& record) {
  switch (record.kind) {
    case LogRecordKind::kPut:
      return record.key.empty() ? absl::DataLossError("V13: empty key") : absl::OkStatus();
    case LogRecordKind::kDelete:
      return record.key.empty() || !record.value.empty() ? absl::DataLossError("V13: bad delete") : absl::OkStatus();
    case LogRecordKind::kForget:
      return record.length == 0 ? absl::DataLossError("V14: empty range") : absl::OkStatus();
    case LogRecordKind::kInline:
      if (record.offset % kBlockBytes != 0 || record.value.empty() ||
          record.offset > UINT64_MAX - (uint64_t{1} << 32)) {
        return absl::DataLossError("V14: bad inline range");
      }
      return absl::OkStatus();
    case LogRecordKind::kManifest:
      if (record.address % kBlockBytes != 0 || record.length % kBlockBytes != 0 || record.length == 0) {
        return absl::DataLossError("V15: bad manifest range");
      }
      return absl::OkStatus();
  }
  return absl::DataLossError("V12: unknown record kind");
}

}  // namespace

uint64_t LogBatchHeader::TotalBytes() const { return base::RoundUp(kLogHeaderBytes + payload_bytes, kBlockBytes); }

LogBatchBuilder::LogBatchBuilder() : bytes_(kLogHeaderBytes, '\0') {}

void LogBatchBuilder::Append(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

void LogBatchBuilder::Put(absl::string_view key, absl::string_view value) {
  char head[kLogRowOverhead] = {static_cast<char>(LogRecordKind::kPut)};
  base::StoreLittle<uint16_t>(head + 1, static_cast<uint16_t>(key.size()));
  base::StoreLittle<uint32_t>(head + 3, static_cast<uint32_t>(value.size()));
  Append(head, sizeof head);
  Append(key.data(), key.size());
  Append(value.data(), value.size());
  ++record_count_;
}

void LogBatchBuilder::Delete(absl::string_view key) {
  char head[kLogRowOverhead] = {static_cast<char>(LogRecordKind::kDelete)};
  base::StoreLittle<uint16_t>(head + 1, static_cast<uint16_t>(key.size()));
  Append(head, sizeof head);
  Append(key.data(), key.size());
  ++record_count_;
}

void LogBatchBuilder::Forget(uint64_t inode, uint64_t offset, uint64_t length) {
  bytes_.push_back(static_cast<char>(LogRecordKind::kForget));
  AppendLittle(bytes_, inode);
  AppendLittle(bytes_, offset);
  AppendLittle(bytes_, length);
  ++record_count_;
}

void LogBatchBuilder::Inline(const LogRecord& record) {
  bytes_.push_back(static_cast<char>(LogRecordKind::kInline));
  AppendLittle(bytes_, record.inode);
  AppendLittle(bytes_, record.offset);
  AppendLittle(bytes_, static_cast<uint32_t>(record.value.size()));
  AppendLittle(bytes_, record.group);
  AppendLittle(bytes_, record.order);
  AppendLittle(bytes_, record.policy);
  Append(record.value.data(), record.value.size());
  ++record_count_;
}

void LogBatchBuilder::Manifest(uint64_t address, uint64_t length, uint32_t crc32c) {
  bytes_.push_back(static_cast<char>(LogRecordKind::kManifest));
  AppendLittle(bytes_, address);
  AppendLittle(bytes_, static_cast<uint32_t>(length));
  AppendLittle(bytes_, crc32c);
  ++record_count_;
}

uint64_t LogBatchBuilder::TotalBytes() const { return base::RoundUp(bytes_.size(), kBlockBytes); }

uint32_t LogBatchBuilder::Finish(LogBatchHeader header, absl::Span<uint8_t> out) {
  header.header.magic = kBlockMagic;
  header.header.type = BlockType::kLogBatch;
  header.header.version = kBlockVersion;
  header.header.length = kLogHeaderBytes;
  header.payload_bytes = payload_bytes();
  header.record_count = record_count_;
  std::memcpy(out.data() + kLogHeaderBytes, bytes_.data() + kLogHeaderBytes, payload_bytes());
  std::memset(out.data() + bytes_.size(), 0, out.size() - bytes_.size());
  header.payload_crc32c = Crc32c(out.data() + kLogHeaderBytes, payload_bytes());
  std::memcpy(out.data(), &header, sizeof header);
  SealBlock(out.subspan(0, kLogHeaderBytes));
  std::memcpy(&header, out.data(), sizeof header);
  return header.header.crc32c;
}

absl::StatusOr<LogBatchHeader> DecodeLogBatchHeader(absl::Span<const uint8_t> block, uint64_t volume_id,
                                                    uint64_t address) {
  if (block.size() < kLogHeaderBytes) return absl::DataLossError("log header cut short");
  RETURN_IF_ERROR(CheckBlock(block.subspan(0, kLogHeaderBytes), {BlockType::kLogBatch, volume_id, address}));
  LogBatchHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (header.header.length != kLogHeaderBytes) return absl::DataLossError("V10: bad length of a log header");
  if (header.kind != LogBatchKind::kBatch && header.kind != LogBatchKind::kMarker) {
    return absl::DataLossError(absl::StrFormat("V10: bad kind of log batch; stored %d", static_cast<int>(header.kind)));
  }
  if (header.payload_bytes > kLogPayloadBytesMax) {
    return absl::DataLossError(absl::StrFormat("V11: log payload too long; stored %d", header.payload_bytes));
  }
  if (header.number() == 0 || header.durable_batch >= header.number()) {
    return absl::DataLossError(absl::StrFormat("V11: bad durable batch; number %d, durable %d", header.number(),
                                               header.durable_batch));
  }
  return header;
}

absl::Status DecodeLogPayload(const LogBatchHeader& header, absl::Span<const uint8_t> payload,
                              absl::FunctionRef<absl::Status(const LogRecord&)> visit) {
  if (payload.size() != header.payload_bytes) return absl::DataLossError("log payload cut short");
  const uint32_t computed = Crc32c(payload.data(), payload.size());
  if (computed != header.payload_crc32c) {
    return absl::DataLossError(absl::StrFormat("log payload checksum mismatch; stored %08x, computed %08x",
                                               header.payload_crc32c, computed));
  }
  Cursor cursor(payload);
  for (uint32_t i = 0; i < header.record_count; ++i) {
    const LogRecord record = TakeRecord(cursor);
    if (!cursor.ok()) return absl::DataLossError(absl::StrFormat("V12: record %d reaches past the payload", i));
    RETURN_IF_ERROR(CheckRecord(record));
    RETURN_IF_ERROR(visit(record));
  }
  if (!cursor.empty()) return absl::DataLossError("V12: bytes after the last record");
  return absl::OkStatus();
}

std::string DebugString(const LogBatchHeader& h) {
  return absl::StrFormat(
      "%s %s epoch=%d sequences=[%d, %d] durable_batch=%d previous_crc=%08x payload_bytes=%d payload_crc32c=%08x records=%d",
      h.kind == LogBatchKind::kBatch ? "batch" : "marker", DebugString(h.header), h.epoch, h.first_sequence, h.last_sequence, h.durable_batch,
      h.previous_crc, h.payload_bytes, h.payload_crc32c, h.record_count);
}

std::string DebugString(const LogRecord& r) {
  switch (r.kind) {
    case LogRecordKind::kPut:
      return absl::StrFormat("put %s (%d bytes)", absl::BytesToHexString(r.key), r.value.size());
    case LogRecordKind::kDelete:
      return absl::StrFormat("delete %s", absl::BytesToHexString(r.key));
    case LogRecordKind::kForget:
      return absl::StrFormat("forget inode=%d offset=%d length=%d", r.inode, r.offset, r.length);
    case LogRecordKind::kInline:
      return absl::StrFormat("inline inode=%d offset=%d length=%d group=%d order=%d policy=%d", r.inode, r.offset,
                             r.value.size(), r.group, r.order, r.policy);
    case LogRecordKind::kManifest:
      return absl::StrFormat("manifest address=%d length=%d crc32c=%08x", r.address, r.length, r.crc32c);
  }
  return "unknown record";
}

std::vector<std::vector<uint8_t>> LogBatchTestInstances(uint64_t volume_id, uint64_t address) {
  std::vector<std::vector<uint8_t>> instances;
  for (int i = 0; i < 3; ++i) {
    LogBatchBuilder builder;
    if (i > 0) {
      builder.Put("key", "value");
      builder.Delete("gone");
      builder.Forget(7, 4096, UINT64_MAX);
      LogRecord record;
      record.inode = 9;
      record.offset = 8192;
      const std::string bytes(i == 1 ? 10 : 5000, 'x');
      record.value = bytes;
      record.group = 1;
      record.order = 2;
      record.policy = 3;
      builder.Inline(record);
      builder.Manifest(1 << 20, 8192, 0xfeedface);
    }
    LogBatchHeader header;
    header.header.volume_id = volume_id;
    header.header.address = address;
    header.header.generation = 5 + i;
    header.kind = i == 0 ? LogBatchKind::kMarker : LogBatchKind::kBatch;
    header.epoch = 2;
    header.first_sequence = 10;
    header.last_sequence = 12;
    header.durable_batch = 4;
    std::vector<uint8_t> out(builder.TotalBytes());
    builder.Finish(header, absl::MakeSpan(out));
    instances.push_back(std::move(out));
  }
  return instances;
}

}  // namespace fs
