#include "ssg/build/changes.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace ssg {
namespace {

absl::string_view FacetName(uint32_t facet) {
  static constexpr absl::string_view kNames[] = {"front matter", "summary or length", "text",         "headings",
                                                 "neighbours",   "list of pages",     "related pages"};
  return kNames[facet];
}

}  // namespace

absl::string_view SiteObjectKey(uint32_t object) {
  static constexpr absl::string_view kKeys[] = {"\377site", "\377data", "\377menus", "\377assets"};
  static_assert(sizeof(kKeys) / sizeof(kKeys[0]) == Site::kSiteObjectCount);
  return kKeys[object];
}

Changes::Changes(const Manifest* old, const Site& site, const TemplateStore& templates)
    : old_(old), site_(site), templates_(templates) {
  if (old == nullptr) return;
  const auto& objects = old->objects;
  new_ids_.assign(objects.size(), kGone);
  changed_.assign(objects.size(), 0);
  // Both sides are in the order of their keys, the site's own objects last.
  const auto& pages = site.pages();
  size_t page = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    const absl::string_view key = objects[i].key;
    if (!key.empty() && key[0] == '\xFF') {
      for (uint32_t object = 0; object < Site::kSiteObjectCount; ++object) {
        if (SiteObjectKey(object) == key) new_ids_[i] = static_cast<uint32_t>(pages.size()) + object;
      }
    } else {
      while (page < pages.size() && pages[page]->key < key) ++page;
      if (page < pages.size() && pages[page]->key == key) new_ids_[i] = static_cast<uint32_t>(page);
    }
    same_numbers_ = same_numbers_ && new_ids_[i] == i;
    if (new_ids_[i] == kGone) changed_[i] = 0xFF;
  }
  for (const Manifest::Template& one : old->templates) {
    template_changed_.push_back(templates.HashOf(one.name) != one.hash);
  }
}

void Changes::Update(uint32_t mask) {
  if (old_ == nullptr) return;
  const size_t page_count = site_.pages().size();
  for (size_t i = 0; i < new_ids_.size(); ++i) {
    const uint32_t id = new_ids_[i];
    if (id == kGone) continue;
    const uint64_t* now = id < page_count ? site_.pages()[id]->facets
                                          : site_.object_facets(static_cast<Site::SiteObject>(id - page_count));
    for (uint32_t facet = 0; facet < kFacetCount; ++facet) {
      if ((mask >> facet & 1) != 0 && now[facet] != old_->objects[i].facets[facet]) {
        changed_[i] = static_cast<uint8_t>(changed_[i] | (1u << facet));
      }
    }
  }
}

bool Changes::Holds(const Dependencies& dependencies) const {
  for (const uint32_t read : dependencies.reads) {
    if ((changed_[read / kFacetCount] >> (read % kFacetCount) & 1) != 0) return false;
  }
  for (const uint32_t index : dependencies.templates) {
    if (template_changed_[index]) return false;
  }
  return true;
}

std::string Changes::Explain(const Dependencies& dependencies) const {
  for (const uint32_t index : dependencies.templates) {
    if (template_changed_[index]) {
      return absl::StrCat("template ", templates_.FileOf(old_->templates[index].name), " changed");
    }
  }
  for (const uint32_t read : dependencies.reads) {
    const uint32_t object = read / kFacetCount;
    if ((changed_[object] >> (read % kFacetCount) & 1) == 0) continue;
    if (new_ids_[object] == kGone) return absl::StrCat(old_->objects[object].key, " is gone");
    return absl::StrCat(FacetName(read % kFacetCount), " of ", old_->objects[object].key, " changed");
  }
  return "";
}

std::vector<uint32_t> Changes::Renumber(const std::vector<uint32_t>& reads) const {
  if (same_numbers_) return reads;
  std::vector<uint32_t> renumbered;
  renumbered.reserve(reads.size());
  for (const uint32_t read : reads) {
    renumbered.push_back(new_ids_[read / kFacetCount] * static_cast<uint32_t>(kFacetCount) + read % kFacetCount);
  }
  return renumbered;
}

}  // namespace ssg
