// Renders the Markdown of pages with everything a site adds: resolved links,
// highlighted code, responsive images, render hooks, shortcodes, directives.
//
// Errors:  go to Diagnostics, with lines of the page's file.
// Threads: thread-safe; one ReadSet per calling thread.
#ifndef SSG_BUILD_MARKDOWN_STAGE_H_
#define SSG_BUILD_MARKDOWN_STAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "ssg/build/link_resolver.h"
#include "ssg/build/template_store.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/site/page.h"
#include "ssg/site/read_set.h"
#include "ssg/site/site.h"
#include "ssg/template/engine.h"

namespace ssg {

// Makes the HTML of a local image of content: responsive variants and size.
class ImageRenderer {
 public:
  virtual ~ImageRenderer() = default;
  // `file` is relative to the site, `url` what an href to it is. False: not an image it knows.
  virtual bool Render(const Page& page, const ImageElement& element, absl::string_view file, absl::string_view output,
                      std::string* html) = 0;
};

class MarkdownStage {
 public:
  // All must outlive the stage. `images` may be null.
  MarkdownStage(const Site& site, const tmpl::Engine& engine, const TemplateStore& templates, ImageRenderer* images,
                Diagnostics& diagnostics);

  // The encoded Body of `page` (see site/body.h); nullopt after an error.
  absl::optional<std::string> Render(const Page& page, ReadSet& reads) const;

 private:
  friend class PageHooks;

  const Site& site_;
  const tmpl::Engine& engine_;
  const TemplateStore& templates_;
  ImageRenderer* const images_;
  Diagnostics& diagnostics_;
  const LinkResolver links_;
  MarkdownOptions options_;
};

}  // namespace ssg

#endif  // SSG_BUILD_MARKDOWN_STAGE_H_
