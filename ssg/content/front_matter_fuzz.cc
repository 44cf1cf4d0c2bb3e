#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "ssg/content/front_matter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view source(reinterpret_cast<const char*>(data), size);
  ssg::tmpl::Arena arena;
  const auto parsed = ssg::ParseFrontMatter(source, arena);
  if (parsed.ok() && (parsed->body_offset > size || !parsed->values.IsDict())) __builtin_trap();
  return 0;
}
