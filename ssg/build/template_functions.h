// The functions and filters that a site adds to Jinja2's: get_url, get_page,
// get_section, now; date, markdown, slugify, absolute.
//
// Threads: the functions are thread-safe.
#ifndef SSG_BUILD_TEMPLATE_FUNCTIONS_H_
#define SSG_BUILD_TEMPLATE_FUNCTIONS_H_

#include <cstdint>

#include "ssg/assets/assets.h"
#include "ssg/template/environment.h"

namespace ssg {

// `assets` must outlive the environment; `now` is in seconds since 1970.
void AddSiteFunctions(tmpl::Environment& environment, const Assets& assets, int64_t now);

}  // namespace ssg

#endif  // SSG_BUILD_TEMPLATE_FUNCTIONS_H_
