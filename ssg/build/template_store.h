// The templates of a site: its own over its theme's over the built-in theme's.
//
// Shape:   a name such as "page.html" is looked for in templates/, then in
//          themes/NAME/templates/, then among the built-in ones; "theme/page.html"
//          skips the site's own, so that a template can extend what it replaces.
// Threads: thread-safe once filled.
#ifndef SSG_BUILD_TEMPLATE_STORE_H_
#define SSG_BUILD_TEMPLATE_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/engine.h"

namespace ssg {

class TemplateStore {
 public:
  enum Layer { kSite, kTheme, kBuiltIn, kLayerCount };

  void Add(Layer layer, absl::string_view name, absl::string_view text, absl::string_view file);

  bool Has(absl::string_view name) const { return Find(name) != nullptr; }
  // Of what the name stands for now; 0 if there is none.
  uint64_t HashOf(absl::string_view name) const;
  // The file behind a name, for messages; the name itself if built in or unknown.
  std::string FileOf(absl::string_view name) const;
  // Whether the word stands in its source.
  bool Mentions(absl::string_view name, absl::string_view word) const;
  std::vector<std::string> Names() const;

  absl::StatusOr<std::string> Load(absl::string_view name) const;

 private:
  struct Entry {
    std::string text;
    std::string file;
    uint64_t hash = 0;
  };
  const Entry* Find(absl::string_view name) const;

  absl::flat_hash_map<std::string, Entry> layers_[kLayerCount];
};

// Lends a store to an engine.
class StoreLoader : public tmpl::Loader {
 public:
  explicit StoreLoader(const TemplateStore* store) : store_(store) {}
  absl::StatusOr<std::string> Load(absl::string_view name) override { return store_->Load(name); }
  std::vector<std::string> Names() override { return store_->Names(); }

 private:
  const TemplateStore* const store_;
};

}  // namespace ssg

#endif  // SSG_BUILD_TEMPLATE_STORE_H_
