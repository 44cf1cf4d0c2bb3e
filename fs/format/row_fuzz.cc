#include <cstddef>
#include <cstdint>

#include "fs/format/inode_row.h"
#include "fs/format/name_row.h"
#include "fs/format/volume_row.h"
#include "glog/logging.h"

namespace {

// What decodes has one encoding, so it encodes to the same bytes.
template <typename Row>
void Try(absl::string_view bytes) {
  const absl::StatusOr<Row> row = Row::Decode(bytes);
  if (!row.ok()) return;
  CHECK(row->Encode() == bytes) << row->DebugString();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try<fs::InodeRow>(bytes);
  Try<fs::NameRow>(bytes);
  Try<fs::OrderRow>(bytes);
  Try<fs::UsageRow>(bytes);
  Try<fs::PolicyRow>(bytes);
  absl::string_view name;
  uint16_t part;
  fs::ParseXattrSuffix(bytes, &name, &part);
  return 0;
}
