// Any bytes as a log batch: as they are, and as the payload of a header that is right.
#include <cstdint>
#include <cstring>
#include <vector>

#include "fs/format/crc32c.h"
#include "fs/format/log_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::Span<const uint8_t> bytes(data, size);
  static_cast<void>(fs::DecodeLogBatchHeader(bytes, 1, 4096));
  fs::LogBatchHeader header;
  header.payload_bytes = size;
  header.payload_crc32c = fs::Crc32c(data, size);
  for (const uint32_t count : {0u, 1u, 2u, 7u}) {
    header.record_count = count;
    size_t text = 0;
    static_cast<void>(fs::DecodeLogPayload(header, bytes, [&](const fs::LogRecord& record) {
      text += fs::DebugString(record).size() + record.key.size() + record.value.size();
      return absl::OkStatus();
    }));
  }
  return 0;
}
