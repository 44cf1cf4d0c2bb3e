// Reads the well-known front matter keys into the fields of a Page.
//
// Threads: ApplyFrontMatter is thread-safe for distinct pages.
#ifndef SSG_SITE_PAGE_FIELDS_H_
#define SSG_SITE_PAGE_FIELDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/site/page.h"

namespace ssg {

// Wrong types are errors at the key's line. `extra_keys` are known besides the
// built-in ones (taxonomies); unknown keys close to a known one are warned of.
void ApplyFrontMatter(const std::vector<std::string>& extra_keys, Diagnostics& diagnostics, Page& page);

}  // namespace ssg

#endif  // SSG_SITE_PAGE_FIELDS_H_
