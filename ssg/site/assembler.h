// The steps that make a Site's pages out of its sources. Internal to ssg/site.
//
// Threads: thread-compatible.
#ifndef SSG_SITE_ASSEMBLER_H_
#define SSG_SITE_ASSEMBLER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ssg/site/paths.h"
#include "ssg/site/site.h"

namespace ssg {

class Assembler {
 public:
  Assembler(Site& site, size_t thread_count) : site_(site), thread_count_(thread_count) {}
  void Run();

 private:
  // In the order of Run(). assembler.cc:
  void MakePages();
  void MakeSections();
  void ApplyCascades();
  void ApplyFields();
  void Filter();
  void LinkParents();
  void SortLists();
  void Number();
  // urls.cc:
  void MakeUrls();
  void MakeUrl(Page& page);
  std::string Expand(const Page& page, absl::string_view pattern) const;
  void CheckCollisions();
  void AttachResources();
  // taxonomies.cc:
  void MakeTaxonomies();
  void AddToTerm(uint32_t taxonomy, absl::string_view name, Page* page);
  Page* TermPage(uint32_t taxonomy, absl::string_view name);
  void MakeMenus();
  void AddPageMenus(Page* page);
  // template_values.cc:
  void MakeValues();
  tmpl::Value ListOf(const std::vector<Page*>& pages);
  tmpl::Value MenuValue(const MenuNode& node, int depth);

  Page* NewPage(PageKind kind, absl::string_view key);
  Page* SectionOf(absl::string_view directory);
  absl::string_view Copy(absl::string_view text) { return site_.arena_.Copy(text); }

  Site& site_;
  const size_t thread_count_;
  // directory below content/ ("" = its root) -> section
  absl::flat_hash_map<absl::string_view, Page*> sections_;
  absl::flat_hash_map<std::string, Page*> terms_;  // "tags/x" by slug
  std::vector<absl::string_view> bundle_directories_;
};

}  // namespace ssg

#endif  // SSG_SITE_ASSEMBLER_H_
