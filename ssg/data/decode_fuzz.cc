#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "ssg/data/decode.h"
#include "ssg/data/encode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  ssg::tmpl::Arena arena;
  for (auto* decode : {&ssg::DecodeYaml, &ssg::DecodeToml, &ssg::DecodeJson, &ssg::DecodeCsv}) {
    const auto value = (*decode)(text, arena);
    if (!value.ok()) continue;
    std::string json;
    ssg::AppendJson(*value, 1, &json);
  }
  absl::string_view bytes = text;
  static_cast<void>(ssg::TakeBinary(&bytes, arena));
  return 0;
}
