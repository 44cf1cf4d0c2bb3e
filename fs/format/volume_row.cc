#include "fs/format/volume_row.h"

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "fs/format/varint.h"

namespace fs {
namespace {

constexpr size_t kCounterBytes = 8;

std::string RowKey32(RowType type, uint32_t suffix) {
  char bytes[4];
  base::StoreBig<uint32_t>(bytes, suffix);
  return RowKey(0, type, absl::string_view(bytes, sizeof bytes));
}

}  // namespace

std::string CounterKey(Counter counter) { return RowKey32(RowType::kCounter, static_cast<uint32_t>(counter)); }
std::string UsageKey(uint32_t policy) { return RowKey32(RowType::kUsage, policy); }
std::string OrphanKey(InodeNumber inode) { return RowKey(0, RowType::kOrphan, inode); }
std::string XattrKey(InodeNumber inode, absl::string_view name) { return RowKey(inode, RowType::kXattr, name); }

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

}  // namespace fs
