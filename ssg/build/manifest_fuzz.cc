#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "ssg/build/manifest.h"
#include "ssg/site/body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  ssg::ViewBody(bytes);
  ssg::BodyFacts facts;
  static_cast<void>(ssg::DecodeFacts(bytes, &facts));
  // With a checksum that fits, so that the structure behind it is reached.
  std::string framed = "ssgman0200000000" + bytes;
  const uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  std::memcpy(framed.data() + 8, &checksum, sizeof(checksum));
  static_cast<void>(ssg::DecodeManifest(framed));
  return 0;
}
