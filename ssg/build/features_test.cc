// What a site can ask for in its configuration and content, built end to end.
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/spawn.h"
#include "gtest/gtest.h"
#include "ssg/build/testing/test_site.h"

namespace ssg {
namespace {

void Git(const TestSite& site, std::vector<std::string> words) {
  std::vector<std::string> all = {"git", "-C", site.path(), "-c", "user.name=a", "-c", "user.email=a@example.org"};
  all.insert(all.end(), words.begin(), words.end());
  const auto result = base::Spawn({.words = all});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->exit_code, 0) << result->errors;
}

void Commit(const TestSite& site, const char* date) {
  Git(site, {"add", "ssg.toml", "content", "templates"});
  Git(site, {"commit", "-q", "-m", "x", "--date", date});
}

TEST(Features, MinifiesHtml) {
  TestSite site;
  site.Write("templates/page.html", "<div>\n  <p>\n {{ page.title }} </p>\n  {{ page.content }}</div>\n");
  site.Write("content/a.md", "---\ntitle: A\n---\n**a** *b*\n\n```\nx  y\n\n```\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  const std::string plain = site.Read("public/a/index.html");
  EXPECT_TRUE(absl::StrContains(plain, "<div>\n  <p>\n A </p>\n")) << plain;
  site.Write("ssg.toml", "title = \"Test\"\nminify_html = true\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  const std::string html = site.Read("public/a/index.html");
  EXPECT_EQ(html, "<div><p>A</p><p><strong>a</strong> <em>b</em></p><pre><code>x  y\n\n</code></pre></div>");
  EXPECT_TRUE(site.Tree("public") == site.CleanTree());
}

TEST(Features, MinifyingMayBeAskedForOnTheCommandLine) {
  TestSite site;
  site.Write("templates/index.html", "<p>\n  a\n</p>\n");
  BuildOptions options = site.Options();
  ASSERT_TRUE(site.Build(options)->stored) << site.log();
  options.minify_html = true;
  ASSERT_TRUE(site.Build(options)->stored) << site.log();
  EXPECT_EQ(site.Read("public/index.html"), "<p>a</p>");
}

TEST(Features, TakesDatesFromGit) {
  if (!base::Spawn({.words = {"git", "--version"}}).ok()) GTEST_SKIP() << "git is not installed";
  TestSite site;
  site.Write("ssg.toml", "title = \"Test\"\ngit_dates = true\n");
  site.Write("templates/page.html", "{{ page.title }} {{ page.updated }}\n");
  site.Write("content/a b.md", "---\ntitle: A\n---\n");
  site.Write("content/d/\xC3\xBC.md", "---\ntitle: U\n---\n");
  site.Write("content/own.md", "---\ntitle: Own\nupdated: 2001-02-03\n---\n");
  Git(site, {"init", "-q"});
  Commit(site, "2020-01-02T03:04:05Z");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2020-01-02T03:04:05Z");
  EXPECT_EQ(site.Read("public/d/\xC3\xBC/index.html"), "U 2020-01-02T03:04:05Z");
  EXPECT_EQ(site.Read("public/own/index.html"), "Own 2001-02-03T00:00:00Z");
  // A new commit alone is a change: only what shows the date is rendered again.
  site.Write("content/a b.md", "---\ntitle: A\n---\nmore\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2020-01-02T03:04:05Z");
  Commit(site, "2021-01-02T03:04:05Z");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok() && result->stored) << site.log();
  EXPECT_FALSE(result->up_to_date);
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2021-01-02T03:04:05Z");
  EXPECT_EQ(site.Read("public/d/\xC3\xBC/index.html"), "U 2020-01-02T03:04:05Z");
  // Files that changed within the last tick of the clock are read once more.
  auto again = site.Build();
  for (int i = 0; i < 1000 && again.ok() && !again->up_to_date; ++i) again = site.Build();
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->up_to_date);
  EXPECT_TRUE(site.Tree("public") == site.CleanTree());
}

TEST(Features, SaysWhyThereAreNoDatesFromGit) {
  TestSite site;
  site.Write("ssg.toml", "title = \"Test\"\ngit_dates = true\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_TRUE(absl::StrContains(site.log(), "warning: git_dates: no dates from git: ")) << site.log();
}

TEST(Features, ExpandsShortcodesOfAllForms) {
  TestSite site;
  site.Write("templates/page.html", "{{ page.content }}");
  site.Write("templates/shortcodes/box.html", "<b {{ params.kind }}{{ args[0] }} {{ nth }}>{{ body }}</b>");
  site.Write("templates/shortcodes/dot.html", "<i>{{ n + 1 }}</i>");
  site.Write("content/b.md", "---\ntitle: B\n---\n## Part\n");
  site.Write("content/a.md",
             "---\ntitle: A\n---\n{{< box kind=\"x\" >}}\n*in* {{ dot(n=41) }}\n{{< /box >}}\n\n"
             "Go [there]({{< ref \"b.md#part\" >}}), `{{ dot(n=1) }}`.\n\n:::box{kind=y}\nd\n:::\n\n{{< box z />}}\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_EQ(site.Read("public/a/index.html"),
            "<b x 1><p><em>in</em> <i>42</i></p>\n</b>\n<p>Go <a href=\"/b/#part\">there</a>, "
            "<code>{{ dot(n=1) }}</code>.</p>\n<b y ><p>d</p>\n</b><b z 2></b>\n");
  // A page depends on the shortcodes that it uses.
  site.Write("templates/shortcodes/dot.html", "<u>{{ n }}</u>");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok() && result->stored) << site.log();
  EXPECT_EQ(result->body_count, 1u);
  EXPECT_TRUE(absl::StrContains(site.Read("public/a/index.html"), "<u>41</u>"));
  EXPECT_TRUE(site.Tree("public") == site.CleanTree());
}

TEST(Features, SaysWhereAShortcodeIsWrong) {
  TestSite site;
  site.Write("templates/shortcodes/note.html", "{{ body }}");
  site.Write("templates/shortcodes/bad.html", "{{ 1 + 'a' }}");
  site.Write("content/a.md",
             "---\ntitle: A\n---\n\nx {{ note_(a=1) }}\n\n{{< note >}}\n\n{{ bad() }}\n\n[a]({{< ref \"no.md\" >}})\n");
  ASSERT_FALSE(site.Build()->stored);
  for (const char* expected :
       {"content/a.md:5:3: error: no shortcode \"note_\" (shortcodes/note_.html); did you mean \"note\"?",
        "content/a.md:7:1: error: shortcode \"note\" has no end (\"{{< /note >}}\")",
        "content/a.md:9:1: error: ", "bad.html:1", "content/a.md:11: error: no page \"@/no.md\""}) {
    EXPECT_TRUE(absl::StrContains(site.log(), expected)) << expected << "\n" << site.log();
  }
}

}  // namespace
}  // namespace ssg
