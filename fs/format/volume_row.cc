#include "fs/format/volume_row.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "fs/format/varint.h"

namespace fs {
namespace {

constexpr size_t kCounterBytes = 8;
constexpr uint8_t kPolicyFormat = 1;

std::string RowKey32(RowType type, uint32_t suffix) {
  char bytes[4];
  base::StoreBig<uint32_t>(bytes, suffix);
  return RowKey(0, type, absl::string_view(bytes, sizeof bytes));
}

}  // namespace

std::string CounterKey(Counter counter) { return RowKey32(RowType::kCounter, static_cast<uint32_t>(counter)); }
std::string UsageKey(uint32_t policy) { return RowKey32(RowType::kUsage, policy); }
std::string PolicyKey(uint32_t policy) { return RowKey32(RowType::kPolicy, policy); }
std::string OrphanKey(InodeNumber inode) { return RowKey(0, RowType::kOrphan, inode); }
std::string ExpiryKey(int64_t expiry_seconds, InodeNumber inode) {
  return RowKey(0, RowType::kExpiry, static_cast<uint64_t>(std::max<int64_t>(expiry_seconds, 0)) / 60, inode);
}
std::string XattrKey(InodeNumber inode, absl::string_view name, uint16_t part) {
  char suffix[3] = {};
  base::StoreBig<uint16_t>(suffix + 1, part);
  return RowKey(inode, RowType::kXattr, absl::StrCat(name, absl::string_view(suffix, sizeof suffix)));
}

std::string XattrEnd(InodeNumber inode, absl::string_view name) {
  return RowKey(inode, RowType::kXattr, absl::StrCat(name, "\x01"));
}

bool ParseXattrSuffix(absl::string_view suffix, absl::string_view* name, uint16_t* part) {
  if (suffix.size() < 4 || suffix[suffix.size() - 3] != '\0') return false;
  *name = suffix.substr(0, suffix.size() - 3);
  *part = base::LoadBig<uint16_t>(suffix.data() + suffix.size() - 2);
  return name->find('\0') == absl::string_view::npos;
}

std::string EncodeCounter(uint64_t value) {
  std::string out(kCounterBytes, '\0');
  base::StoreLittle<uint64_t>(out.data(), value);
  return out;
}

absl::StatusOr<uint64_t> DecodeCounter(absl::string_view bytes) {
  if (bytes.size() != kCounterBytes) {
    return absl::DataLossError(absl::StrCat("counter row has ", bytes.size(), " bytes, not ", kCounterBytes));
  }
  return base::LoadLittle<uint64_t>(bytes.data());
}

std::string UsageRow::Encode() const {
  std::string out;
  AppendVarint(&out, files);
  AppendVarint(&out, bytes);
  return out;
}

absl::StatusOr<UsageRow> UsageRow::Decode(absl::string_view bytes) {
  UsageRow row;
  if (!ConsumeVarint(&bytes, &row.files) || !ConsumeVarint(&bytes, &row.bytes)) {
    return absl::DataLossError("usage row is cut off");
  }
  if (!bytes.empty()) return absl::DataLossError("usage row has bytes too many");
  return row;
}

std::string UsageRow::DebugString() const { return absl::StrCat("files ", files, " bytes ", bytes); }

std::vector<UsageRow> UsageRow::TestInstances() { return {{}, {1, 0}, {UINT64_MAX, UINT64_MAX}}; }

std::string PolicyRow::Encode() const {
  std::string out;
  out.push_back(static_cast<char>(kPolicyFormat));
  out.push_back(static_cast<char>(fields));
  out.push_back(static_cast<char>(kind));
  out.push_back(static_cast<char>(compression));
  AppendVarint(&out, root);
  AppendVarint(&out, ttl_seconds);
  AppendVarint(&out, quota_bytes);
  AppendVarint(&out, digests);
  return out;
}

absl::StatusOr<PolicyRow> PolicyRow::Decode(absl::string_view bytes) {
  if (bytes.size() < 4) return absl::DataLossError("policy row is cut off");
  if (static_cast<uint8_t>(bytes[0]) != kPolicyFormat) {
    return absl::UnimplementedError(absl::StrCat("policy row of format ", static_cast<uint8_t>(bytes[0])));
  }
  PolicyRow row;
  row.fields = static_cast<uint8_t>(bytes[1]);
  row.kind = static_cast<Kind>(bytes[2]);
  row.compression = static_cast<Compression>(bytes[3]);
  bytes.remove_prefix(4);
  if (row.fields > 31 || row.kind < kKeep || row.kind > kFifo || row.compression < kNone || row.compression > kZstd) {
    return absl::DataLossError("policy row has a value out of its range");
  }
  if (!ConsumeVarint(&bytes, &row.root) || !ConsumeVarint(&bytes, &row.ttl_seconds) ||
      !ConsumeVarint(&bytes, &row.quota_bytes) || !ConsumeVarint32(&bytes, &row.digests) || !bytes.empty()) {
    return absl::DataLossError("policy row is cut off or has bytes too many");
  }
  return row;
}

std::string PolicyRow::DebugString() const {
  return absl::StrCat("root ", root, " fields ", fields, " kind ", kind, " ttl ", ttl_seconds, " quota ", quota_bytes,
                      " compression ", compression, " digests ", digests);
}

std::vector<PolicyRow> PolicyRow::TestInstances() {
  PolicyRow full;
  full.root = 77;
  full.fields = 31;
  full.kind = kLru;
  full.ttl_seconds = 86400;
  full.quota_bytes = UINT64_MAX;
  full.compression = kZstd;
  full.digests = 16;
  return {PolicyRow{}, full};
}

}  // namespace fs
