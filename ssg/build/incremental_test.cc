// The promise of builder.h: after any edits, an incremental build gives what a
// build from nothing gives, byte for byte, for any number of threads; and a
// build with errors leaves the output as it was.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "ssg/build/testing/test_site.h"

namespace ssg {
namespace {

// Random edits of a site whose pages link to, list and read each other.
class Editor {
 public:
  Editor(TestSite& site, uint64_t seed) : site_(site), random_(seed) {
    site_.Write("templates/base.html",
                "<title>{{ page.title }}</title>{% for s in site.sections %}<a href=\"{{ s.url }}\">{{ s.title }}</a>"
                "{% endfor %}<link href=\"{{ get_url('css/site.css') }}\">{% block main %}{% endblock %}"
                "{{ site.data.facts.one }}{{ config.params.motto }}\n");
    site_.Write(
        "templates/page.html",
        "{% extends 'base.html' %}{% block main %}{{ page.content }}{% include 'side.html' %}{{ page.toc }}"
        "{% if page.prev %}<{{ page.prev.title }}>{% endif %}{% if page.next %}>{{ page.next.title }}<{% endif %}"
        "{% for r in page.related %}{{ r.title }} {{ r.word_count }}{% endfor %}{{ page.resources|length }}{% endblock "
        "%}\n");
    site_.Write("templates/side.html", "<aside>{{ page.section.pages|length }}</aside>\n");
    site_.Write("data/facts.toml", "one = 1\n");
    site_.Write("assets/css/site.css", "a { color: red; }\n");
    for (int i = 0; i < 6; ++i) WritePage(i);
  }

  void Edit() {
    switch (Below(14)) {
      case 0:
      case 1:
      case 2:
        return WritePage(Below(kPages));
      case 3:
        return site_.Remove(PathOf(Below(kPages)));
      case 4: {
        const std::string from = PathOf(Below(kPages));
        const std::string to = absl::StrCat("content/s", Below(3), "/moved", Below(4), ".md");
        if (site_.Exists(from)) site_.Rename(from, to);
        return;
      }
      case 5:
        return site_.Write("templates/side.html", absl::StrCat("<aside>", Below(5), "{{ page.title }}</aside>\n"));
      case 6:
        return site_.Write("data/facts.toml", absl::StrCat("one = ", Below(4), "\n"));
      case 7:
        return site_.Write("assets/css/site.css", absl::StrCat("a { margin: ", Below(4), "px; }\n"));
      case 8:
        return site_.Write("ssg.toml", absl::StrCat("title = \"T", Below(2),
                                                    "\"\nbase_url = \"https://example.org/\"\npaginate = ", Below(3),
                                                    "\n[params]\nmotto = \"m", Below(2), "\"\n"));
      case 9:
        return site_.Write(absl::StrCat("static/file", Below(3), ".txt"), absl::StrCat(Below(4)));
      case 10:
        return site_.Remove(absl::StrCat("static/file", Below(3), ".txt"));
      case 11: {
        // A template that appears hides the built-in one, and goes again.
        const std::string path = "templates/section.html";
        if (site_.Exists(path)) return site_.Remove(path);
        return site_.Write(
            path,
            "{% extends 'base.html' %}{% block main %}{% for p in page.pages %}{{ p.title }}{{ p.summary }}"
            "{% endfor %}{% endblock %}\n");
      }
      case 12: {
        const std::string path = absl::StrCat("content/s", Below(3), "/_index.md");
        if (site_.Exists(path)) return site_.Remove(path);
        return site_.Write(path, absl::StrCat("---\ntitle: Section ", Below(3), "\nsort_by: ",
                                              Below(2) == 0 ? "date" : "title", "\n---\nText ", Below(3), "\n"));
      }
      default:
        // A link to a page that may not be there: both builds fail, or neither.
        return site_.Write("content/s0/linker.md", absl::StrCat("---\ntitle: Linker\n---\n[l](@/",
                                                                PathOf(Below(kPages)).substr(8), "#part)\n"));
    }
  }

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

 private:
  static constexpr size_t kPages = 8;

  static std::string PathOf(size_t i) { return absl::StrCat("content/s", i % 3, "/page", i, ".md"); }

  void WritePage(size_t i) {
    std::string text =
        absl::StrCat("---\ntitle: Page ", Below(4), "\ndate: 2023-0", 1 + Below(9), "-01\ntags: [t", Below(3), ", t",
                     Below(3), "]\nweight: ", Below(3), Below(8) == 0 ? "\ndraft: true" : "",
                     Below(8) == 0 ? "\naliases: [/old/]" : "", "\n---\n\n## Part\n\n");
    for (size_t k = Below(4); k > 0; --k) absl::StrAppend(&text, "Words ", Below(10), " here.\n\n");
    if (Below(4) == 0) absl::StrAppend(&text, "### Heading ", Below(3), "\n\n[^1] and more.\n\n[^1]: note\n");
    site_.Write(PathOf(i), text);
  }

  TestSite& site_;
  std::mt19937_64 random_;
};

uint64_t Seed() {
  const char* text = std::getenv("TEST_SEED");
  uint64_t seed = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &seed)) seed = std::random_device{}();
  std::fprintf(stderr, "seed=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

size_t Sequences(size_t fallback) {
  const char* text = std::getenv("SSG_SEQUENCES");
  size_t count = 0;
  return text != nullptr && absl::SimpleAtoi(text, &count) ? count : fallback;
}

TEST(Incremental, EqualsACleanBuildAfterRandomEdits) {
  const uint64_t seed = Seed();
  const size_t sequences = Sequences(40);
  size_t done = 0;
  size_t failed_builds = 0;
  for (size_t round = 0; done < sequences; ++round) {
    TestSite site;
    Editor editor(site, seed + round);
    FileTree last;
    for (size_t sequence = 0; sequence < 10 && done < sequences; ++sequence, ++done) {
      for (size_t edits = 1 + editor.Below(4); edits > 0; --edits) editor.Edit();
      const FileTree clean = site.CleanTree();
      const bool clean_ok = site.error_count() == 0;
      const std::string clean_log = site.log();
      BuildOptions options = site.Options();
      options.jobs = 1 + editor.Below(4);
      const auto result = site.Build(options);
      ASSERT_TRUE(result.ok()) << result.status();
      ASSERT_EQ(site.error_count() == 0, clean_ok) << "clean:\n" << clean_log << "incremental:\n" << site.log();
      if (clean_ok) {
        last = clean;
      } else {
        ++failed_builds;
      }
      const FileTree now = site.Tree("public");
      ASSERT_EQ(now.size(), last.size()) << "round " << round << " sequence " << sequence;
      for (const auto& [path, text] : last) {
        ASSERT_TRUE(now.count(path)) << path;
        ASSERT_EQ(now.at(path), text) << path << " round " << round << " sequence " << sequence;
      }
    }
  }
  EXPECT_LT(failed_builds, done);
}

TEST(Incremental, NothingToDoTouchesNothing) {
  TestSite site;
  Editor editor(site, 7);
  ASSERT_TRUE(site.Build()->stored) << site.log();
  // Files that changed within the last tick of the clock are read once more.
  auto again = site.Build();
  for (int i = 0; i < 1000 && again.ok() && !again->up_to_date; ++i) again = site.Build();
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->up_to_date);
  EXPECT_EQ(again->written_count, 0u);
}

TEST(Incremental, ABodyRebuildsItsPageOnly) {
  TestSite site;
  Editor editor(site, 7);
  const std::string path = "content/s0/page0.md";
  site.Write(path, "---\ntitle: A\ndate: 2023-01-01\n---\n\nFirst.\n\nSecond.\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  site.Write(path, "---\ntitle: A\ndate: 2023-01-01\n---\n\nFirst.\n\nOthers.\n");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rendered_count, 1u) << site.log();
  EXPECT_EQ(result->body_count, 1u);
}

TEST(Incremental, ATitleRebuildsWhatShowsIt) {
  TestSite site;
  site.Write("content/a/one.md", "---\ntitle: One\nweight: 1\n---\nText\n");
  site.Write("content/a/two.md", "---\ntitle: Two\nweight: 2\n---\nText\n");
  site.Write("content/b/far.md", "---\ntitle: Far\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  site.Write("content/a/one.md", "---\ntitle: Uno\nweight: 1\n---\nText\n");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(absl::StrContains(site.Read("public/a/two/index.html"), "Uno"));
  EXPECT_TRUE(absl::StrContains(site.Read("public/a/index.html"), "Uno"));
  EXPECT_LT(result->rendered_count, result->page_count);
}

TEST(Incremental, DamagedAndMissingOutputsAreMadeAgain) {
  TestSite site;
  site.Write("content/a.md", "---\ntitle: A\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  const FileTree tree = site.Tree("public");
  site.Write("public/a/index.html", "spoiled");
  site.Remove("public/index.html");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_TRUE(site.Tree("public") == tree);
}

TEST(Incremental, StrangersStay) {
  TestSite site;
  site.Write("content/a.md", "---\ntitle: A\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  site.Write("public/CNAME", "example.org");
  site.Write("public/.git/config", "x");
  site.Write("public/a/mine.txt", "x");
  site.Remove("content/a.md");
  const auto result = site.Build();
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->removed_count, 0u);
  EXPECT_FALSE(site.Exists("public/a/index.html"));
  EXPECT_TRUE(site.Exists("public/CNAME"));
  EXPECT_TRUE(site.Exists("public/.git/config"));
  EXPECT_TRUE(site.Exists("public/a/mine.txt"));
}

TEST(Incremental, DamagedManifestCountsAsNone) {
  TestSite site;
  site.Write("content/a.md", "---\ntitle: A\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  const FileTree tree = site.Tree("public");
  std::string manifest = site.Read(".ssg/cache/manifest");
  for (const size_t at : {size_t{3}, manifest.size() / 2, manifest.size() - 1}) {
    std::string damaged = manifest;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    site.Write(".ssg/cache/manifest", damaged);
    ASSERT_TRUE(site.Build()->stored) << site.log();
    EXPECT_TRUE(site.Tree("public") == tree);
  }
}

TEST(Incremental, DatesPassWithoutEdits) {
  TestSite site;
  site.Write("content/later.md", "---\ntitle: Later\ndate: 2030-01-01\n---\nText\n");
  ASSERT_TRUE(site.Build()->stored) << site.log();
  EXPECT_FALSE(site.Exists("public/later/index.html"));
  BuildOptions options = site.Options();
  options.now = 1'900'000'000;
  ASSERT_TRUE(site.Build(options)->stored) << site.log();
  EXPECT_TRUE(site.Exists("public/later/index.html"));
}

// A build is killed at a random moment; the next one must equal a clean build.
TEST(Incremental, SurvivesKill) {
  const uint64_t seed = Seed();
  std::mt19937_64 random(seed);
  TestSite site;
  Editor editor(site, seed);
  for (int round = 0; round < 12; ++round) {
    for (int edits = 0; edits < 4; ++edits) editor.Edit();
    site.Remove("content/s0/linker.md");
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Diagnostics diagnostics;
      const auto result = BuildSite(site.Options(), diagnostics);
      _exit(result.ok() ? 0 : 1);
    }
    usleep(static_cast<useconds_t>(random() % 20000));
    kill(child, SIGKILL);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    // What was new in the killed build may be gone before the next one.
    if (round % 3 == 0) editor.Edit();
    site.Remove("content/s0/linker.md");
    const FileTree clean = site.CleanTree();
    if (site.error_count() > 0) continue;
    ASSERT_TRUE(site.Build()->stored) << site.log();
    const FileTree now = site.Tree("public");
    for (const auto& [path, text] : now) ASSERT_TRUE(clean.count(path)) << path << " is left, round " << round;
    for (const auto& [path, text] : clean) {
      ASSERT_TRUE(now.count(path)) << path << " is missing, round " << round;
      ASSERT_EQ(now.at(path), text) << path << " round " << round;
    }
  }
}

}  // namespace
}  // namespace ssg
