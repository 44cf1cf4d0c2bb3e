#include "ssg/build/link_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
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
      : site_(site), outputs_(outputs), diagnostics_(diagnostics), facts_(site.pages().size()) {}

  void Load(size_t i) {
    const Page& page = *site_.pages()[i];
    if (!page.body.empty() && !DecodeFacts(page.body, &facts_[i]).ok()) facts_[i] = BodyFacts();
  }

  void IndexKeys() {
    for (const Page* page : site_.pages()) by_key_.emplace(page->key, page);
  }

  void Check(size_t i) {
    const Page& page = *site_.pages()[i];
    for (const CheckedLink& link : facts_[i].links) {
      absl::string_view target = link.target;
      if (absl::ConsumePrefix(&target, "p:")) {
        const auto found = by_key_.find(target);
        if (found != by_key_.end()) CheckAnchor(page, link, *found->second);
      } else if (absl::ConsumePrefix(&target, "u:")) {
        CheckPath(page, link, target);
      }
    }
  }

 private:
  void CheckPath(const Page& page, const CheckedLink& link, absl::string_view path) {
    const Page* target = site_.FindByUrlPath(path);
    if (target == nullptr && !absl::EndsWith(path, "/")) target = site_.FindByUrlPath(absl::StrCat(path, "/"));
    if (target != nullptr) return CheckAnchor(page, link, *target);
    const std::string file = std::string(absl::StripPrefix(path, "/"));
    if (outputs_.contains(file)) return;
    const std::string index = absl::StrCat(file, file.empty() || absl::EndsWith(file, "/") ? "" : "/", "index.html");
    if (outputs_.contains(index)) return;
    diagnostics_.Error("link", page.file, link.line,
                       absl::StrCat(link.image ? "image" : "link", " to \"", path, "\", which is not part of the site"));
  }

  void CheckAnchor(const Page& page, const CheckedLink& link, const Page& target) {
    if (link.anchor.empty() || link.anchor == "top" || target.file.empty()) return;
    const auto& ids = facts_[target.id].ids;
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
  std::vector<BodyFacts> facts_;
  absl::flat_hash_map<absl::string_view, const Page*> by_key_;
};

}  // namespace

void CheckLinks(const Site& site, const absl::flat_hash_set<absl::string_view>& outputs, size_t thread_count,
                Diagnostics& diagnostics) {
  Checker checker(site, outputs, diagnostics);
  checker.IndexKeys();
  constexpr size_t kGrain = 64;
  const size_t count = site.pages().size();
  const auto for_all = [&](auto&& step) {
    base::ParallelFor((count + kGrain - 1) / kGrain, thread_count, [&](size_t chunk) {
      for (size_t i = chunk * kGrain; i < std::min(count, (chunk + 1) * kGrain); ++i) step(i);
    });
  };
  for_all([&](size_t i) { checker.Load(i); });
  for_all([&](size_t i) { checker.Check(i); });
}

}  // namespace ssg
