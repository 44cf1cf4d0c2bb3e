#include "ssg/site/assembler.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/thread_pool.h"
#include "ssg/site/page_fields.h"

namespace ssg {

using tmpl::Value;

namespace {

// "my-first_post" -> "My first post": the title of what has none.
std::string TitleFromName(absl::string_view name) {
  std::string title(name);
  for (char& c : title) {
    if (c == '-' || c == '_') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 32);
  return title;
}

// Takes "2024-03-01-" off the front of `*name`.
bool TakeNameDate(absl::string_view* name, int64_t* date) {
  if (name->size() < 12 || (*name)[4] != '-' || (*name)[7] != '-' || ((*name)[10] != '-' && (*name)[10] != '_')) {
    return false;
  }
  if (!ParseDate(name->substr(0, 10), date)) return false;
  name->remove_prefix(11);
  return true;
}

// Weighted first by weight, then newest first, then by title.
bool DefaultOrder(const Page* a, const Page* b) {
  const auto weight = [](const Page* page) { return page->weight == 0 ? INT64_MAX : page->weight; };
  return std::forward_as_tuple(weight(a), b->date, a->title, a->key) <
         std::forward_as_tuple(weight(b), a->date, b->title, b->key);
}

void SortPages(std::vector<Page*>& pages, absl::string_view by) {
  if (by == "title") {
    std::sort(pages.begin(), pages.end(),
              [](const Page* a, const Page* b) { return std::tie(a->title, a->key) < std::tie(b->title, b->key); });
  } else if (by == "date") {
    std::sort(pages.begin(), pages.end(), [](const Page* a, const Page* b) {
      return std::forward_as_tuple(b->date, a->title, a->key) < std::forward_as_tuple(a->date, b->title, b->key);
    });
  } else {
    std::sort(pages.begin(), pages.end(), DefaultOrder);
  }
}

}  // namespace

Page* Assembler::NewPage(PageKind kind, absl::string_view key) {
  Page& page = site_.storage_.emplace_back();
  page.kind = kind;
  page.key = key;
  page.params = Value::Of(tmpl::NewDict(site_.arena_));
  return &page;
}

void Assembler::Run() {
  MakePages();
  MakeSections();
  ApplyCascades();
  ApplyFields();
  Filter();
  MakeUrls();
  LinkParents();
  MakeTaxonomies();
  SortLists();
  AttachResources();
  Number();
  MakeMenus();
  CheckCollisions();
  MakeValues();
}

void Assembler::MakePages() {
  std::sort(site_.sources_.begin(), site_.sources_.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  for (const Source& source : site_.sources_) {
    const absl::string_view name = BaseName(source.path);
    const bool section = name == "_index.md" || name == "_index.markdown";
    Page* page = NewPage(!section                           ? PageKind::kPage
                         : DirectoryOf(source.path).empty() ? PageKind::kHome
                                                            : PageKind::kSection,
                         source.path);
    page->content_path = source.path;
    page->file = source.file;
    page->source = source.text;
    page->params = source.values;
    page->body_offset = source.body_offset;
    page->body_line = source.body_line;
    page->source_hash = source.hash;
    page->updated = source.git_date;
    page->mounted = source.mounted;
    page->bundle = name == "index.md" || name == "index.markdown";
    site_.pages_.push_back(page);
    if (page->bundle) bundle_directories_.push_back(DirectoryOf(source.path));
    if (section) sections_[DirectoryOf(source.path)] = page;
  }
}

Page* Assembler::SectionOf(absl::string_view directory) {
  const auto found = sections_.find(directory);
  if (found != sections_.end()) return found->second;
  Page* page =
      NewPage(directory.empty() ? PageKind::kHome : PageKind::kSection, Copy(absl::StrCat("section:", directory)));
  page->content_path = Copy(absl::StrCat(directory, directory.empty() ? "" : "/", "_index.md"));
  page->title = directory.empty() ? absl::string_view(site_.config_.title) : Copy(TitleFromName(BaseName(directory)));
  site_.pages_.push_back(page);
  sections_[directory] = page;
  return page;
}

void Assembler::MakeSections() {
  site_.home_ = SectionOf("");
  // Every directory that holds pages is a section; index.md's directory is its bundle.
  const std::vector<Page*> pages = site_.pages_;
  for (const Page* page : pages) {
    if (page->kind == PageKind::kHome) continue;
    absl::string_view directory = DirectoryOf(page->content_path);
    if (page->bundle || page->kind == PageKind::kSection) directory = DirectoryOf(directory);
    for (; !directory.empty(); directory = DirectoryOf(directory)) SectionOf(directory);
  }
}

void Assembler::ApplyCascades() {
  bool any = false;
  for (const auto& [directory, section] : sections_) {
    const Value* cascade = section->params.dict().Find(absl::string_view("cascade"));
    any |= cascade != nullptr && cascade->IsDict();
  }
  if (!any) return;
  for (Page* page : site_.pages_) {
    tmpl::Dict* merged = nullptr;
    absl::string_view directory = DirectoryOf(page->content_path);
    // The nearest section wins; the page's own front matter wins over all.
    for (;;) {
      const auto found = sections_.find(directory);
      const Value* cascade = found == sections_.end() || found->second == page
                                 ? nullptr
                                 : found->second->params.dict().Find(absl::string_view("cascade"));
      if (cascade != nullptr && cascade->IsDict()) {
        if (merged == nullptr) {
          merged = tmpl::NewDict(site_.arena_);
          const tmpl::Dict& own = page->params.dict();
          for (uint32_t i = 0; i < own.used; ++i) {
            tmpl::Set(site_.arena_, *merged, own.entries[i].key, own.entries[i].value);
          }
        }
        const tmpl::Dict& given = cascade->dict();
        for (uint32_t i = 0; i < given.used; ++i) {
          if (merged->Find(given.entries[i].key) == nullptr) {
            tmpl::Set(site_.arena_, *merged, given.entries[i].key, given.entries[i].value);
          }
        }
      }
      if (directory.empty()) break;
      directory = DirectoryOf(directory);
    }
    if (merged != nullptr) page->params = Value::Of(merged);
  }
}

void Assembler::ApplyFields() {
  std::vector<std::string> extra_keys;
  for (const TaxonomyConfig& taxonomy : site_.config_.taxonomies) extra_keys.push_back(taxonomy.name);
  constexpr size_t kGrain = 64;
  const size_t count = site_.pages_.size();
  base::ParallelFor((count + kGrain - 1) / kGrain, thread_count_, [&](size_t chunk) {
    for (size_t i = chunk * kGrain; i < std::min(count, (chunk + 1) * kGrain); ++i) {
      Page& page = *site_.pages_[i];
      ApplyFrontMatter(extra_keys, site_.diagnostics_, page);
      tmpl::Freeze(page.params);
    }
  });
  for (Page* page : site_.pages_) {
    absl::string_view name = BaseName(page->content_path);
    name = name.substr(0, name.rfind('.'));
    if (page->bundle || name == "_index") name = BaseName(DirectoryOf(page->content_path));
    int64_t name_date = kNoDate;
    if (page->kind == PageKind::kPage && TakeNameDate(&name, &name_date) && page->date == kNoDate) {
      page->date = name_date;
    }
    if (page->slug.empty() && page->kind == PageKind::kPage) page->slug = name;
    if (page->title.empty()) {
      const Value* title = page->params.dict().Find(absl::string_view("title"));
      page->title = title != nullptr && title->IsInt() ? Copy(absl::StrCat(title->int_value()))
                    : page->kind == PageKind::kHome    ? absl::string_view(site_.config_.title)
                                                       : Copy(TitleFromName(name));
    }
    if (page->updated == kNoDate) page->updated = page->date;
    const size_t slash = page->content_path.find('/');
    page->section = slash == absl::string_view::npos ? absl::string_view() : page->content_path.substr(0, slash);
    if (!site_.config_.edit_url.empty() && !page->file.empty()) {
      std::string url = site_.config_.edit_url;
      const size_t at = url.find("{path}");
      if (at != std::string::npos) url.replace(at, 6, std::string(page->file));
      page->edit_url = Copy(url);
    }
  }
}

void Assembler::Filter() {
  const BuildFilter& filter = site_.filter_;
  const auto why = [&](const Page* page) -> absl::string_view {
    const int64_t start = page->publish_date != kNoDate ? page->publish_date : page->date;
    if (page->draft && !filter.drafts) return "draft";
    if (start != kNoDate && start > filter.now && !filter.future) return "future";
    if (page->expiry_date != kNoDate && page->expiry_date <= filter.now && !filter.expired) return "expired";
    return "";
  };
  auto& pages = site_.pages_;
  size_t kept = 0;
  for (Page* page : pages) {
    for (const int64_t moment : {page->publish_date, page->date, page->expiry_date}) {
      if (moment > filter.now) site_.next_change_ = std::min(site_.next_change_, moment);
    }
    const absl::string_view reason = page->kind == PageKind::kPage ? why(page) : absl::string_view();
    if (!reason.empty()) {
      site_.left_out_.emplace_back(page->content_path, reason);
    } else {
      pages[kept++] = page;
    }
  }
  pages.resize(kept);
}

void Assembler::LinkParents() {
  for (Page* page : site_.pages_) {
    if (page->kind == PageKind::kHome) continue;
    absl::string_view directory = DirectoryOf(page->content_path);
    if (page->bundle || page->kind == PageKind::kSection) directory = DirectoryOf(directory);
    page->parent = sections_.at(directory);
    if (page->template_name.empty() && page->kind == PageKind::kPage) {
      page->template_name = page->parent->page_template;
    }
    (page->kind == PageKind::kPage ? page->parent->pages : page->parent->subsections).push_back(page);
  }
}

void Assembler::SortLists() {
  for (Page* page : site_.pages_) {
    if (page->kind == PageKind::kPage) continue;
    SortPages(page->pages, page->sort_by.empty() && page->kind == PageKind::kTerm ? "date" : page->sort_by);
    if (page->IsSection()) {
      SortPages(page->subsections, page->sort_by == "title" ? "title" : "weight");
      for (size_t i = 0; i < page->pages.size(); ++i) {
        if (i > 0) page->pages[i]->previous = page->pages[i - 1];
        if (i + 1 < page->pages.size()) page->pages[i]->next = page->pages[i + 1];
      }
    }
  }
}

void Assembler::Number() {
  auto& pages = site_.pages_;
  std::sort(pages.begin(), pages.end(), [](const Page* a, const Page* b) { return a->key < b->key; });
  site_.by_content_path_.reserve(pages.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    pages[i]->id = static_cast<uint32_t>(i);
    if (!pages[i]->content_path.empty()) site_.by_content_path_.emplace(pages[i]->content_path, pages[i]);
    if (pages[i]->kind == PageKind::kPage) site_.regular_pages_.push_back(pages[i]);
  }
  std::sort(site_.regular_pages_.begin(), site_.regular_pages_.end(), DefaultOrder);
}

}  // namespace ssg
