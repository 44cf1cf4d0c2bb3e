// A Site is the model of all pages and how they belong together: sections,
// taxonomies, menus, order, URLs.
//
// Life:    AddSource() for each content file, then Assemble() once.
// Shape:   deterministic: pages are numbered in the order of their keys, whatever
//          the order in which sources came.
// Errors:  go to Diagnostics: two pages with one URL, wrong types in front matter.
// Threads: thread-compatible; immutable, and so shared, after Assemble().
#ifndef SSG_SITE_SITE_H_
#define SSG_SITE_SITE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ssg/config/config.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/site/page.h"
#include "ssg/template/arena.h"
#include "ssg/template/object.h"
#include "ssg/template/value.h"

namespace ssg {

// One content file after front matter was parsed.
struct Source {
  absl::string_view path;  // relative to content/
  absl::string_view file;  // relative to the site
  absl::string_view text;  // empty when the body comes from the cache
  tmpl::Value values;      // front matter
  uint32_t body_offset = 0;
  uint32_t body_line = 1;
  uint64_t hash = 0;
  int64_t git_date = kNoDate;
  bool mounted = false;  // from outside the site
};

struct MenuNode {
  absl::string_view menu;
  absl::string_view identifier;
  absl::string_view parent;
  absl::string_view name;
  absl::string_view url;  // ready for href
  Page* page = nullptr;
  int64_t weight = 0;
  std::vector<const MenuNode*> children;
  bool root = true;
};

struct Taxonomy {
  const TaxonomyConfig* config = nullptr;
  Page* page = nullptr;
  std::vector<Page*> terms;  // in the order of their titles
};

struct BuildFilter {
  bool drafts = false;
  bool future = false;
  bool expired = false;
  int64_t now = 0;
};

class Site : public tmpl::Object {
 public:
  // The objects besides pages that a render may read; numbered after them.
  enum SiteObject : uint32_t { kObjectSite, kObjectData, kObjectMenus, kObjectAssets, kSiteObjectCount };

  Site(const Config& config, const BuildFilter& filter, Diagnostics& diagnostics)
      : config_(config), filter_(filter), diagnostics_(diagnostics) {}

  void AddSource(Source source) { sources_.push_back(std::move(source)); }
  // A file of content/ that is not Markdown; belongs to the bundle or section around it.
  void AddResource(absl::string_view path, absl::string_view file) { resources_.emplace_back(path, file); }
  void SetData(tmpl::Value data, uint64_t hash) {
    data_ = data;
    data_hash_ = hash;
  }
  void SetAssetsHash(uint64_t hash) { assets_hash_ = hash; }
  void Assemble(size_t thread_count);
  // Fills the facets of every page except those of Markdown (kText, kBody), and
  // those of the site's objects. After Assemble().
  void HashFacets(size_t thread_count);

  const Config& config() const { return config_; }
  const std::vector<Page*>& pages() const { return pages_; }
  // All sources, of pages that were left out too; sorted by path after Assemble().
  const std::vector<Source>& sources() const { return sources_; }
  // Content pages in the site's order, sections left out.
  const std::vector<Page*>& regular_pages() const { return regular_pages_; }
  const std::vector<Taxonomy>& taxonomies() const { return taxonomies_; }
  const std::vector<std::unique_ptr<MenuNode>>& menu() const { return menu_; }
  Page* home() const { return home_; }
  const tmpl::Value& data() const { return data_; }
  // Frozen values for templates.
  const tmpl::Value& pages_value() const { return pages_value_; }
  const tmpl::Value& regular_pages_value() const { return regular_pages_value_; }
  const tmpl::Value& taxonomies_value() const { return taxonomies_value_; }
  const tmpl::Value& menus_value() const { return menus_value_; }
  // Files of content/ to be copied: file, output.
  const std::vector<std::pair<absl::string_view, absl::string_view>>& copies() const { return copies_; }
  // Sources left out by the filter, e.g. drafts: content path, why.
  const std::vector<std::pair<absl::string_view, absl::string_view>>& left_out() const { return left_out_; }

  // When the passing of time alone changes what is published; INT64_MAX: never.
  int64_t next_change() const { return next_change_; }

  Page* FindByContentPath(absl::string_view path) const;
  Page* FindByUrlPath(absl::string_view path) const;

  uint32_t ObjectId(SiteObject object) const { return static_cast<uint32_t>(pages_.size()) + object; }
  size_t object_count() const { return pages_.size() + kSiteObjectCount; }
  const uint64_t (&object_facets(SiteObject object) const)[kFacetCount] { return object_facets_[object]; }

  // What goes into an href: base path and path, or the absolute URL.
  std::string Href(absl::string_view path) const;
  std::string Permalink(absl::string_view path) const;

  // "blog/My Post.md" -> its URL parts by the configured slug style.
  std::string UrlPart(absl::string_view name) const;

  // tmpl::Object:
  absl::string_view TypeName() const override { return "site"; }
  absl::StatusOr<tmpl::Value> Attribute(tmpl::Symbol name, tmpl::Runtime& runtime) const override;
  std::vector<absl::string_view> AttributeNames() const override;

  tmpl::Arena& arena() { return arena_; }

 private:
  friend class Assembler;

  const Config& config_;
  const BuildFilter filter_;
  Diagnostics& diagnostics_;
  tmpl::Arena arena_;
  std::vector<Source> sources_;
  std::vector<std::pair<absl::string_view, absl::string_view>> resources_;
  std::vector<std::pair<absl::string_view, absl::string_view>> copies_;
  std::vector<std::pair<absl::string_view, absl::string_view>> left_out_;
  std::deque<Page> storage_;
  std::vector<Page*> pages_;
  std::vector<Page*> regular_pages_;
  std::vector<Taxonomy> taxonomies_;
  std::vector<std::unique_ptr<MenuNode>> menu_;
  absl::flat_hash_map<absl::string_view, Page*> by_content_path_;
  absl::flat_hash_map<absl::string_view, Page*> by_url_path_;
  Page* home_ = nullptr;
  int64_t next_change_ = INT64_MAX;
  tmpl::Value data_ = tmpl::Value::None();
  tmpl::Value pages_value_;
  tmpl::Value regular_pages_value_;
  tmpl::Value taxonomies_value_;
  tmpl::Value menus_value_;
  uint64_t data_hash_ = 0;
  uint64_t assets_hash_ = 0;
  uint64_t object_facets_[kSiteObjectCount][kFacetCount] = {};
};

}  // namespace ssg

#endif  // SSG_SITE_SITE_H_
