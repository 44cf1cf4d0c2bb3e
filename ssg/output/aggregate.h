// An Aggregate is an output made from many pages at once, such as a feed. It is
// made again only when `input_hash`, a hash of all that it shows, changes.
//
// Threads: the makers are thread-safe; the site must be complete.
#ifndef SSG_OUTPUT_AGGREGATE_H_
#define SSG_OUTPUT_AGGREGATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ssg/site/site.h"

namespace ssg {

struct Aggregate {
  std::string path;  // relative to the output directory
  uint64_t input_hash = 0;
  std::function<std::string()> make;
};

// Outputs that are made together, all below one directory.
struct AggregateGroup {
  std::string prefix;  // "search/"
  uint64_t input_hash = 0;
  std::function<std::vector<std::pair<std::string, std::string>>()> make;  // path, text
};

// RSS and Atom of the home page, each section and each term.
void AddFeeds(const Site& site, std::vector<Aggregate>* out);
// sitemap.xml; above 50,000 pages an index of sitemap-N.xml.
void AddSitemap(const Site& site, std::vector<Aggregate>* out);
void AddRobots(const Site& site, std::vector<Aggregate>* out);
// index.json: what there is, for scripts.
void AddJsonIndex(const Site& site, std::vector<Aggregate>* out);
// A page that redirects for every alias, and all of them in _redirects.
void AddRedirects(const Site& site, std::vector<Aggregate>* out);

// The hash of some facets of a page.
uint64_t FacetHash(const Page& page, std::initializer_list<Facet> facets);
uint64_t CombineHash(uint64_t a, uint64_t b);

}  // namespace ssg

#endif  // SSG_OUTPUT_AGGREGATE_H_
