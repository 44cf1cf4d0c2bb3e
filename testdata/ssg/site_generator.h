// Generates realistic sites for tests and benchmarks: sections, tags, code,
// tables, lists, links and images, the same bytes for the same options.
//
// One content tree serves ssg and Hugo; each gets templates that give the same
// features: base with navigation of the sections, pages with table of contents,
// terms, previous and next, lists, term pages, RSS of home, sections and terms,
// a sitemap and a JSON index.
// Threads: no state.
#ifndef TESTDATA_SSG_SITE_GENERATOR_H_
#define TESTDATA_SSG_SITE_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace ssg {

struct GeneratedSite {
  size_t page_count = 10'000;
  size_t section_count = 20;
  size_t tag_count = 60;
  uint64_t seed = 1;
};

// Makes content/ below `directory`.
absl::Status GenerateContent(const GeneratedSite& site, const std::string& directory);
// One page's file, as GenerateContent writes it; `body_seed` varies the text.
std::string GeneratedPage(const GeneratedSite& site, size_t index, uint64_t body_seed);
// "section-03/page-00123.md".
std::string GeneratedPath(const GeneratedSite& site, size_t index);

// ssg.toml and templates/, with the features that the Hugo site has.
absl::Status GenerateSsgTheme(const std::string& directory);
// hugo.toml and layouts/, with navigation in a cached partial.
absl::Status GenerateHugoTheme(const std::string& directory);

}  // namespace ssg

#endif  // TESTDATA_SSG_SITE_GENERATOR_H_
