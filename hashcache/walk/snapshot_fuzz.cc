// Any bytes as a snapshot's directory: decoding stays within them.
#include "hashcache/walk/snapshot.h"

#include <cstdint>

#include "glog/logging.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hashcache;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::optional<SnapshotDirectory> directory = DecodeDirectory(bytes);
  if (directory.has_value()) {
    std::string again;
    ForEachEntry(directory->entries, [&again](const SnapshotEntry& entry) { AppendEntry(entry, &again); });
    CHECK_LE(again.size(), directory->entries.size());
  }
  size_t names = 0;
  ForEachEntry(bytes, [&names](const SnapshotEntry& entry) { names += entry.name.size(); });
  CHECK_LE(names, size);
  return 0;
}
