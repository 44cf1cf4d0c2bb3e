// Any bytes as a record, a base table, a log: nothing crashes, and whatever decodes
// encodes to the same bytes.
#include "hashcache/store/record.h"

#include <cstring>

#include "glog/logging.h"
#include "hashcache/store/format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hashcache;
  DecodeState({reinterpret_cast<const char*>(data), size});
  uint8_t bytes[kRecordSize] = {};
  std::memcpy(bytes, data, size < kRecordSize ? size : kRecordSize);
  for (const bool sealed : {false, true}) {
    // A right checksum lets the rest of the decoder see the bytes.
    if (sealed) base::StoreLittle<uint32_t>(bytes + kRecordSize - 4, Crc32c(bytes, kRecordSize - 4));
    const absl::optional<Record> record = DecodeRecord(bytes);
    if (!record.has_value()) continue;
    uint8_t again[kRecordSize];
    EncodeRecord(*record, again);
    const absl::optional<Record> reread = DecodeRecord(again);
    CHECK(reread.has_value());
    CHECK(reread->digests == record->digests);
    CHECK(reread->fingerprint == record->fingerprint);
  }
  return 0;
}
