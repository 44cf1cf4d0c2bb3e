// What is wrong with a site is reported with file and line, the rest is still
// checked, and the previous output stays as it was.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ssg/build/testing/test_site.h"

namespace ssg {
namespace {

struct Case {
  const char* name;
  const char* path;
  std::string text;
  const char* expected;  // part of the log
};

void ExpectReported(const Case& bad) {
  SCOPED_TRACE(bad.name);
  TestSite site;
  site.Write("content/good.md", "---\ntitle: Good\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  const FileTree before = site.Tree("public");
  site.Write(bad.path, bad.text);
  site.Write("content/also.md", "---\ntitle: Also\n---\n[x](@/nowhere.md)\n");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->stored);
  EXPECT_TRUE(absl::StrContains(site.log(), bad.expected)) << site.log();
  EXPECT_TRUE(absl::StrContains(site.log(), "content/also.md:4: error: no page")) << site.log();
  EXPECT_TRUE(site.Tree("public") == before);
}

TEST(BadInput, ContentIsReportedWithItsLine) {
  const Case cases[] = {
      {"yaml", "content/b.md", "---\ntitle: [a\nx: 1\n---\n", "content/b.md:3"},
      {"unclosed", "content/b.md", "---\ntitle: a\n", "content/b.md:1:1: error: front matter has no closing"},
      {"toml", "content/b.md", "+++\ntitle = \n+++\n", "content/b.md:2"},
      {"json", "content/b.md", "{\n\"title\": x }\n", "content/b.md:2"},
      {"type", "content/b.md", "---\ntitle: ok\nweight: heavy\n---\n",
       "content/b.md:3: error: \"weight\" must be a whole number"},
      {"date", "content/b.md", "---\ndate: tomorrow\n---\n", "content/b.md:2: error: \"date\" must be a date"},
      {"latin-1", "content/b.md", "---\ntitle: ok\n---\nfine\ncaf\xE9\n",
       "content/b.md:5: error: content is not UTF-8"},
      {"directive", "content/b.md", "---\ntitle: ok\n---\n\n:::note\nnever ends\n",
       "content/b.md:5: error: directive \"note\" has no end"},
      {"anchor", "content/b.md", "---\ntitle: ok\n---\n## Part\n[a](#prt)\n",
       "content/b.md:5: error: no anchor \"#prt\""},
      {"link", "content/b.md", "---\ntitle: ok\n---\n[a](/nothing/)\n", "content/b.md:4: error: link to \"/nothing/\""},
      {"outside", "content/b.md", "---\ntitle: ok\n---\n[a](../../../etc/passwd)\n", "leads out of"},
      {"url", "content/b.md", "---\nurl: /good/\n---\n", "has the URL /good/ of"},
      {"template", "templates/page.html", "{% if %}\n", "page.html:1"},
      {"recursion", "templates/page.html", "{% include 'page.html' %}", "page.html"},
      {"loop", "templates/page.html", "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
       "page.html"},
      {"data", "data/x.json", "{\"a\": }", "data/x.json:1"},
  };
  for (const Case& bad : cases) ExpectReported(bad);
}

TEST(BadInput, UnknownKeysAreWarnedOf) {
  TestSite site;
  site.Write("content/a.md", "---\ntitles: A\n---\n");
  site.Write("ssg.toml", "title = \"x\"\nbase_url = \"/\"\nouputs = 1\n");
  ASSERT_TRUE(site.Build()->stored);
  EXPECT_TRUE(absl::StrContains(site.log(), "content/a.md:2: warning: unknown key \"titles\"; did you mean \"title\"?"))
      << site.log();
  EXPECT_TRUE(absl::StrContains(site.log(), "ssg.toml:3: warning: unknown key \"ouputs\"; did you mean \"outputs\"?"))
      << site.log();
}

TEST(BadInput, LinksInTheTreeAreRefused) {
  TestSite site;
  ASSERT_EQ(symlink("/etc/passwd", absl::StrCat(site.path(), "/content/secret.md").c_str()), 0);
  const auto result = site.Build();
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->stored);
  EXPECT_TRUE(absl::StrContains(site.log(), "symbolic link")) << site.log();
}

TEST(BadInput, OddNamesHaveSafeUrls) {
  TestSite site;
  site.Write("content/with space.md", "x");
  site.Write("content/percent%41.md", "x");
  site.Write("content/new\nline.md", "x");
  site.Write("content/\xC3\xBCn\xC3\xAF.md", "x");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_TRUE(site.Exists("public/with-space/index.html"));
  EXPECT_TRUE(site.Exists("public/percent41/index.html"));
  EXPECT_TRUE(site.Exists("public/new-line/index.html"));
  EXPECT_TRUE(site.Exists("public/\xC3\xBCn\xC3\xAF/index.html"));
}

TEST(BadInput, OutputInsideContentIsRefused) {
  TestSite site;
  BuildOptions options = site.Options();
  for (const char* directory : {"content/out", ".", "templates"}) {
    options.output_dir = directory;
    EXPECT_FALSE(site.Build(options).ok()) << directory;
  }
}

TEST(BadInput, HugePagesAreRefused) {
  TestSite site;
  site.Write("ssg.toml", "title = \"x\"\nbase_url = \"/\"\n[markdown]\npage_bytes_max = 1000\n");
  site.Write("content/a.md", std::string(5000, 'x'));
  EXPECT_FALSE(site.Build()->stored);
  EXPECT_TRUE(absl::StrContains(site.log(), "5000 bytes")) << site.log();
}

TEST(BadInput, KeepGoingStoresTheRest) {
  TestSite site;
  site.Write("content/bad.md", "---\ntitle: [\n---\n");
  site.Write("content/good.md", "---\ntitle: Good\n---\nText\n");
  BuildOptions options = site.Options();
  options.keep_going = true;
  ASSERT_TRUE(site.Build(options)->stored);
  EXPECT_GT(site.error_count(), 0u);
  EXPECT_TRUE(site.Exists("public/good/index.html"));
  // Nothing of it is reused: the next build reports the error again.
  EXPECT_FALSE(site.Build()->stored);
}

TEST(BadInput, AMissingConfigurationIsAnError) {
  TestSite site;
  site.Remove("ssg.toml");
  EXPECT_FALSE(site.Build()->stored);
  EXPECT_TRUE(absl::StrContains(site.log(), "no configuration")) << site.log();
}

}  // namespace
}  // namespace ssg
