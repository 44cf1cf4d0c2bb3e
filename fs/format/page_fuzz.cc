// Any bytes as a page whose checksum is right: what passes can be searched and changed.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "fs/format/page.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  alignas(8) static uint8_t bytes[4096];
  std::memset(bytes, 0, sizeof bytes);
  std::memcpy(bytes, data, std::min(size, sizeof bytes));
  fs::BlockHeader header;
  header.type = fs::BlockType::kPage;
  header.volume_id = 1;
  header.generation = 2;
  header.address = 4096;
  header.length = sizeof bytes;
  std::memcpy(bytes, &header, sizeof header);
  const absl::Span<uint8_t> block(bytes, sizeof bytes);
  fs::SealBlock(block);
  std::memcpy(&header, bytes, sizeof header);
  if (!fs::VerifyPage(block, 1, {4096, 2, header.crc32c, 0}).ok()) return 0;
  fs::Page page(bytes, sizeof bytes);
  size_t total = 0;
  bool equal;
  for (int i = 0; i < page.count(); ++i) {
    total += page.Key(i).size() + page.Value(i).size();
    if (page.LowerBound(page.Key(i), &equal) != i || !equal) __builtin_trap();
  }
  if (page.level() > 0 || total > sizeof bytes) return 0;
  const std::string key = std::string(page.prefix()) + "fuzz";
  const int at = page.LowerBound(key, &equal);
  if (!equal && page.Insert(at, key, "value") && page.Value(at) != "value") __builtin_trap();
  while (page.count() > 0) page.Erase(page.count() / 2);
  return 0;
}
