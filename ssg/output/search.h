// The search index of a site: one record for each page and each heading, found
// by the words in its text, title and heading.
//
//   search/index.json    {"docs": N, "docShard": K, "terms": [first term of each shard]}
//   search/terms-I.json  {"word": [doc, score, doc, score, ...], ...}
//   search/docs-I.json   [[url, page title, heading, beginning of the text], ...]
//
// Bounds:  a shard of terms has at most 256 KiB (one word's list may exceed it)
// Threads: thread-safe; the site must be complete.
#ifndef SSG_OUTPUT_SEARCH_H_
#define SSG_OUTPUT_SEARCH_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/output/aggregate.h"
#include "ssg/site/site.h"

namespace ssg {

// The files of the index, as Config::search says.
void AddSearchIndex(const Site& site, std::vector<AggregateGroup>* out);

std::vector<std::pair<std::string, std::string>> MakeSearchIndex(const Site& site, size_t shard_bytes_max);

// Lower-case words of letters and digits; each Han, Kana or Hangul character by itself.
void Tokenize(absl::string_view text, std::vector<std::string>* words);

}  // namespace ssg

#endif  // SSG_OUTPUT_SEARCH_H_
