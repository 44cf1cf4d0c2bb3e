// The configuration of a site: ssg.toml (or .yaml, .json), or the files of
// config/_default with those of config/ENVIRONMENT laid over them.
//
// Shape:   the fields below are what the generator itself uses; templates see
//          everything, their own keys included, as `config`.
// Errors:  reported to Diagnostics with file and line: syntax, wrong types (errors),
//          unknown keys (warnings with a near miss).
// Threads: immutable once loaded.
#ifndef SSG_CONFIG_CONFIG_H_
#define SSG_CONFIG_CONFIG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/markdown/markdown.h"
#include "ssg/template/arena.h"
#include "ssg/template/value.h"

namespace ssg {

struct TaxonomyConfig {
  std::string name;  // "tags": the front matter key and the first part of its URLs
  std::string singular;
  int64_t paginate = 0;
  bool feed = true;
};

struct MenuItem {
  std::string menu;
  std::string identifier;
  std::string parent;
  std::string name;
  std::string url;   // external, or a path from the site's root
  std::string page;  // "@/path.md"; wins over url
  int64_t weight = 0;
};

// A file or directory outside content/ that is read as content.
struct Mount {
  std::string source;  // relative to the site
  std::string target;  // below content/
  std::string title;   // for a file without front matter
  int64_t weight = 0;
};

enum class SearchMode { kOff, kHeadings, kFull };

struct Config {
  std::string title = "Untitled";
  std::string base_url = "/";
  std::string language = "en";
  std::string description;
  std::string author;
  std::string copyright;
  std::string theme;  // "" = the built-in one
  std::string output_dir = "public";
  std::string edit_url;  // "{path}" is replaced
  int64_t paginate = 0;  // 0: lists are whole
  int64_t feed_items = 20;
  bool feed_full = false;
  int64_t words_per_minute = 200;
  int64_t related = 5;
  bool git_dates = false;
  bool minify_html = false;
  bool rss = true;
  bool atom = true;
  bool sitemap = true;
  bool robots = true;
  bool json_index = true;
  SearchMode search = SearchMode::kFull;

  MarkdownOptions markdown;
  bool highlight = true;
  bool line_numbers = false;

  std::vector<TaxonomyConfig> taxonomies;
  std::vector<std::pair<std::string, std::string>> permalinks;  // section -> pattern
  std::vector<MenuItem> menu;
  std::vector<Mount> mounts;
  std::vector<std::pair<std::string, std::vector<std::string>>> bundles;  // css bundle -> parts

  bool fingerprint = true;
  bool minify_assets = true;
  bool images = true;
  std::vector<int64_t> image_widths = {480, 960, 1440};
  int64_t image_quality = 78;

  std::string environment = "production";
  tmpl::Value all = tmpl::Value::None();  // the merged configuration, frozen
  std::vector<std::string> files;         // read for it, relative to the site
  uint64_t hash = 0;                      // of all that the output may depend on
  uint64_t markdown_hash = 0;             // of what Markdown rendering depends on

  // "/docs" of "https://example.org/docs/"; "" for the root.
  std::string base_path;
  // "https://example.org"; "" if base_url is a path.
  std::string origin;

  std::shared_ptr<tmpl::Arena> arena = std::make_shared<tmpl::Arena>();
};

struct ConfigRequest {
  std::string site_dir;
  std::string environment = "production";
  std::string base_url;    // overrides, if not empty
  std::string output_dir;  // likewise
};

// Reads the configuration. What is wrong goes to `diagnostics`; the rest keeps
// its defaults. A site without configuration is an error.
Config LoadConfig(const ConfigRequest& request, Diagnostics& diagnostics);

}  // namespace ssg

#endif  // SSG_CONFIG_CONFIG_H_
