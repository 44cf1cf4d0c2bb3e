#include "ssg/build/link_resolver.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/command_line.h"
#include "ssg/site/paths.h"

namespace ssg {
namespace {

// "https:", "mailto:", "//host".
bool IsExternal(absl::string_view destination) {
  if (absl::StartsWith(destination, "//")) return true;
  size_t i = 0;
  while (i < destination.size() && (absl::ascii_isalnum(destination[i]) || absl::StrContains("+-.", destination[i])))
    ++i;
  return i > 1 && i < destination.size() && destination[i] == ':' && absl::ascii_isalpha(destination[0]);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void Record(ReadSet* reads, uint32_t object, Facet facet) {
  if (reads != nullptr) reads->Add(object, facet);
}

}  // namespace

bool NormalizePath(absl::string_view path, std::string* normal) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part == "..") {
      if (parts.empty()) return false;
      parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  *normal = absl::StrJoin(parts, "/");
  return true;
}

std::string PercentDecode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      decoded.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

LinkResolver::LinkResolver(const Site& site) : site_(site) {
  for (const Page* page : site.pages()) {
    for (const Resource& resource : page->resources) {
      const absl::string_view directory = DirectoryOf(page->content_path);
      files_.emplace(absl::StrCat(directory, directory.empty() ? "" : "/", resource.name),
                     std::make_pair(resource.file, resource.output));
    }
  }
}

Resolution LinkResolver::ToPage(const Page& from, absl::string_view path, absl::string_view suffix,
                                absl::string_view shown, ReadSet* reads) const {
  Resolution result;
  const Page* page = site_.FindByContentPath(path);
  // "guide.md" also finds "guide/index.md" and "guide/_index.md" as a directory.
  if (page == nullptr) {
    absl::string_view stem = absl::StripSuffix(absl::StripSuffix(path, ".md"), "/");
    for (const char* name : {"index.md", "_index.md"}) {
      if (page == nullptr) page = site_.FindByContentPath(absl::StrCat(stem, stem.empty() ? "" : "/", name));
    }
  }
  if (page == nullptr) {
    // Which pages there are decides.
    Record(reads, site_.ObjectId(Site::kObjectSite), Facet::kPages);
    std::vector<std::string> names;
    for (const Page* other : site_.pages()) {
      if (BaseName(other->content_path) == BaseName(path)) names.emplace_back(other->content_path);
    }
    if (names.empty()) {
      for (const Page* other : site_.pages()) names.emplace_back(other->content_path);
    }
    const std::string near = names.size() == 1 ? names[0] : base::NearestWord(path, names);
    result.problem =
        absl::StrCat("no page \"", shown, "\"", near.empty() ? "" : absl::StrCat("; did you mean \"@/", near, "\"?"));
    result.url = std::string(shown);
    return result;
  }
  Record(reads, page->id, Facet::kMeta);
  result.page = page;
  result.url = page == &from && absl::StartsWith(suffix, "#") ? std::string(suffix)
                                                              : absl::StrCat(site_.Href(page->path), suffix);
  result.target = absl::StrCat("p:", page->key);
  const size_t hash = suffix.find('#');
  if (hash != absl::string_view::npos) result.anchor = PercentDecode(suffix.substr(hash + 1));
  return result;
}

Resolution LinkResolver::Resolve(const Page& from, absl::string_view destination, ReadSet* reads) const {
  Resolution result;
  result.url = std::string(destination);
  if (destination.empty() || IsExternal(destination)) return result;
  const size_t end = std::min(destination.find_first_of("?#"), destination.size());
  absl::string_view path = destination.substr(0, end);
  const absl::string_view suffix = destination.substr(end);
  if (absl::ConsumePrefix(&path, "@/")) return ToPage(from, PercentDecode(path), suffix, destination, reads);
  const size_t hash = suffix.find('#');
  if (hash != absl::string_view::npos) result.anchor = PercentDecode(suffix.substr(hash + 1));
  if (path.empty()) {
    result.target = absl::StrCat("p:", from.key);
    return result;
  }
  if (path[0] == '/') {
    result.target = absl::StrCat("u:", PercentDecode(path));
    result.url = absl::StrCat(site_.Href(path), suffix);
    return result;
  }
  const absl::string_view directory = DirectoryOf(from.content_path);
  std::string normal;
  if (!NormalizePath(absl::StrCat(directory, "/", PercentDecode(path)), &normal)) {
    result.problem = absl::StrCat("\"", destination, "\" leads out of the content");
    return result;
  }
  if (absl::EndsWith(path, ".md") || absl::EndsWith(path, ".markdown")) {
    return ToPage(from, normal, suffix, destination, reads);
  }
  // Which files lie beside the page decides.
  Record(reads, from.id, Facet::kLinks);
  const auto found = files_.find(normal);
  if (found != files_.end()) {
    result.file = found->second.first;
    result.target = absl::StrCat("u:/", found->second.second);
    result.url = absl::StrCat(site_.Href("/"), found->second.second, suffix);
    return result;
  }
  // Relative to the page's URL, as a browser would take it.
  std::string absolute;
  const size_t slash = from.path.rfind('/');
  if (!NormalizePath(absl::StrCat(from.path.substr(0, slash + 1), PercentDecode(path)), &absolute)) {
    result.problem = absl::StrCat("\"", destination, "\" leads out of the site");
    return result;
  }
  result.target = absl::StrCat("u:/", absolute, absl::EndsWith(path, "/") && !absolute.empty() ? "/" : "");
  return result;
}

}  // namespace ssg
