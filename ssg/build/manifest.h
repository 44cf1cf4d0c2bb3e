// The Manifest is what a build remembers for the next one: what every source
// was, what every body and output read, and what was written where.
//
// It lives in .ssg/cache/manifest, checksummed, replaced atomically after all
// outputs are stored. A manifest that cannot be read in full counts as none.
// Bodies (rendered Markdown) lie in .ssg/cache/bodies, by offset.
// Threads: immutable once decoded.
#ifndef SSG_BUILD_MANIFEST_H_
#define SSG_BUILD_MANIFEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fs/client/tree_client.h"
#include "ssg/site/page.h"

namespace ssg {

// What tells that a file is still the same without reading it.
struct FileMark {
  uint64_t size_bytes = 0;
  uint64_t inode = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;

  static FileMark Of(const fs::FileStat& stat) { return {stat.size_bytes, stat.inode, stat.mtime_ns, stat.ctime_ns}; }
  friend bool operator==(const FileMark& a, const FileMark& b) {
    return a.size_bytes == b.size_bytes && a.inode == b.inode && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
  }
};

// Reads are object * kFacetCount + facet, with objects numbered as in `objects`.
struct Dependencies {
  std::vector<uint32_t> reads;
  std::vector<uint32_t> templates;  // indices into Manifest::templates
};

struct Manifest {
  struct Source {  // a file of any kind that a build looked at
    absl::string_view path;
    FileMark mark;
    uint64_t hash = 0;         // 0: not read (copied as it is)
    absl::string_view values;  // content: AppendBinary() of the front matter
    uint32_t body_offset = 0;
    uint32_t body_line = 1;
    // The rendered body, if bodies_size > 0.
    uint64_t body_at = 0;
    uint32_t body_size = 0;
    uint64_t text_facet = 0;
    uint64_t body_facet = 0;
    uint64_t outline_facet = 0;
    Dependencies body;
  };
  struct Object {  // a page, or one of the site's own objects (see changes.h)
    absl::string_view key;
    uint64_t facets[kFacetCount] = {};
  };
  struct Template {
    absl::string_view name;
    uint64_t hash = 0;
  };
  struct Output {
    absl::string_view path;
    FileMark mark;
    uint64_t content_hash = 0;
    uint64_t input_hash = 0;  // what an aggregate was made from; 0 = rendered from `page`
    uint32_t object = UINT32_MAX;
    uint32_t page_number = 0;
    Dependencies dependencies;
  };

  uint64_t generator = 0;  // hash of program version, configuration and flags
  uint64_t markdown_hash = 0;
  int64_t valid_until = INT64_MAX;  // when a future page appears or one expires
  uint64_t bodies_id = 0;           // names the file of bodies this belongs to
  uint64_t bodies_size = 0;
  uint64_t git_hash = 0;  // of HEAD, if dates come from git
  std::vector<Source> sources;  // sorted by path
  std::vector<Object> objects;  // in the order of their ids
  std::vector<Template> templates;
  std::vector<Output> outputs;  // sorted by path

  const Source* FindSource(absl::string_view path) const;
  const Output* FindOutput(absl::string_view path) const;
};

std::string EncodeManifest(const Manifest& manifest);
// The result's views point into `bytes`.
// Errors: DataLoss  checksum or structure
absl::StatusOr<Manifest> DecodeManifest(absl::string_view bytes);

}  // namespace ssg

#endif  // SSG_BUILD_MANIFEST_H_
