#include "ssg/build/link_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/command_line.h"
#include "base/thread_pool.h"
#include "ssg/site/body.h"

namespace ssg {
namespace {

class Checker {
 public:
  Checker(const Site& site, const absl::flat_hash_set<absl::string_view>& outputs, Diagnostics& diagnostics)
      : site_(site), outputs_(outputs), diagnostics_(diagnostics) {}

  void Check(const Page& page) {
    BodyFacts facts;
    if (page.body.empty() || !DecodeFacts(page.body, &facts).ok()) return;
    for (const CheckedLink& link : facts.links) {
      absl::string_view target = link.target;
      if (absl::ConsumePrefix(&target, "p:")) {
        const Page* found = FindByKey(target);
        if (found != nullptr) CheckAnchor(page, link, *found);
      } else if (absl::ConsumePrefix(&target, "u:")) {
        CheckPath(page, link, target);
      }
    }
  }

 private:
  // Pages are in the order of their keys.
  const Page* FindByKey(absl::string_view key) const {
    const auto& pages = site_.pages();
    const auto found = std::lower_bound(pages.begin(), pages.end(), key,
                                        [](const Page* page, absl::string_view k) { return page->key < k; });
    return found != pages.end() && (*found)->key == key ? *found : nullptr;
  }

  void CheckPath(const Page& page, const CheckedLink& link, absl::string_view path) {
    const Page* target = site_.FindByUrlPath(path);
    if (target == nullptr && !absl::EndsWith(path, "/")) target = site_.FindByUrlPath(absl::StrCat(path, "/"));
    if (target != nullptr) return CheckAnchor(page, link, *target);
    const std::string file = std::string(absl::StripPrefix(path, "/"));
    if (outputs_.contains(file)) return;
    const std::string index = absl::StrCat(file, file.empty() || absl::EndsWith(file, "/") ? "" : "/", "index.html");
    if (outputs_.contains(index)) return;
    diagnostics_.Error(
        "link", page.file, link.line,
        absl::StrCat(link.image ? "image" : "link", " to \"", path, "\", which is not part of the site"));
  }

  void CheckAnchor(const Page& page, const CheckedLink& link, const Page& target) {
    if (link.anchor.empty() || link.anchor == "top" || target.file.empty()) return;
    BodyFacts facts;
    if (!DecodeFacts(target.body, &facts).ok()) return;
    const auto& ids = facts.ids;
    if (std::find(ids.begin(), ids.end(), link.anchor) != ids.end()) return;
    // An id that raw HTML or a template of the body gives.
    const BodyView view = ViewBody(target.body);
    if (absl::StrContains(view.html, absl::StrCat("id=\"", link.anchor, "\"")) ||
        absl::StrContains(view.html, absl::StrCat("name=\"", link.anchor, "\""))) {
      return;
    }
    const std::vector<std::string> names(ids.begin(), ids.end());
    const std::string near = base::NearestWord(link.anchor, names);
    diagnostics_.Error("anchor", page.file, link.line,
                       absl::StrCat("no anchor \"#", link.anchor, "\" in ", target.content_path,
                                    near.empty() ? "" : absl::StrCat("; did you mean \"#", near, "\"?")));
  }

  const Site& site_;
  const absl::flat_hash_set<absl::string_view>& outputs_;
  Diagnostics& diagnostics_;
};

}  // namespace

void CheckLinks(const Site& site, const absl::flat_hash_set<absl::string_view>& outputs,
                const std::vector<const Page*>& from, size_t thread_count, Diagnostics& diagnostics) {
  Checker checker(site, outputs, diagnostics);
  constexpr size_t kGrain = 64;
  base::ParallelFor((from.size() + kGrain - 1) / kGrain, thread_count, [&](size_t chunk) {
    for (size_t i = chunk * kGrain; i < std::min(from.size(), (chunk + 1) * kGrain); ++i) checker.Check(*from[i]);
  });
}

bool KeepsIds(absl::string_view before, absl::string_view now) {
  BodyFacts old_facts;
  BodyFacts new_facts;
  if (!DecodeFacts(before, &old_facts).ok() || !DecodeFacts(now, &new_facts).ok()) return false;
  for (const absl::string_view id : old_facts.ids) {
    if (std::find(new_facts.ids.begin(), new_facts.ids.end(), id) == new_facts.ids.end()) return false;
  }
  return true;
}

}  // namespace ssg
