#include "ssg/markdown/shortcodes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ssg/markdown/markdown.h"

namespace ssg {
namespace {

// Writes what it is asked: "[name(a=b,c):body]".
class Echo : public MarkdownHooks {
 public:
  bool RenderShortcode(const ShortcodeElement& element, std::string* html) override {
    places.push_back(
        absl::StrCat(element.line, ":", element.column, element.problem.empty() ? "" : " ", element.problem));
    if (element.in_destination) {
      absl::StrAppend(html, "/to/", element.name);
      return true;
    }
    absl::StrAppend(html, "[", element.name, "(");
    for (const ShortcodeArgument& argument : element.arguments) {
      absl::StrAppend(html, argument.name.empty() ? "" : absl::StrCat(argument.name, "="), argument.value, ";");
    }
    absl::StrAppend(html, ")", element.has_body ? ":" : "", element.html, "]");
    return true;
  }
  std::string ResolveLink(absl::string_view destination, bool, uint32_t line) override {
    link_lines.push_back(line);
    return std::string(destination);
  }
  std::vector<std::string> places;
  std::vector<uint32_t> link_lines;
};

std::string Render(absl::string_view source, Echo* hooks) {
  MarkdownOptions options;
  options.shortcodes = true;
  const auto rendered = RenderMarkdown(source, options, *hooks);
  return rendered.ok() ? rendered->html : std::string(rendered.status().message());
}

std::string Render(absl::string_view source) {
  Echo hooks;
  return Render(source, &hooks);
}

TEST(Shortcodes, ComeInThreeForms) {
  EXPECT_EQ(Render("a {{ x(a=\"b c\", 3, d='e\\'f') }} z\n"), "<p>a [x(a=b c;3;d=e'f;)] z</p>\n");
  EXPECT_EQ(Render("a {{< x a=\"b c\" 3 `q\"r` >}} z\n"), "<p>a [x(a=b c;3;q\"r;)] z</p>\n");
  EXPECT_EQ(Render("a {{< x >}}*in* `c`{{< /x >}} z\n"), "<p>a [x():<em>in</em> <code>c</code>] z</p>\n");
  EXPECT_EQ(Render("{% x(a=1) %}\n## H\n\ntext\n{% end %}\n"), "[x(a=1;):<h2 id=\"h\">H</h2>\n<p>text</p>\n]\n");
}

TEST(Shortcodes, AloneInAParagraphAreNoParagraph) {
  EXPECT_EQ(Render("{{< x />}}\n\ntext\n"), "[x()]\n<p>text</p>\n");
  EXPECT_EQ(Render("- a\n\n  {{< x />}}\n"), "<ul>\n<li><p>a</p>\n[x()]\n</li>\n</ul>\n");
  EXPECT_EQ(Render("{{< x />}}\n{{< y />}}\n"), "[x()]\n[y()]\n");
  EXPECT_EQ(Render("{{< x />}} **b**\n"), "<p>[x()] <strong>b</strong></p>\n");
}

TEST(Shortcodes, Nest) {
  EXPECT_EQ(Render("{{< a >}}1 {{< b >}}2 {{ c() }}{{< /b >}} {{< a >}}3{{< /a >}}{{< /a >}}\n"),
            "[a():1 [b():2 [c()]] [a():3]]\n");
}

TEST(Shortcodes, StayCodeInCode) {
  for (const std::string text : {"`{{< x >}}`", "``a ` {{ x() }}``"}) {
    EXPECT_EQ(Render(text).find("[x"), std::string::npos) << text;
  }
  EXPECT_EQ(Render("```\n{{< x >}}\n```\n"), "<pre><code>{{&lt; x &gt;}}\n</code></pre>\n");
  EXPECT_EQ(Render("text\n\n    {{< x >}}\n    {{ y() }}\n"),
            "<p>text</p>\n<pre><code>{{&lt; x &gt;}}\n{{ y() }}\n</code></pre>\n");
  EXPECT_EQ(Render("{{< a >}}\n```\n{{< /a >}}\n```\n{{< /a >}}\n"),
            "[a():<pre><code>{{&lt; /a &gt;}}\n</code></pre>\n]\n");
  EXPECT_EQ(Render("<!-- {{< x >}} -->\n"), "<!-- {{< x >}} -->\n");
}

TEST(Shortcodes, MayBeEscaped) {
  EXPECT_EQ(Render("a {{</* x 1 */>}} {{/* y() */}} z\n"), "<p>a {{&lt; x 1 &gt;}} {{ y() }} z</p>\n");
  EXPECT_EQ(Render("a {{ b }} {{c}} {d} {% if %}\n"), "<p>a {{ b }} {{c}} {d} {% if %}</p>\n");
}

TEST(Shortcodes, StandInLinksAndHtml) {
  EXPECT_EQ(Render("[a]({{< ref \"b.md\" >}})\n"), "<p><a href=\"/to/ref\">a</a></p>\n");
  EXPECT_EQ(Render("<div>\n{{ x() }}\n</div>\n"), "<div>\n[x()]\n</div>\n");
}

TEST(Shortcodes, KnowTheirPlace) {
  Echo hooks;
  Render("one\n\n{{< a\n  x=1 >}}\n\n[l](m) {{ b() }}\n\n{{< /a >}}\n\n  [n](o) {{ c() }}\n", &hooks);
  EXPECT_EQ(hooks.places, (std::vector<std::string>{"6:8", "3:1", "10:10"}));
  EXPECT_EQ(hooks.link_lines, (std::vector<uint32_t>{6, 10}));
}

TEST(Shortcodes, SayWhatIsWrong) {
  EXPECT_EQ(Render("a\n\n b {{< /x >}}\n"), "3:4: \"{{< /x >}}\" ends a shortcode that has no beginning");
  Echo hooks;
  Render("{% x() %}\n\n{{ y(a=1, a=2) }} {{ z(a=) }}\n", &hooks);
  EXPECT_EQ(hooks.places,
            (std::vector<std::string>{"1:1 shortcode \"x\" has no end (\"{% end %}\")",
                                      "3:1 argument \"a\" is given twice", "3:19 argument \"a\" has no value"}));
  EXPECT_EQ(Render("a\xEF\xB7\x90z {{ x() }}"), "1:1: content holds U+FDD0, which is no character");
  std::string deep;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&deep, "{{< a", i, " >}}\n");
  for (int i = 39; i >= 0; --i) absl::StrAppend(&deep, "{{< /a", i, " >}}\n");
  EXPECT_NE(Render(deep).find("nested deeper than 32 levels"), std::string::npos);
}

}  // namespace
}  // namespace ssg
