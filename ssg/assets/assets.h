// The assets of a site: stylesheets and scripts that are minified, bundled and
// named after their content, and images that come in several widths.
//
// Shape:   assets/css/site.css becomes css/site.3f2a9c01.css; templates ask for it
//          by its own name: get_url("css/site.css").
// Errors:  go to Diagnostics.
// Threads: Prepare() once; then immutable, and so shared.
#ifndef SSG_ASSETS_ASSETS_H_
#define SSG_ASSETS_ASSETS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ssg/build/source_tree.h"
#include "ssg/config/config.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/output/aggregate.h"

namespace ssg {

class Assets {
 public:
  explicit Assets(const Config& config) : config_(config) {}

  // Reads and processes `files` (below assets/, a theme's before the site's own)
  // over those of the built-in theme, if the site uses that.
  absl::Status Prepare(const std::vector<SourceFile>& files, SourceTree& tree, Diagnostics& diagnostics);

  // The output path of asset `name`, "" if there is none.
  absl::string_view OutputOf(absl::string_view name) const;
  // Of all names and contents; what templates that ask for assets depend on.
  uint64_t hash() const { return hash_; }
  void AddOutputs(std::vector<Aggregate>* out) const;

 private:
  struct Asset {
    std::string output;
    std::string text;
    uint64_t hash = 0;
  };
  void Add(absl::string_view name, std::string text);

  const Config& config_;
  absl::flat_hash_map<std::string, Asset> assets_;
  uint64_t hash_ = 0;
};

}  // namespace ssg

#endif  // SSG_ASSETS_ASSETS_H_
