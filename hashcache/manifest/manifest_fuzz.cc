// Any bytes parse to something; what parsed well is written and read back the same.
#include "hashcache/manifest/manifest.h"

#include "glog/logging.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hashcache;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const Manifest manifest = ParseManifest(text, Algorithm::kSha256);
  for (const ManifestFormat format : {ManifestFormat::kGnu, ManifestFormat::kTag, ManifestFormat::kZero,
                                      ManifestFormat::kJsonl, ManifestFormat::kJson}) {
    ManifestWriter writer({.format = format, .algorithms = {kAllAlgorithms.begin(), kAllAlgorithms.end()}});
    for (const ManifestEntry& entry : manifest.entries) {
      std::string written = writer.Header();
      FileResult result;
      // One algorithm per line where lines hold one.
      result.digests = entry.digests.Only(entry.digests.algorithms().List().front());
      written += writer.Entry(entry.path, result) + writer.Footer();
      const Manifest again = ParseManifest(written, Algorithm::kSha256);
      // gnu lines do not tell BLAKE3 from SHA-256, and a name may look like a tag line.
      if (format == ManifestFormat::kGnu || format == ManifestFormat::kZero) break;
      CHECK_EQ(again.entries.size(), 1u) << written;
      CHECK(again.entries[0].path == entry.path) << written;
      CHECK(again.entries[0].digests == result.digests) << written;
      break;
    }
  }
  return 0;
}
