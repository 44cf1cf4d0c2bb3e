#include "ssg/build/cleaner.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "fs/client/tree_client.h"
#include "ssg/build/cache_dir.h"
#include "ssg/build/source_tree.h"
#include "ssg/config/config.h"
#include "ssg/content/front_matter.h"
#include "ssg/site/site.h"

namespace ssg {

absl::StatusOr<size_t> CleanSite(const std::string& site_dir, bool cache_only) {
  Diagnostics diagnostics;
  const Config config = LoadConfig({site_dir, "production", "", ""}, diagnostics);
  if (diagnostics.error_count() > 0) return absl::FailedPreconditionError(diagnostics.Sorted()[0].ToString());
  size_t removed = 0;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<CacheDir> cache, CacheDir::Open(site_dir));
    const std::string output_dir =
        absl::StartsWith(config.output_dir, "/") ? config.output_dir : absl::StrCat(site_dir, "/", config.output_dir);
    auto output = fs::TreeClient::ForPath(output_dir);
    if (!cache_only && output.ok() && cache->manifest() != nullptr) {
      std::vector<absl::string_view> paths;
      for (const auto& one : cache->manifest()->outputs) paths.push_back(one.path);
      RETURN_IF_ERROR((*output)->Remove(paths, {}, [&](size_t, absl::StatusOr<bool> existed) {
        if (existed.ok() && *existed) ++removed;
        return true;
      }));
    }
  }
  RETURN_IF_ERROR(base::RemoveTree(absl::StrCat(site_dir, "/.ssg/cache")));
  return removed;
}

absl::StatusOr<std::vector<ContentEntry>> ListContent(const std::string& site_dir, Diagnostics& diagnostics) {
  const Config config = LoadConfig({site_dir, "production", "", ""}, diagnostics);
  if (diagnostics.error_count() > 0) return std::vector<ContentEntry>();
  ASSIGN_OR_RETURN(const std::unique_ptr<SourceTree> tree, SourceTree::Open(site_dir));
  std::vector<SourceFile> files;
  RETURN_IF_ERROR(tree->List("content", diagnostics, &files));
  std::vector<const SourceFile*> content;
  for (const SourceFile& file : files) {
    if (absl::EndsWith(file.path, ".md")) content.push_back(&file);
  }
  std::vector<std::string> texts(content.size());
  RETURN_IF_ERROR(tree->Read(content, [&](size_t i, absl::StatusOr<absl::string_view> text) {
    if (text.ok()) texts[i] = std::string(*text);
  }));
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  Site site(config, BuildFilter{true, true, true, now}, diagnostics);
  tmpl::Arena arena;
  for (size_t i = 0; i < content.size(); ++i) {
    auto front = ParseFrontMatter(texts[i], arena);
    if (!front.ok()) {
      diagnostics.AddStatus("front-matter", content[i]->path, front.status());
      continue;
    }
    Source source;
    source.path = absl::string_view(content[i]->path).substr(8);
    source.file = content[i]->path;
    source.text = texts[i];
    source.values = front->values;
    site.AddSource(source);
  }
  site.Assemble(1);
  std::vector<ContentEntry> entries;
  for (const Page* page : site.pages()) {
    if (page->file.empty()) continue;
    const int64_t start = page->publish_date != kNoDate ? page->publish_date : page->date;
    ContentEntry entry;
    entry.file = std::string(page->file);
    entry.title = std::string(page->title);
    entry.url = site.Permalink(page->path);
    entry.date = FormatIsoDate(page->date);
    entry.state = page->draft                                                ? "draft"
                  : start != kNoDate && start > now                          ? "future"
                  : page->expiry_date != kNoDate && page->expiry_date <= now ? "expired"
                                                                             : "";
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace ssg
