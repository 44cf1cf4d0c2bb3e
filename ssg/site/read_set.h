// A ReadSet records what a render read of the site: (page, facet) pairs and
// templates. The dependency graph is made of them.
//
// Threads: thread-compatible; one per worker, cleared between renders.
#ifndef SSG_SITE_READ_SET_H_
#define SSG_SITE_READ_SET_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/site/page.h"
#include "ssg/template/runtime.h"

namespace ssg {

class ReadSet : public tmpl::Observer {
 public:
  // `object_count`: pages and the site's own objects (see Site::kObject*).
  void Reset(size_t object_count) {
    stamps_.resize(object_count * kFacetCount, 0);
    if (++stamp_ == 0) {
      std::fill(stamps_.begin(), stamps_.end(), 0);
      stamp_ = 1;
    }
    reads_.clear();
    templates_.clear();
  }

  void Add(uint32_t object, Facet facet) {
    const uint32_t read = object * static_cast<uint32_t>(kFacetCount) + static_cast<uint32_t>(facet);
    if (stamps_[read] == stamp_) return;
    stamps_[read] = stamp_;
    reads_.push_back(read);
  }

  // object * kFacetCount + facet, in the order of first reading.
  const std::vector<uint32_t>& reads() const { return reads_; }
  const std::vector<std::string>& templates() const { return templates_; }

  void OnTemplate(absl::string_view name, bool) override {
    for (const std::string& known : templates_) {
      if (known == name) return;
    }
    templates_.emplace_back(name);
  }
  void OnVariable(tmpl::Symbol) override {}
  void OnAttribute(const tmpl::Object&, tmpl::Symbol) override {}

 private:
  std::vector<uint32_t> stamps_;
  uint32_t stamp_ = 0;
  std::vector<uint32_t> reads_;
  std::vector<std::string> templates_;
};

// What a render knows besides its variables: Runtime::host<RenderContext>().
struct RenderContext {
  const Site* site = nullptr;
  const Page* page = nullptr;
  ReadSet* reads = nullptr;
  bool bodies_ready = true;  // false while Markdown is rendered (shortcodes)
};

}  // namespace ssg

#endif  // SSG_SITE_READ_SET_H_
