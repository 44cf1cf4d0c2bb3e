#include "ssg/site/site.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/thread_pool.h"
#include "ssg/data/encode.h"
#include "ssg/markdown/html.h"
#include "ssg/markdown/slug.h"
#include "ssg/site/assembler.h"

namespace ssg {
namespace {

// Gathers fields and gives their hash.
class Digest {
 public:
  Digest& Text(absl::string_view text) {
    AppendCounted(text, &bytes_);
    return *this;
  }
  Digest& Number(int64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof(number));
    return *this;
  }
  Digest& Key(const Page* page) { return Text(page == nullptr ? absl::string_view() : page->key); }
  Digest& Value(const tmpl::Value& value) {
    AppendBinary(value, &bytes_);
    return *this;
  }
  uint64_t Take() {
    const uint64_t hash = XXH3_64bits(bytes_.data(), bytes_.size());
    bytes_.clear();
    return hash;
  }

 private:
  std::string bytes_;
};

}  // namespace

void Site::Assemble(size_t thread_count) { Assembler(*this, thread_count).Run(); }

void Site::HashFacets(size_t thread_count) {
  constexpr size_t kGrain = 256;
  const size_t count = pages_.size();
  base::ParallelFor((count + kGrain - 1) / kGrain, thread_count, [&](size_t chunk) {
    Digest digest;
    for (size_t i = chunk * kGrain; i < std::min(count, (chunk + 1) * kGrain); ++i) {
      Page& page = *pages_[i];
      digest.Number(static_cast<int64_t>(page.kind)).Number(page.draft).Text(page.path).Text(page.title);
      digest.Text(page.slug).Text(page.file).Text(page.template_name);
      digest.Number(page.date).Number(page.updated).Value(page.params);
      page.facets[static_cast<size_t>(Facet::kMeta)] = digest.Take();
      digest.Key(page.parent).Key(page.previous).Key(page.next);
      for (const auto& [taxonomy, term] : page.terms) digest.Number(taxonomy).Key(term);
      for (const Resource& resource : page.resources) digest.Text(resource.name);
      page.facets[static_cast<size_t>(Facet::kLinks)] = digest.Take();
      if (page.kind == PageKind::kPage) continue;
      for (const Page* child : page.pages) digest.Key(child);
      digest.Number(-1);
      for (const Page* child : page.subsections) digest.Key(child);
      page.facets[static_cast<size_t>(Facet::kPages)] = digest.Take();
      if (page.kind != PageKind::kTerm) continue;
      for (const Page* child : page.pages) {
        digest.Key(child).Number(child->date);
        for (const auto& [taxonomy, term] : child->terms) digest.Key(term);
      }
      page.facets[static_cast<size_t>(Facet::kRelated)] = digest.Take();
    }
  });
  Digest digest;
  for (const Page* page : pages_) digest.Key(page);
  for (const Page* page : regular_pages_) digest.Key(page);
  object_facets_[kObjectSite][static_cast<size_t>(Facet::kPages)] = digest.Take();
  for (const Taxonomy& taxonomy : taxonomies_) {
    digest.Key(taxonomy.page);
    for (const Page* term : taxonomy.terms) digest.Key(term);
  }
  object_facets_[kObjectSite][static_cast<size_t>(Facet::kLinks)] = digest.Take();
  for (const auto& node : menu_) {
    digest.Text(node->menu).Text(node->identifier).Text(node->parent).Text(node->name).Text(node->url);
  }
  object_facets_[kObjectMenus][static_cast<size_t>(Facet::kMeta)] = digest.Take();
  object_facets_[kObjectData][static_cast<size_t>(Facet::kMeta)] = data_hash_;
  object_facets_[kObjectAssets][static_cast<size_t>(Facet::kMeta)] = assets_hash_;
}

Page* Site::FindByContentPath(absl::string_view path) const {
  const auto found = by_content_path_.find(path);
  return found == by_content_path_.end() ? nullptr : found->second;
}

Page* Site::FindByUrlPath(absl::string_view path) const {
  const auto found = by_url_path_.find(path);
  return found == by_url_path_.end() ? nullptr : found->second;
}

std::string Site::Href(absl::string_view path) const { return absl::StrCat(config_.base_path, path); }

std::string Site::Permalink(absl::string_view path) const {
  std::string url = absl::StrCat(config_.origin, config_.base_path);
  AppendUrlEscaped(path, &url);
  return url;
}

std::string Site::UrlPart(absl::string_view name) const {
  // Dots stay: "v1.2" is a fine part of a URL, a lone one is not.
  std::string part;
  for (;;) {
    const size_t dot = name.find('.');
    absl::StrAppend(&part, PathSlug(name.substr(0, dot), config_.markdown.slug_style));
    if (dot == absl::string_view::npos) break;
    if (!part.empty() && part.back() != '.') part.push_back('.');
    name.remove_prefix(dot + 1);
  }
  while (!part.empty() && part.back() == '.') part.pop_back();
  if (part.size() > 200) {
    size_t size = 200;
    while ((part[size] & 0xC0) == 0x80) --size;  // not in the middle of a character
    part.resize(size);
  }
  return part.empty() ? "page" : part;
}

}  // namespace ssg
