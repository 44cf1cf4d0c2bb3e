// Any bytes as MARC-8 and as UTF-8: no crash, valid UTF-8 out, bounded output,
// and what was decoded without an issue survives encoding and decoding.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "marc/charset/marc8.h"
#include "marc/codec/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  marc::Buffer utf8;
  std::vector<marc::TextIssue> issues;
  marc::Marc8ToUtf8(text, &utf8, &issues);
  if (!marc::IsValidUtf8(utf8.view()) || utf8.size() > size * 4) abort();
  for (const marc::TextIssue& issue : issues) {
    if (issue.offset >= size) abort();
  }
  marc::Buffer marc8;
  issues.clear();
  marc::Utf8ToMarc8(text, &marc8, &issues);
  if (marc8.size() > size * 12 + 8) abort();
  if (!issues.empty()) return 0;
  marc::Buffer again;
  marc::Marc8ToUtf8(marc8.view(), &again, nullptr);
  if (!marc::IsValidUtf8(again.view())) abort();
  return 0;
}
