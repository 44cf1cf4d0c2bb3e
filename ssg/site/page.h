// A Page is whatever has a URL: a content file, a section, a taxonomy, a term.
//
// Shape:   built by Site::Assemble from front matter; its text (html and what was
//          learnt from it) joins when Markdown has been rendered. As a template
//          object it offers the attributes of page_attributes.cc; every read is
//          recorded in the render's ReadSet by facet.
// Life:    owned by its Site; views point into the site's arenas and sources.
// Threads: immutable while templates are rendered.
#ifndef SSG_SITE_PAGE_H_
#define SSG_SITE_PAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/markdown/markdown.h"
#include "ssg/site/dates.h"
#include "ssg/template/object.h"
#include "ssg/template/value.h"

namespace ssg {

class Site;
struct Page;

enum class PageKind : uint8_t { kHome, kSection, kPage, kTaxonomy, kTerm };

// The parts of a page that change independently of each other.
enum class Facet : uint8_t {
  kMeta,     // what front matter, configuration and path say
  kText,     // summary, word count, reading time
  kBody,     // html, table of contents
  kOutline,  // headings
  kLinks,    // parent, ancestors, previous, next, terms, resources
  kPages,    // the lists of a section or term
  kRelated,
};
inline constexpr size_t kFacetCount = 7;

// A file beside a bundle's index.md.
struct Resource {
  absl::string_view name;    // relative to the bundle
  absl::string_view file;    // relative to the site's directory
  absl::string_view output;  // relative to the output directory
};

struct Page : public tmpl::Object {
  uint32_t id = 0;
  PageKind kind = PageKind::kPage;
  bool draft = false;
  bool render = true;
  bool searchable = true;
  bool in_sitemap = true;
  bool bundle = false;             // index.md: owns the files of its directory
  bool mounted = false;            // from outside the site: links to its old neighbours may lead nowhere
  absl::string_view key;           // unique and stable: "blog/a.md", "term:tags/x"
  absl::string_view file;          // relative to the site's directory, "" if virtual
  absl::string_view content_path;  // relative to content/
  absl::string_view path;          // from the site's root: "/blog/a/"
  absl::string_view output;        // relative to the output directory
  absl::string_view section;       // the first directory below content/
  absl::string_view title;
  absl::string_view description;
  absl::string_view summary_text;  // front matter's own
  absl::string_view slug;
  absl::string_view template_name;
  absl::string_view page_template;  // sections: of their pages
  absl::string_view type;
  absl::string_view sort_by;
  absl::string_view edit_url;
  int64_t date = kNoDate;
  int64_t updated = kNoDate;
  int64_t publish_date = kNoDate;
  int64_t expiry_date = kNoDate;
  int64_t weight = 0;
  int64_t paginate_by = -1;                  // -1: as configured
  tmpl::Value params = tmpl::Value::None();  // front matter with cascade, a dict
  tmpl::Value cascade = tmpl::Value::None();
  std::vector<absl::string_view> aliases;
  std::vector<absl::string_view> outputs;  // names of further output formats
  std::vector<Resource> resources;

  // The source behind it.
  absl::string_view source;  // the whole file, empty when taken from the cache
  uint32_t body_offset = 0;
  uint32_t body_line = 1;
  uint64_t source_hash = 0;

  // Relations.
  Page* parent = nullptr;
  Page* previous = nullptr;  // older or earlier in its section
  Page* next = nullptr;
  std::vector<Page*> pages;        // of a section or term, sorted
  std::vector<Page*> subsections;  // of a section; terms of a taxonomy; subterms of a term
  std::vector<Page*> related;
  // Taxonomy index, term.
  std::vector<std::pair<uint32_t, Page*>> terms;

  // Frozen lists of the above, for templates.
  tmpl::Value pages_value = tmpl::Value::None();
  tmpl::Value subsections_value = tmpl::Value::None();

  // What Markdown gave, encoded; see body.h.
  absl::string_view body;

  uint64_t facets[kFacetCount] = {};

  bool IsSection() const { return kind == PageKind::kHome || kind == PageKind::kSection; }

  // tmpl::Object:
  absl::string_view TypeName() const override { return "page"; }
  absl::StatusOr<tmpl::Value> Attribute(tmpl::Symbol name, tmpl::Runtime& runtime) const override;
  std::vector<absl::string_view> AttributeNames() const override;
  std::string ToString() const override;
};

}  // namespace ssg

#endif  // SSG_SITE_PAGE_H_
