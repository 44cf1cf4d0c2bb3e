// AddFeeds: RSS 2.0 and Atom 1.0 (RFC 4287).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ssg/markdown/html.h"
#include "ssg/output/aggregate.h"
#include "ssg/site/body.h"
#include "ssg/site/dates.h"

namespace ssg {
namespace {

void Element(absl::string_view name, absl::string_view text, std::string* out) {
  absl::StrAppend(out, "<", name, ">");
  AppendHtmlEscaped(text, out);
  absl::StrAppend(out, "</", name, ">\n");
}

// The newest `feed_items` pages, the newest first.
std::vector<const Page*> Items(const Site& site, const Page& owner) {
  std::vector<const Page*> items;
  if (owner.kind == PageKind::kHome) {
    items.assign(site.regular_pages().begin(), site.regular_pages().end());
  } else {
    items.assign(owner.pages.begin(), owner.pages.end());
  }
  const size_t count = std::min<size_t>(items.size(), static_cast<size_t>(site.config().feed_items));
  std::partial_sort(items.begin(), items.begin() + count, items.end(),
                    [](const Page* a, const Page* b) { return std::tie(b->date, a->key) < std::tie(a->date, b->key); });
  items.resize(count);
  return items;
}

int64_t Newest(const std::vector<const Page*>& items) {
  int64_t newest = kNoDate;
  for (const Page* page : items) newest = std::max(newest, page->updated);
  return newest;
}

std::string FeedTitle(const Site& site, const Page& owner) {
  if (owner.kind == PageKind::kHome) return site.config().title;
  return absl::StrCat(owner.title, " - ", site.config().title);
}

absl::string_view Content(const Site& site, const Page& page) {
  if (site.config().feed_full) return ViewBody(page.body).html;
  return page.summary_text.empty() ? ViewBody(page.body).summary_html : page.summary_text;
}

std::string MakeRss(const Site& site, const Page& owner, const std::vector<const Page*>& items,
                    absl::string_view self) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n"
      "<channel>\n";
  Element("title", FeedTitle(site, owner), &out);
  Element("link", site.Permalink(owner.path), &out);
  const absl::string_view about =
      owner.description.empty() ? absl::string_view(site.config().description) : owner.description;
  Element("description", about.empty() ? absl::string_view(FeedTitle(site, owner)) : about, &out);
  Element("language", site.config().language, &out);
  if (Newest(items) != kNoDate) Element("lastBuildDate", FormatRfc822Date(Newest(items)), &out);
  absl::StrAppend(&out, "<atom:link href=\"");
  AppendHtmlEscaped(site.Permalink(self), &out);
  absl::StrAppend(&out, "\" rel=\"self\" type=\"application/rss+xml\"/>\n");
  for (const Page* page : items) {
    out.append("<item>\n");
    Element("title", page->title, &out);
    Element("link", site.Permalink(page->path), &out);
    Element("guid", site.Permalink(page->path), &out);
    if (page->date != kNoDate) Element("pubDate", FormatRfc822Date(page->date), &out);
    Element("description", Content(site, *page), &out);
    out.append("</item>\n");
  }
  out.append("</channel>\n</rss>\n");
  return out;
}

std::string MakeAtom(const Site& site, const Page& owner, const std::vector<const Page*>& items,
                     absl::string_view self) {
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n";
  const auto date = [](int64_t seconds) { return FormatIsoDate(seconds == kNoDate ? 0 : seconds); };
  Element("title", FeedTitle(site, owner), &out);
  Element("id", site.Permalink(owner.path), &out);
  Element("updated", date(Newest(items)), &out);
  const std::string author = site.config().author.empty() ? site.config().title : site.config().author;
  absl::StrAppend(&out, "<author>");
  Element("name", author, &out);
  absl::StrAppend(&out, "</author>\n<link href=\"", site.Permalink(owner.path), "\"/>\n<link rel=\"self\" href=\"",
                  site.Permalink(self), "\"/>\n");
  for (const Page* page : items) {
    out.append("<entry>\n");
    Element("title", page->title, &out);
    Element("id", site.Permalink(page->path), &out);
    absl::StrAppend(&out, "<link href=\"", site.Permalink(page->path), "\"/>\n");
    if (page->date != kNoDate) Element("published", date(page->date), &out);
    Element("updated", date(page->updated == kNoDate ? page->date : page->updated), &out);
    absl::StrAppend(&out, site.config().feed_full ? "<content type=\"html\">" : "<summary type=\"html\">");
    AppendHtmlEscaped(Content(site, *page), &out);
    absl::StrAppend(&out, site.config().feed_full ? "</content>\n" : "</summary>\n", "</entry>\n");
  }
  out.append("</feed>\n");
  return out;
}

}  // namespace

uint64_t CombineHash(uint64_t a, uint64_t b) {
  uint64_t mixed = (a ^ (b + 0x9E3779B97F4A7C15u + (a << 6) + (a >> 2))) * 0xFF51AFD7ED558CCDu;
  return mixed ^ (mixed >> 32);
}

uint64_t FacetHash(const Page& page, std::initializer_list<Facet> facets) {
  uint64_t hash = 1;
  for (const Facet facet : facets) hash = CombineHash(hash, page.facets[static_cast<size_t>(facet)]);
  return hash;
}

void AddFeeds(const Site& site, std::vector<Aggregate>* out) {
  if (!site.config().rss && !site.config().atom) return;
  for (const Page* owner : site.pages()) {
    if (owner->kind == PageKind::kPage || owner->kind == PageKind::kTaxonomy || !owner->render) continue;
    if (owner->kind == PageKind::kTerm) {
      bool wanted = true;
      for (const Taxonomy& taxonomy : site.taxonomies()) {
        if (taxonomy.config->name == owner->section) wanted = taxonomy.config->feed;
      }
      if (!wanted) continue;
    }
    const std::vector<const Page*> items = Items(site, *owner);
    if (items.empty()) continue;
    uint64_t hash = FacetHash(*owner, {Facet::kMeta});
    for (const Page* page : items) {
      hash = CombineHash(hash, FacetHash(*page, {Facet::kMeta, site.config().feed_full ? Facet::kBody : Facet::kText}));
    }
    for (const bool atom : {false, true}) {
      if (atom ? !site.config().atom : !site.config().rss) continue;
      const std::string path = absl::StrCat(owner->path, atom ? "atom.xml" : "rss.xml");
      out->push_back({path.substr(1), CombineHash(hash, atom), [&site, owner, items, path, atom] {
                        return atom ? MakeAtom(site, *owner, items, path) : MakeRss(site, *owner, items, path);
                      }});
    }
  }
}

}  // namespace ssg
