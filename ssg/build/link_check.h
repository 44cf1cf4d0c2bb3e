// Checks every internal link of every body against what the site publishes:
// pages, their anchors, files.
//
// Threads: the site and its bodies must be complete.
#ifndef SSG_BUILD_LINK_CHECK_H_
#define SSG_BUILD_LINK_CHECK_H_

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "ssg/diagnostics/diagnostics.h"
#include "ssg/site/site.h"

namespace ssg {

// `outputs` are all paths of this build, relative to the output directory; `from`
// the pages whose links are checked, on up to `thread_count` threads.
void CheckLinks(const Site& site, const absl::flat_hash_set<absl::string_view>& outputs,
                const std::vector<const Page*>& from, size_t thread_count, Diagnostics& diagnostics);

// Whether every id that `before` (an encoded body) had is in `now` too.
bool KeepsIds(absl::string_view before, absl::string_view now);

}  // namespace ssg

#endif  // SSG_BUILD_LINK_CHECK_H_
