// Finds what a link in content means: "@/blog/a.md#top", "../b.md", "img.png",
// "/about/", "#here", "https://...".
//
// Threads: thread-safe; the site must be assembled.
#ifndef SSG_BUILD_LINK_RESOLVER_H_
#define SSG_BUILD_LINK_RESOLVER_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ssg/site/page.h"
#include "ssg/site/read_set.h"
#include "ssg/site/site.h"

namespace ssg {

struct Resolution {
  std::string url;  // for href, not escaped
  const Page* page = nullptr;
  absl::string_view file;  // of a resource: the site's file behind it
  // For the check: "p:KEY" a page, "u:/path" a path of the output, "" external.
  std::string target;
  std::string anchor;   // without "#"
  std::string problem;  // not empty: the link leads nowhere
};

class LinkResolver {
 public:
  explicit LinkResolver(const Site& site);

  // `from` is the page that holds the link. What the answer depends on goes to `reads`.
  Resolution Resolve(const Page& from, absl::string_view destination, ReadSet* reads) const;

 private:
  Resolution ToPage(const Page& from, absl::string_view path, absl::string_view suffix, absl::string_view shown,
                    ReadSet* reads) const;

  const Site& site_;
  absl::flat_hash_map<std::string, std::pair<absl::string_view, absl::string_view>>
      files_;  // content path -> file, output
};

// "a/./b/../c" -> "a/c". False if it climbs out.
bool NormalizePath(absl::string_view path, std::string* normal);
// Decodes %xx.
std::string PercentDecode(absl::string_view text);

}  // namespace ssg

#endif  // SSG_BUILD_LINK_RESOLVER_H_
