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
  EXPECT_EQ(html,
            "<div><p>A</p><p><strong>a</strong> <em>b</em></p><pre><code>x  y\n\n</code></pre></div>");
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
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2020-01-02T03:04:05Z\n");
  EXPECT_EQ(site.Read("public/d/\xC3\xBC/index.html"), "U 2020-01-02T03:04:05Z\n");
  EXPECT_EQ(site.Read("public/own/index.html"), "Own 2001-02-03T00:00:00Z\n");
  // A new commit alone is a change: only what shows the date is rendered again.
  site.Write("content/a b.md", "---\ntitle: A\n---\nmore\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2020-01-02T03:04:05Z\n");
  Commit(site, "2021-01-02T03:04:05Z");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok() && result->stored) << site.log();
  EXPECT_FALSE(result->up_to_date);
  EXPECT_EQ(site.Read("public/a-b/index.html"), "A 2021-01-02T03:04:05Z\n");
  EXPECT_EQ(site.Read("public/d/\xC3\xBC/index.html"), "U 2020-01-02T03:04:05Z\n");
  EXPECT_TRUE(site.Build()->up_to_date);
  EXPECT_TRUE(site.Tree("public") == site.CleanTree());
}

TEST(Features, SaysWhyThereAreNoDatesFromGit) {
  TestSite site;
  site.Write("ssg.toml", "title = \"Test\"\ngit_dates = true\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_TRUE(absl::StrContains(site.log(), "warning: git_dates: no dates from git: ")) << site.log();
}

}  // namespace
}  // namespace ssg
