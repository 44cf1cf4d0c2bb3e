// Renders pages through their templates.
//
// Threads: thread-safe; one ReadSet per calling thread.
#ifndef SSG_BUILD_PAGE_STAGE_H_
#define SSG_BUILD_PAGE_STAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/build/template_store.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/site/page.h"
#include "ssg/site/read_set.h"
#include "ssg/site/site.h"
#include "ssg/template/engine.h"

namespace ssg {

// One HTML file to make: a page, or one of the pages that a list is cut into.
struct RenderUnit {
  const Page* page = nullptr;
  uint32_t number = 1;  // 1-based
  uint32_t count = 1;
  uint32_t per_page = 0;  // 0: not paginated
  std::string output;
  std::string format;  // "" = HTML; otherwise a custom output format
};

class PageStage {
 public:
  PageStage(const Site& site, const tmpl::Engine& engine, const TemplateStore& templates, Diagnostics& diagnostics)
      : site_(site), engine_(engine), templates_(templates), diagnostics_(diagnostics) {}

  // All units of the site, in the order of pages.
  std::vector<RenderUnit> Units() const;
  // False after an error, which went to Diagnostics.
  bool Render(const RenderUnit& unit, ReadSet& reads, std::string* html) const;
  // "404.html", if a template for it exists.
  bool RenderNotFound(ReadSet& reads, std::string* html) const;

 private:
  std::string TemplateFor(const RenderUnit& unit, ReadSet& reads) const;
  tmpl::Value Paginator(const RenderUnit& unit, tmpl::Arena& arena) const;
  bool RenderTemplate(absl::string_view name, const Page& page, const tmpl::Variables& variables, ReadSet& reads,
                      std::string* html) const;
  void SetCommon(const Page& page, tmpl::Variables& variables) const;

  const Site& site_;
  const tmpl::Engine& engine_;
  const TemplateStore& templates_;
  Diagnostics& diagnostics_;
};

}  // namespace ssg

#endif  // SSG_BUILD_PAGE_STAGE_H_
