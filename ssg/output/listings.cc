// Sitemap, robots.txt, index.json, redirects.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ssg/data/encode.h"
#include "ssg/markdown/html.h"
#include "ssg/output/aggregate.h"
#include "ssg/site/body.h"
#include "ssg/site/dates.h"

namespace ssg {
namespace {

// sitemaps.org: at most 50,000 URLs in a file.
constexpr size_t kSitemapUrlsMax = 50'000;

std::vector<const Page*> SitemapPages(const Site& site) {
  std::vector<const Page*> pages;
  for (const Page* page : site.pages()) {
    if (page->in_sitemap && page->render) pages.push_back(page);
  }
  return pages;
}

std::string MakeSitemap(const Site& site, const std::vector<const Page*>& pages, size_t begin, size_t end) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
  for (size_t i = begin; i < end; ++i) {
    out.append("<url><loc>");
    AppendHtmlEscaped(site.Permalink(pages[i]->path), &out);
    out.append("</loc>");
    if (pages[i]->updated != kNoDate)
      absl::StrAppend(&out, "<lastmod>", FormatIsoDate(pages[i]->updated), "</lastmod>");
    out.append("</url>\n");
  }
  out.append("</urlset>\n");
  return out;
}

std::string MakeJsonIndex(const Site& site) {
  std::string out = "[";
  for (const Page* page : site.regular_pages()) {
    if (!page->render) continue;
    out.append(out.size() > 1 ? ",\n{\"title\":" : "\n{\"title\":");
    AppendJsonString(page->title, &out);
    out.append(",\"url\":");
    AppendJsonString(site.Permalink(page->path), &out);
    out.append(",\"section\":");
    AppendJsonString(page->section, &out);
    if (page->date != kNoDate) absl::StrAppend(&out, ",\"date\":\"", FormatIsoDate(page->date), "\"");
    out.append(",\"summary\":");
    AppendJsonString(page->summary_text.empty() ? absl::string_view(HtmlToText(ViewBody(page->body).summary_html))
                                                : page->summary_text,
                     &out);
    for (const Taxonomy& taxonomy : site.taxonomies()) {
      bool first = true;
      for (const auto& [index, term] : page->terms) {
        if (&site.taxonomies()[index] != &taxonomy) continue;
        if (first) {
          out.push_back(',');
          AppendJsonString(taxonomy.config->name, &out);
          out.append(":[");
        } else {
          out.push_back(',');
        }
        first = false;
        AppendJsonString(term->title, &out);
      }
      if (!first) out.push_back(']');
    }
    out.push_back('}');
  }
  out.append("\n]\n");
  return out;
}

std::string MakeRedirect(const Site& site, const Page& page) {
  std::string url;
  AppendUrlEscaped(site.Href(page.path), &url);
  std::string out = absl::StrCat("<!doctype html>\n<html lang=\"", site.config().language,
                                 "\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
  AppendHtmlEscaped(page.title, &out);
  absl::StrAppend(&out, "</title>\n<link rel=\"canonical\" href=\"", site.Permalink(page.path),
                  "\">\n<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"refresh\" content=\"0; url=",
                  url, "\">\n</head>\n<body>\n<p>This page has moved: <a href=\"", url, "\">");
  AppendHtmlEscaped(page.title, &out);
  out.append("</a></p>\n</body>\n</html>\n");
  return out;
}

}  // namespace

void AddSitemap(const Site& site, std::vector<Aggregate>* out) {
  if (!site.config().sitemap) return;
  const std::vector<const Page*> pages = SitemapPages(site);
  uint64_t hash = 2;
  for (const Page* page : pages) hash = CombineHash(hash, FacetHash(*page, {Facet::kMeta}));
  if (pages.size() <= kSitemapUrlsMax) {
    out->push_back({"sitemap.xml", hash, [&site, pages] { return MakeSitemap(site, pages, 0, pages.size()); }});
    return;
  }
  const size_t count = (pages.size() + kSitemapUrlsMax - 1) / kSitemapUrlsMax;
  for (size_t n = 0; n < count; ++n) {
    out->push_back({absl::StrCat("sitemap-", n + 1, ".xml"), hash, [&site, pages, n] {
                      const size_t begin = n * kSitemapUrlsMax;
                      return MakeSitemap(site, pages, begin, std::min(pages.size(), begin + kSitemapUrlsMax));
                    }});
  }
  out->push_back({"sitemap.xml", CombineHash(3, count), [&site, count] {
                    std::string index =
                        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                        "<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
                    for (size_t n = 0; n < count; ++n) {
                      absl::StrAppend(&index, "<sitemap><loc>",
                                      site.Permalink(absl::StrCat("/sitemap-", n + 1, ".xml")), "</loc></sitemap>\n");
                    }
                    index.append("</sitemapindex>\n");
                    return index;
                  }});
}

void AddRobots(const Site& site, std::vector<Aggregate>* out) {
  if (!site.config().robots) return;
  out->push_back({"robots.txt", 4, [&site] {
                    std::string text = "User-agent: *\nAllow: /\n";
                    if (site.config().sitemap)
                      absl::StrAppend(&text, "Sitemap: ", site.Permalink("/sitemap.xml"), "\n");
                    return text;
                  }});
}

void AddJsonIndex(const Site& site, std::vector<Aggregate>* out) {
  if (!site.config().json_index) return;
  uint64_t hash = 5;
  for (const Page* page : site.regular_pages()) {
    hash = CombineHash(hash, FacetHash(*page, {Facet::kMeta, Facet::kText, Facet::kLinks}));
  }
  out->push_back({"index.json", hash, [&site] { return MakeJsonIndex(site); }});
}

void AddRedirects(const Site& site, std::vector<Aggregate>* out) {
  std::string all;
  for (const Page* page : site.pages()) {
    for (absl::string_view alias : page->aliases) {
      absl::ConsumePrefix(&alias, "/");
      if (alias.empty() || absl::StrContains(absl::StrCat("/", alias, "/"), "/../")) continue;
      const bool file = absl::EndsWith(alias, ".html") || absl::EndsWith(alias, ".htm");
      const std::string path = file ? std::string(alias) : absl::StrCat(absl::StripSuffix(alias, "/"), "/index.html");
      absl::StrAppend(&all, site.Href("/"), alias, " ", site.Href(page->path), " 301\n");
      out->push_back({path, FacetHash(*page, {Facet::kMeta}), [&site, page] { return MakeRedirect(site, *page); }});
    }
  }
  if (all.empty()) return;
  uint64_t hash = 6;
  for (const char c : all) hash = CombineHash(hash, static_cast<uint8_t>(c));
  out->push_back({"_redirects", hash, [all] { return all; }});
}

}  // namespace ssg
