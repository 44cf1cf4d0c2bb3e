// What changed since the last build, as far as it matters to what was built:
// which facets of which of the manifest's objects, which templates.
//
// Threads: immutable between calls of Update().
#ifndef SSG_BUILD_CHANGES_H_
#define SSG_BUILD_CHANGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/build/manifest.h"
#include "ssg/build/template_store.h"
#include "ssg/site/site.h"

namespace ssg {

class Changes {
 public:
  static constexpr uint32_t kGone = UINT32_MAX;

  // `old` may be null: everything is new. All must outlive the object.
  Changes(const Manifest* old, const Site& site, const TemplateStore& templates);

  // Compares the facets in `mask` (1 << facet); once those of Markdown are known, again.
  void Update(uint32_t mask);

  // Whether nothing that was read is different now.
  bool Holds(const Dependencies& dependencies) const;
  // The first difference, in words; "" if Holds().
  std::string Explain(const Dependencies& dependencies) const;
  // The reads with today's numbers. REQUIRES: Holds().
  std::vector<uint32_t> Renumber(const std::vector<uint32_t>& reads) const;
  // Today's number of old object `id`.
  uint32_t NewId(uint32_t id) const { return new_ids_[id]; }
  bool SamePages() const { return same_numbers_; }

 private:
  const Manifest* const old_;
  const Site& site_;
  const TemplateStore& templates_;
  std::vector<uint32_t> new_ids_;
  std::vector<uint8_t> changed_;  // bit per facet
  std::vector<bool> template_changed_;
  bool same_numbers_ = true;
};

// The key that the manifest gives to an object of the site itself: 0xFF and a word, which
// no page can have: names of content files are UTF-8.
absl::string_view SiteObjectKey(uint32_t object);

}  // namespace ssg

#endif  // SSG_BUILD_CHANGES_H_
