// Assembler: URLs, outputs, collisions, bundle resources.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ssg/markdown/slug.h"
#include "ssg/site/assembler.h"

namespace ssg {
namespace {

// "/blog/a/" -> "blog/a/index.html".
std::string OutputOf(absl::string_view path) {
  absl::ConsumePrefix(&path, "/");
  if (path.empty() || absl::EndsWith(path, "/")) return absl::StrCat(path, "index.html");
  return std::string(path);
}

bool IsSafePath(absl::string_view path) {
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "." || part == ".." || part.size() > 255) return false;
  }
  return path.find('\0') == absl::string_view::npos && path.size() < 4000;
}

}  // namespace

void Assembler::MakeUrls() {
  for (Page* page : site_.pages_) MakeUrl(*page);
}

void Assembler::MakeUrl(Page& page) {
  std::string path;
  if (!page.path.empty()) {  // front matter's own
    path = std::string(page.path);
    if (path.front() != '/') path.insert(path.begin(), '/');
    const absl::string_view last = BaseName(path);
    if (!last.empty() && !absl::StrContains(last, ".")) path.push_back('/');
    if (!IsSafePath(path) || absl::StrContains(path, "//")) {
      site_.diagnostics_.Error("front-matter", page.file, 0, absl::StrCat("url \"", page.path, "\" is not usable"));
      path.clear();
    }
  }
  if (path.empty() && page.kind == PageKind::kPage) {
    for (const auto& [section, pattern] : site_.config_.permalinks) {
      if (section == page.section || section == "*") {
        path = Expand(page, pattern);
        break;
      }
    }
  }
  if (path.empty()) {
    path = "/";
    absl::string_view directory = DirectoryOf(page.content_path);
    if (page.bundle) directory = DirectoryOf(directory);
    if (!directory.empty()) {
      for (const absl::string_view part : absl::StrSplit(directory, '/'))
        absl::StrAppend(&path, site_.UrlPart(part), "/");
    }
    if (page.kind == PageKind::kPage) absl::StrAppend(&path, site_.UrlPart(page.slug), "/");
  }
  page.path = Copy(path);
  page.output = Copy(OutputOf(path));
}

std::string Assembler::Expand(const Page& page, absl::string_view pattern) const {
  std::string path;
  const CivilDate date = CivilOf(page.date == kNoDate ? 0 : page.date);
  while (!pattern.empty()) {
    if (pattern[0] != ':') {
      path.push_back(pattern[0]);
      pattern.remove_prefix(1);
      continue;
    }
    size_t size = 1;
    while (size < pattern.size() && absl::ascii_isalpha(pattern[size])) ++size;
    const absl::string_view token = pattern.substr(1, size - 1);
    pattern.remove_prefix(size);
    if (token == "year") {
      absl::StrAppend(&path, absl::StrFormat("%04d", date.year));
    } else if (token == "month") {
      absl::StrAppend(&path, absl::StrFormat("%02d", date.month));
    } else if (token == "day") {
      absl::StrAppend(&path, absl::StrFormat("%02d", date.day));
    } else if (token == "title") {
      absl::StrAppend(&path, site_.UrlPart(page.title));
    } else if (token == "slug" || token == "slugorfilename" || token == "filename") {
      absl::StrAppend(&path, site_.UrlPart(page.slug));
    } else if (token == "section") {
      absl::StrAppend(&path, site_.UrlPart(page.section));
    } else if (token == "sections") {
      absl::string_view directory = DirectoryOf(page.content_path);
      if (page.bundle) directory = DirectoryOf(directory);
      std::vector<std::string> parts;
      for (const absl::string_view part : absl::StrSplit(directory, '/', absl::SkipEmpty()))
        parts.push_back(site_.UrlPart(part));
      for (size_t i = 0; i < parts.size(); ++i) absl::StrAppend(&path, i > 0 ? "/" : "", parts[i]);
    } else {
      site_.diagnostics_.Error("config", "ssg.toml", 0, absl::StrCat("unknown token \":", token, "\" in a permalink"));
    }
  }
  if (path.empty() || path.front() != '/') path.insert(path.begin(), '/');
  if (path.back() != '/' && !absl::StrContains(BaseName(path), ".")) path.push_back('/');
  return path;
}

void Assembler::CheckCollisions() {
  absl::flat_hash_map<absl::string_view, const Page*> outputs;
  outputs.reserve(site_.pages_.size());
  site_.by_url_path_.reserve(site_.pages_.size());
  for (Page* page : site_.pages_) {
    site_.by_url_path_.emplace(page->path, page);
    if (!page->render) continue;
    const auto [it, inserted] = outputs.emplace(page->output, page);
    if (inserted) continue;
    const auto name = [](const Page* p) { return p->file.empty() ? p->key : p->file; };
    site_.diagnostics_.Error("duplicate-url", name(page), 0,
                             absl::StrCat("has the URL ", page->path, " of ", name(it->second), " too"));
  }
}

void Assembler::AttachResources() {
  absl::flat_hash_map<absl::string_view, Page*> bundles;
  for (Page* page : site_.pages_) {
    if (page->bundle || page->IsSection()) bundles.emplace(DirectoryOf(page->content_path), page);
  }
  std::sort(site_.resources_.begin(), site_.resources_.end());
  for (const auto& [path, file] : site_.resources_) {
    // The nearest bundle or section around the file.
    absl::string_view directory = DirectoryOf(path);
    Page* owner = nullptr;
    for (;;) {
      const auto found = bundles.find(directory);
      if (found != bundles.end()) {
        owner = found->second;
        break;
      }
      if (directory.empty()) break;
      directory = DirectoryOf(directory);
    }
    // Beside a page that was left out (a draft's bundle) nothing is published.
    const bool orphan_bundle = std::find(bundle_directories_.begin(), bundle_directories_.end(), DirectoryOf(path)) !=
                                   bundle_directories_.end() &&
                               (owner == nullptr || DirectoryOf(owner->content_path) != DirectoryOf(path));
    if (orphan_bundle) continue;
    const absl::string_view name = owner == nullptr || directory.empty() ? path : path.substr(directory.size() + 1);
    std::string base = owner == nullptr ? "" : std::string(DirectoryOf(owner->output));
    const absl::string_view output = Copy(absl::StrCat(base, base.empty() ? "" : "/", name));
    if (owner != nullptr) owner->resources.push_back({name, file, output});
    site_.copies_.emplace_back(file, output);
  }
}

}  // namespace ssg
