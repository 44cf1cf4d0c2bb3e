// Highlights any bytes in a language that the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "ssg/highlight/highlight.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto languages = ssg::highlight::Languages();
  const absl::string_view code(reinterpret_cast<const char*>(data) + 1, size - 1);
  size_t total = 0;
  for (const ssg::highlight::Token& token : ssg::highlight::Tokenize(languages[data[0] % languages.size()], code)) {
    total += token.text.size();
  }
  if (total != code.size()) abort();
  return 0;
}
