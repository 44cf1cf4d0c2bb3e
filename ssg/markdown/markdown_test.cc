#include "ssg/markdown/markdown.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ssg/markdown/html.h"

namespace ssg {
namespace {

RenderedMarkdown Render(absl::string_view source, const MarkdownOptions& options = {}) {
  MarkdownHooks hooks;
  auto rendered = RenderMarkdown(source, options, hooks);
  EXPECT_TRUE(rendered.ok()) << rendered.status();
  return rendered.ok() ? *std::move(rendered) : RenderedMarkdown();
}

std::string Html(absl::string_view source) { return Render(source).html; }

TEST(Markdown, HeadingsHaveUniqueIdsAndAttributes) {
  EXPECT_EQ(Html("# One\n# One\n"), "<h1 id=\"one\">One</h1>\n<h1 id=\"one-1\">One</h1>\n");
  EXPECT_EQ(Html("## A *b* {#x .y .z data-k=\"v w\"}\n"),
            "<h2 id=\"x\" class=\"y z\" data-k=\"v w\">A <em>b</em></h2>\n");
  EXPECT_EQ(Html("# Ünï Çode\n"), "<h1 id=\"ünï-çode\">Ünï Çode</h1>\n");
  EXPECT_EQ(Html("# {}\n"), "<h1 id=\"section\">{}</h1>\n");
}

TEST(Markdown, Footnotes) {
  const std::string html =
      Html("A[^n], again[^n] and[^m].\n\n[^n]: Text *of* it\n    goes on\n[^m]: M[^n]\n[^unused]: x\n");
  EXPECT_TRUE(absl::StrContains(html, "A<sup class=\"footnote-ref\" id=\"fnref-1\"><a href=\"#fn-1\"")) << html;
  EXPECT_TRUE(absl::StrContains(html, "id=\"fnref-1-2\"")) << html;
  EXPECT_TRUE(absl::StrContains(html, "<li id=\"fn-2\">")) << html;
  EXPECT_TRUE(absl::StrContains(html, "Text <em>of</em> it\ngoes on <a href=\"#fnref-1\"")) << html;
  EXPECT_FALSE(absl::StrContains(html, "fn-3")) << html;
  EXPECT_EQ(Html("no [^n] here\n"), "<p>no [^n] here</p>\n");
}

TEST(Markdown, DefinitionLists) {
  EXPECT_EQ(Html("Term\n: One\n: Two *b*\n\nOther\n: Three\n"),
            "<dl>\n<dt>Term</dt>\n<dd>One</dd>\n<dd>Two <em>b</em></dd>\n<dt>Other</dt>\n<dd>Three</dd>\n</dl>\n");
  EXPECT_TRUE(absl::StrContains(Html("T\n: A\n\n  more\n"), "<dd><p>A</p>\n<p>more</p>\n</dd>"));
  EXPECT_EQ(Html(": no term\n"), "<p>: no term</p>\n");
}

TEST(Markdown, AlertsAndAdmonitions) {
  EXPECT_EQ(Html("> [!WARNING]\n> Take *care*\n"),
            "<div class=\"admonition warning\" role=\"note\">\n<p class=\"admonition-title\">Warning</p>\n<p>Take "
            "<em>care</em></p>\n</div>\n");
  EXPECT_EQ(Html("> [!NOPE]\n> x\n"), "<blockquote>\n<p>[!NOPE]\nx</p>\n</blockquote>\n");
  EXPECT_EQ(
      Html(":::tip A title\nbody\n:::\n"),
      "<div class=\"admonition tip\" role=\"note\">\n<p class=\"admonition-title\">A title</p>\n<p>body</p>\n</div>\n");
  EXPECT_EQ(
      Html("!!! note \"T\"\n    body\n"),
      "<div class=\"admonition note\" role=\"note\">\n<p class=\"admonition-title\">T</p>\n<p>body</p>\n</div>\n");
  EXPECT_TRUE(absl::StrContains(Html("??? note\n    body\n"), "<details class=\"admonition note\">"));
  // Nested, with fences that must not end anything.
  const std::string nested = Html("::::note\n:::tip\n```\n:::\n```\n:::\n::::\n");
  EXPECT_TRUE(absl::StrContains(nested, "<pre><code>:::\n</code></pre>\n</div>\n</div>\n")) << nested;
}

TEST(Markdown, ReferencesReachEverySegment) {
  const std::string html = Html(":::note\n[a]\n:::\n\n[a] too\n\n[a]: /url\n");
  EXPECT_TRUE(absl::StrContains(html, "<p><a href=\"/url\">a</a></p>\n</div>")) << html;
  EXPECT_TRUE(absl::StrContains(html, "<a href=\"/url\">a</a> too")) << html;
}

TEST(Markdown, Math) {
  MarkdownOptions options;
  options.math = true;
  EXPECT_EQ(Render("$a_b$ and $$c$$\n", options).html,
            "<p><span class=\"math inline\">\\(a_b\\)</span> and <span class=\"math display\">\\[c\\]</span></p>\n");
  EXPECT_EQ(Html("$a$\n"), "<p>$a$</p>\n");
}

TEST(Markdown, FactsAboutTheText) {
  MarkdownOptions options;
  options.collect_text = true;
  const RenderedMarkdown rendered = Render("First one.\n\n## H\n\nSecond `code` [link](b.md).\n", options);
  EXPECT_EQ(rendered.word_count, 6u);
  EXPECT_EQ(rendered.html.substr(0, rendered.summary_size), "<p>First one.</p>\n");
  ASSERT_EQ(rendered.headings.size(), 1u);
  EXPECT_EQ(rendered.text.substr(rendered.headings[0].text_offset), "H\nSecond code link.");
  ASSERT_EQ(rendered.links.size(), 1u);
  EXPECT_EQ(rendered.links[0].line, 5u);
  EXPECT_TRUE(Render("a\n\nb\n\n<!--more-->\n\nc\n").summary_is_explicit);
  EXPECT_EQ(Render("日本語\n").word_count, 3u);
}

TEST(Markdown, TableOfContentsNests) {
  EXPECT_EQ(
      TableOfContents(Render("## A\n### B\n### C\n## D\n").headings, 2, 3),
      "<ul><li><a href=\"#a\">A</a><ul><li><a href=\"#b\">B</a></li><li><a href=\"#c\">C</a></li></ul></li><li><a "
      "href=\"#d\">D</a></li></ul>");
  EXPECT_EQ(TableOfContents({}, 2, 3), "");
}

TEST(Markdown, BadInputIsAnErrorWithItsLine) {
  MarkdownHooks hooks;
  EXPECT_EQ(RenderMarkdown("a\n\xFF\n", {}, hooks).status().message(), "2: content is not UTF-8");
  EXPECT_EQ(RenderMarkdown("a\n:::note\n", {}, hooks, 10).status().message(),
            "11: directive \"note\" has no end (\":::\")");
  MarkdownOptions small;
  small.source_bytes_max = 3;
  EXPECT_EQ(RenderMarkdown("abcd", small, hooks).status().code(), absl::StatusCode::kResourceExhausted);
  std::string links;
  for (int i = 0; i < 6000; ++i) links += "www.a.b ";
  EXPECT_EQ(RenderMarkdown(links, {}, hooks).status().code(), absl::StatusCode::kResourceExhausted);
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += ":::note\n";
  for (int i = 0; i < 40; ++i) deep += ":::\n";
  EXPECT_EQ(RenderMarkdown(deep, {}, hooks).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Markdown, OneLongReferenceManyTimesIsBounded) {
  MarkdownHooks hooks;
  std::string source = absl::StrCat("[a]: /", std::string(100000, 'x'), "\n\n");
  for (int i = 0; i < 100000; ++i) source += "[a] ";
  const auto rendered = RenderMarkdown(source, {}, hooks);
  // md4c stops using the reference at some point; our own bound ends what is left.
  if (rendered.ok()) {
    EXPECT_LT(rendered->html.size(), source.size() * 64 + (2 << 20));
  } else {
    EXPECT_EQ(rendered.status().code(), absl::StatusCode::kResourceExhausted);
  }
}

TEST(Html, Escapes) {
  std::string out;
  AppendHtmlEscaped("a<b>&\"c", &out);
  EXPECT_EQ(out, "a&lt;b&gt;&amp;&quot;c");
  out.clear();
  AppendUrlEscaped("/a b?x=1&y=\xC3\xA9%20\"", &out);
  EXPECT_EQ(out, "/a%20b?x=1&amp;y=%C3%A9%20%22");
  out.clear();
  EXPECT_TRUE(AppendDecodedEntity("&auml;", &out));
  EXPECT_TRUE(AppendDecodedEntity("&#x41;", &out));
  EXPECT_TRUE(AppendDecodedEntity("&#0;", &out));
  EXPECT_FALSE(AppendDecodedEntity("&nothing;", &out));
  EXPECT_EQ(out, "äA\xEF\xBF\xBD");
  EXPECT_EQ(HtmlToText("<p>a &amp; <b>b</b> & c</p>"), "a & b & c");
}

TEST(Slug, Styles) {
  EXPECT_EQ(Slugify("Hello, World!"), "hello-world");
  EXPECT_EQ(PathSlug("  A -- B  "), "a-b");
  EXPECT_EQ(PathSlug("Crème Brûlée", SlugStyle::kAscii), "creme-brulee");
  EXPECT_EQ(PathSlug("Crème", SlugStyle::kUnicode), "crème");
}

}  // namespace
}  // namespace ssg
