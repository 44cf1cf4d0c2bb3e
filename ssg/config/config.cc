#include "ssg/config/config.h"

#include <dirent.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ssg/config/table_reader.h"
#include "ssg/data/decode.h"
#include "ssg/data/encode.h"

namespace ssg {
namespace {

using tmpl::Value;

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::stringstream stream;
  stream << file.rdbuf();
  *text = stream.str();
  return true;
}

// Lays `over` onto `base`: dicts merge, everything else replaces.
Value Merge(const Value& base, const Value& over, tmpl::Arena& arena) {
  if (!base.IsDict() || !over.IsDict()) return over;
  tmpl::Dict* merged = tmpl::NewDict(arena);
  for (uint32_t i = 0; i < base.dict().used; ++i) {
    tmpl::Set(arena, *merged, base.dict().entries[i].key, base.dict().entries[i].value);
  }
  for (uint32_t i = 0; i < over.dict().used; ++i) {
    const auto& entry = over.dict().entries[i];
    const Value* old = merged->Find(entry.key);
    tmpl::Set(arena, *merged, entry.key, old == nullptr ? entry.value : Merge(*old, entry.value, arena));
  }
  return Value::Of(merged);
}

class Loader {
 public:
  Loader(const ConfigRequest& request, Config& config, Diagnostics& diagnostics)
      : request_(request), config_(config), diagnostics_(diagnostics) {}

  // The merged tables of all files.
  Value Read() {
    Value all = Value::Of(tmpl::NewDict(*config_.arena));
    bool found = false;
    for (const char* name : {"ssg.toml", "ssg.yaml", "ssg.yml", "ssg.json"}) {
      if (!found) found = ReadOne(name, "", &all);
    }
    for (const std::string& directory :
         {std::string("config/_default"), absl::StrCat("config/", request_.environment)}) {
      for (const std::string& name : FilesOf(directory)) {
        // config/_default/menus.toml holds the table "menus"; ssg.toml and config.toml the root.
        const std::string stem = name.substr(0, name.rfind('.'));
        const bool root = stem == "ssg" || stem == "config" || stem == "hugo";
        found |= ReadOne(absl::StrCat(directory, "/", name), root ? "" : stem, &all);
      }
    }
    if (!found) diagnostics_.Error("config", "ssg.toml", 0, "no configuration found; `ssg new site DIR` makes one");
    return all;
  }

  const std::string& text() const { return text_; }

 private:
  std::vector<std::string> FilesOf(const std::string& directory) const {
    std::vector<std::string> names;
    DIR* dir = opendir(absl::StrCat(request_.site_dir, "/", directory).c_str());
    if (dir == nullptr) return names;
    while (const dirent* entry = readdir(dir)) {
      const absl::string_view name = entry->d_name;
      if (absl::EndsWith(name, ".toml") || absl::EndsWith(name, ".yaml") || absl::EndsWith(name, ".yml") ||
          absl::EndsWith(name, ".json")) {
        names.emplace_back(name);
      }
    }
    closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool ReadOne(const std::string& name, const std::string& key, Value* all) {
    std::string text;
    if (!ReadFile(absl::StrCat(request_.site_dir, "/", name), &text)) return false;
    config_.files.push_back(name);
    auto value = DecodeByName(name, text, *config_.arena);
    if (!value.ok()) {
      diagnostics_.AddStatus("config", name, value.status());
      return true;
    }
    if (value->IsNone()) return true;
    if (key.empty() && !value->IsDict()) {
      diagnostics_.Error("config", name, 1, "the configuration must be a table");
      return true;
    }
    if (!key.empty()) {
      tmpl::Dict* table = tmpl::NewDict(*config_.arena, 1);
      tmpl::Set(*config_.arena, *table, Value::String(config_.arena->Copy(key)), *value);
      value = Value::Of(table);
    }
    *all = Merge(*all, *value, *config_.arena);
    text_.append(text);
    return true;
  }

  const ConfigRequest& request_;
  Config& config_;
  Diagnostics& diagnostics_;
  std::string text_;
};

void ReadMarkdown(TableReader reader, Config& config) {
  MarkdownOptions& options = config.markdown;
  reader.Read("raw_html", &options.raw_html);
  reader.Read("github", &options.github);
  reader.Read("footnotes", &options.footnotes);
  reader.Read("definition_lists", &options.definition_lists);
  reader.Read("directives", &options.directives);
  reader.Read("alerts", &options.alerts);
  reader.Read("heading_ids", &options.heading_ids);
  reader.Read("heading_anchors", &options.heading_anchors);
  reader.Read("math", &options.math);
  options.shortcodes = true;
  reader.Read("shortcodes", &options.shortcodes);
  reader.Read("highlight", &config.highlight);
  reader.Read("line_numbers", &config.line_numbers);
  int64_t bytes_max = static_cast<int64_t>(options.source_bytes_max);
  reader.Read("page_bytes_max", &bytes_max, 1, int64_t{1} << 31);
  options.source_bytes_max = static_cast<size_t>(bytes_max);
  std::string slugs = "unicode";
  reader.Read("slugs", &slugs, {"unicode", "ascii"});
  reader.Finish();
  options.slug_style = slugs == "ascii" ? SlugStyle::kAscii : SlugStyle::kUnicode;
}

void ReadTaxonomies(TableReader& root, Config& config) {
  std::vector<TableReader> rows;
  if (!root.ReadTables("taxonomies", "name", &rows)) {
    config.taxonomies = {{"tags", "tag", 0, true}, {"categories", "category", 0, true}};
    return;
  }
  for (TableReader& row : rows) {
    TaxonomyConfig taxonomy;
    row.Read("name", &taxonomy.name);
    taxonomy.singular = absl::EndsWith(taxonomy.name, "ies")
                            ? absl::StrCat(absl::StripSuffix(taxonomy.name, "ies"), "y")
                            : std::string(absl::StripSuffix(taxonomy.name, "s"));
    row.Read("singular", &taxonomy.singular);
    row.Read("paginate", &taxonomy.paginate, 0, 100000);
    row.Read("feed", &taxonomy.feed);
    row.Finish();
    if (!taxonomy.name.empty()) config.taxonomies.push_back(taxonomy);
  }
}

void ReadMenus(TableReader& root, Config& config) {
  TableReader menus = root.Table("menus");
  for (const std::string& menu : menus.Keys()) {
    std::vector<TableReader> rows;
    menus.ReadTables(menu, "identifier", &rows);
    for (TableReader& row : rows) {
      MenuItem item;
      item.menu = menu;
      row.Read("name", &item.name);
      row.Read("url", &item.url);
      row.Read("page", &item.page);
      row.Read("weight", &item.weight, INT32_MIN, INT32_MAX);
      row.Read("identifier", &item.identifier);
      row.Read("parent", &item.parent);
      row.Finish();
      if (item.identifier.empty()) item.identifier = item.name;
      config.menu.push_back(item);
    }
  }
}

void ReadTables(TableReader& root, Config& config) {
  ReadTaxonomies(root, config);
  ReadMenus(root, config);
  TableReader permalinks = root.Table("permalinks");
  for (const std::string& section : permalinks.Keys()) {
    std::string pattern;
    permalinks.Read(section, &pattern);
    config.permalinks.emplace_back(section, pattern);
  }
  std::vector<TableReader> rows;
  root.ReadTables("mounts", "source", &rows);
  for (TableReader& row : rows) {
    Mount mount;
    row.Read("source", &mount.source);
    row.Read("target", &mount.target);
    row.Read("title", &mount.title);
    row.Read("weight", &mount.weight, INT32_MIN, INT32_MAX);
    row.Finish();
    config.mounts.push_back(mount);
  }
  TableReader assets = root.Table("assets");
  assets.Read("fingerprint", &config.fingerprint);
  assets.Read("minify", &config.minify_assets);
  TableReader bundles = assets.Table("bundles");
  for (const std::string& name : bundles.Keys()) {
    std::vector<std::string> parts;
    bundles.Read(name, &parts);
    config.bundles.emplace_back(name, parts);
  }
  assets.Finish();
  TableReader images = root.Table("images");
  images.Read("enabled", &config.images);
  images.Read("widths", &config.image_widths, 16, 8192);
  images.Read("quality", &config.image_quality, 1, 100);
  images.Finish();
}

void ReadOutputs(TableReader outputs, Config& config) {
  outputs.Read("rss", &config.rss);
  outputs.Read("atom", &config.atom);
  outputs.Read("sitemap", &config.sitemap);
  outputs.Read("robots", &config.robots);
  outputs.Read("json_index", &config.json_index);
  outputs.Read("feed_items", &config.feed_items, 1, 100000);
  outputs.Read("feed_full", &config.feed_full);
  std::string search = "full";
  outputs.Read("search", &search, {"off", "headings", "full"});
  config.search = search == "off" ? SearchMode::kOff : search == "headings" ? SearchMode::kHeadings : SearchMode::kFull;
  outputs.Finish();
}

void ReadRoot(TableReader& root, Config& config) {
  root.Read("title", &config.title);
  root.Read("base_url", &config.base_url);
  root.Read("baseURL", &config.base_url);
  root.Read("language", &config.language);
  root.Read("description", &config.description);
  root.Read("author", &config.author);
  root.Read("copyright", &config.copyright);
  root.Read("theme", &config.theme);
  root.Read("output_dir", &config.output_dir);
  root.Read("edit_url", &config.edit_url);
  root.Read("paginate", &config.paginate, 0, 100000);
  root.Read("words_per_minute", &config.words_per_minute, 1, 100000);
  root.Read("related", &config.related, 0, 100);
  root.Read("git_dates", &config.git_dates);
  root.Read("minify_html", &config.minify_html);
  root.Ignore("params");
  root.Ignore("extra");
  ReadMarkdown(root.Table("markdown"), config);
  ReadOutputs(root.Table("outputs"), config);
  ReadTables(root, config);
  root.Finish();
}

void SplitBaseUrl(Config& config, Diagnostics& diagnostics) {
  absl::string_view url = config.base_url;
  while (absl::ConsumeSuffix(&url, "/")) {
  }
  if (url.empty() || url[0] == '/') {
    config.base_path = std::string(url);
    return;
  }
  const size_t scheme = url.find("://");
  if (scheme == absl::string_view::npos) {
    diagnostics.Error("config", config.files.empty() ? "ssg.toml" : config.files[0], 0,
                      absl::StrCat("base_url \"", config.base_url, "\" is neither a path nor https://..."));
    return;
  }
  const size_t path = url.find('/', scheme + 3);
  config.origin = std::string(url.substr(0, path));
  if (path != absl::string_view::npos) config.base_path = std::string(url.substr(path));
}

}  // namespace

Config LoadConfig(const ConfigRequest& request, Diagnostics& diagnostics) {
  Config config;
  config.environment = request.environment;
  Loader loader(request, config, diagnostics);
  config.all = loader.Read();
  TableReader root(config.all, "", config.files.empty() ? "ssg.toml" : config.files[0], loader.text(), diagnostics);
  ReadRoot(root, config);
  if (!request.base_url.empty()) config.base_url = request.base_url;
  if (!request.output_dir.empty()) config.output_dir = request.output_dir;
  SplitBaseUrl(config, diagnostics);
  std::string bytes = absl::StrCat(config.environment, "\n", config.base_url, "\n");
  AppendBinary(config.all, &bytes);
  config.hash = XXH3_64bits(bytes.data(), bytes.size());
  std::string markdown_bytes = absl::StrCat(config.base_path, "\n", config.origin, "\n", config.images ? 1 : 0, "\n");
  for (const char* key : {"markdown", "images", "outputs"}) {
    if (const Value* value = config.all.dict().Find(absl::string_view(key))) AppendBinary(*value, &markdown_bytes);
  }
  config.markdown_hash = XXH3_64bits(markdown_bytes.data(), markdown_bytes.size());
  tmpl::Freeze(config.all);
  return config;
}

}  // namespace ssg
