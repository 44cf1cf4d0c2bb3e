#include "hashcache/walk/ignore.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bench/bench.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"
#include "hashcache/walk/wildcard.h"

namespace hashcache {
namespace {

bool Ignores(absl::string_view lines, absl::string_view path, bool directory = false) {
  IgnoreScope scope("", nullptr);
  scope.AddLines(lines);
  return scope.Ignores(path, directory);
}

TEST(WildcardTest, Matches) {
  EXPECT_TRUE(Wildcard("abc").Matches("abc"));
  EXPECT_FALSE(Wildcard("abc").Matches("abcd"));
  EXPECT_TRUE(Wildcard("a*c").Matches("abbc"));
  EXPECT_FALSE(Wildcard("a*c").Matches("ab/c"));
  EXPECT_TRUE(Wildcard("a?c").Matches("abc"));
  EXPECT_FALSE(Wildcard("a?c").Matches("a/c"));
  EXPECT_TRUE(Wildcard("[a-c]x").Matches("bx"));
  EXPECT_FALSE(Wildcard("[!a-c]x").Matches("bx"));
  EXPECT_FALSE(Wildcard("[!a]b").Matches("/b"));
  EXPECT_TRUE(Wildcard("[]]").Matches("]"));
  EXPECT_TRUE(Wildcard("[[:digit:]]*").Matches("7up"));
  EXPECT_FALSE(Wildcard("[ab").Matches("[ab"));
  EXPECT_TRUE(Wildcard("\\*").Matches("*"));
  EXPECT_FALSE(Wildcard("\\*").Matches("a"));
  EXPECT_FALSE(Wildcard("a\\").Matches("a"));
  EXPECT_TRUE(Wildcard("**/b").Matches("b"));
  EXPECT_TRUE(Wildcard("**/b").Matches("a/c/b"));
  EXPECT_FALSE(Wildcard("**/b").Matches("ab"));
  EXPECT_TRUE(Wildcard("a/**").Matches("a/b/c"));
  EXPECT_FALSE(Wildcard("a/**").Matches("a"));
  EXPECT_TRUE(Wildcard("a/**/b").Matches("a/b"));
  EXPECT_TRUE(Wildcard("a/**/b").Matches("a/x/y/b"));
}

TEST(WildcardTest, TimeStaysLinear) {
  std::string pattern, text;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  text = std::string(2000, 'a') + "b";
  EXPECT_FALSE(Wildcard(pattern).Matches(text));
}

TEST(IgnoreTest, TheRulesOfGitignore) {
  EXPECT_TRUE(Ignores("*.o", "a/b.o"));
  EXPECT_FALSE(Ignores("/*.o", "a/b.o"));
  EXPECT_TRUE(Ignores("build/", "x/build", true));
  EXPECT_FALSE(Ignores("build/", "x/build", false));
  EXPECT_FALSE(Ignores("*.o\n!keep.o", "a/keep.o"));
  EXPECT_FALSE(Ignores("#a\n\\#b", "#a"));
  EXPECT_TRUE(Ignores("\\#b", "#b"));
  EXPECT_TRUE(Ignores("\\!c", "!c"));
  EXPECT_TRUE(Ignores("a  ", "a"));
  EXPECT_TRUE(Ignores("a\\ ", "a "));
  EXPECT_TRUE(Ignores("doc/*.txt", "doc/a.txt"));
  EXPECT_FALSE(Ignores("doc/*.txt", "x/doc/a.txt"));
  EXPECT_TRUE(Ignores("a\r\nb", "a"));
  EXPECT_TRUE(
      Ignores("\xef\xbb\xbf"
              "a",
              "a"));
}

TEST(IgnoreTest, InnerScopesWin) {
  auto outer = std::make_shared<IgnoreScope>("", nullptr);
  outer->AddLines("*.log\nsecret");
  IgnoreScope inner("sub/", outer);
  inner.AddLines("!*.log\n/local");
  EXPECT_FALSE(inner.Ignores("sub/a.log", false));
  EXPECT_TRUE(inner.Ignores("sub/secret", false));
  EXPECT_TRUE(inner.Ignores("sub/local", false));
  EXPECT_FALSE(inner.Ignores("sub/x/local", false));
}

// Random patterns against random paths: what git says, we say.
TEST(IgnoreTest, AgreesWithGit) {
  if (!base::HaveProgram("git")) GTEST_SKIP() << "git is not installed";
  base::TempDir directory;
  const std::string git = absl::StrCat("cd ", directory.path(), " && git ");
  ASSERT_EQ(std::system((git + "init -q . 2>/dev/null").c_str()), 0);
  std::mt19937_64 random(11);
  const auto pick = [&random](const std::vector<std::string>& words) { return words[random() % words.size()]; };
  std::set<std::string> paths;
  for (int i = 0; i < 150; ++i) {
    std::string path = pick({"a", "b", "ab", "x.o", "abc", "b]c", "foo"});
    for (uint64_t depth = random() % 3; depth > 0; --depth) path += "/" + pick({"a", "b", "ba", "y.o", "cab", "foo"});
    paths.insert(path);
  }
  std::string input;
  for (const std::string& path : paths) input += path + "\n";
  ASSERT_OK(base::ReplaceFile(directory.path() + "/paths", input, {}));
  for (int round = 0; round < 40; ++round) {
    std::string pattern;
    for (uint64_t parts = random() % 4 + 1; parts > 0; --parts) {
      pattern += pick({"a", "b", "*", "?", "/", "**/", "/**", "[ab]", "[!a]", "*.o", "foo", "**", "\\b"});
    }
    if (random() % 5 == 0) pattern += "/";
    const std::string lines = (random() % 3 == 0 ? "*\n!" : "") + pattern + "\n";
    ASSERT_OK(base::ReplaceFile(directory.path() + "/.git/info/exclude", lines, {}));
    // Paths do not exist, so git takes them for files; only the path's own rule counts.
    const std::string command =
        git + "check-ignore --no-index --verbose --non-matching --stdin < paths > out 2>/dev/null";
    const int status = std::system(command.c_str());
    ASSERT_TRUE(WIFEXITED(status));
    const std::string output = *base::ReadFile(directory.path() + "/out", 1 << 20);
    for (const absl::string_view line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
      const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
      const bool matched = fields[0] != "::";
      const bool ignored = matched && fields[0].find(":!") == absl::string_view::npos;
      const absl::string_view path = fields[1];
      // git looks at the directories above as well.
      bool ours = false;
      for (size_t slash = path.find('/'); slash != absl::string_view::npos && !ours;
           slash = path.find('/', slash + 1)) {
        ours = Ignores(lines, path.substr(0, slash), true);
      }
      ours = ours || Ignores(lines, path, false);
      EXPECT_EQ(ours, ignored) << "pattern " << lines << " path " << path << " git says " << line;
    }
  }
}

}  // namespace
}  // namespace hashcache
