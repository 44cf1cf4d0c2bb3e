// Any bytes as an ignore file, and any as a path.
#include "hashcache/walk/ignore.h"

#include <cstdint>


extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  hashcache::IgnoreScope scope("", nullptr);
  scope.AddLines(text.substr(0, 4096));
  const absl::string_view path = text.substr(size / 2).substr(0, 256);
  scope.Ignores(path, false);
  scope.Ignores(path, true);
  scope.Ignores("a/b/c.o", false);
  return 0;
}
