#include "ssg/highlight/highlight.h"

#include <chrono>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ssg::highlight {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string Joined(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) absl::StrAppend(&text, token.text);
  return text;
}

std::string Shown(absl::string_view language, absl::string_view code) {
  std::string text;
  for (const Token& token : Tokenize(language, code)) {
    if (!token.css_class.empty()) absl::StrAppend(&text, token.css_class, "=", token.text, " ");
  }
  return text;
}

TEST(HighlightTest, NamesAndAliases) {
  EXPECT_GE(Languages().size(), 25u);
  for (const char* name : {"Python", "py", "C++", "js", "YAML", "sh", "html", "rs"}) EXPECT_TRUE(IsKnown(name)) << name;
  EXPECT_FALSE(IsKnown("klingon"));
}

TEST(HighlightTest, PygmentsClasses) {
  EXPECT_EQ(Shown("c", "int main(void) { return 0x1f; } // x"),
            "kt=int nf=main p=( kt=void p=) p={ k=return mh=0x1f p=; p=} c1=// x ");
  EXPECT_EQ(Shown("python", "def f(x):\n  return \"a\\n\""), "k=def nf=f p=( n=x p=): k=return s2=\"a se=\\n s2=\" ");
  EXPECT_EQ(Shown("json", "{\"a\": [1, 2.5, true]}"), "p={ nt=\"a\" p=: p=[ mi=1 p=, mf=2.5 p=, kc=true p=]} ");
  EXPECT_EQ(Shown("diff", "@@ -1 +1 @@\n-a\n+b\n c"), "gu=@@ -1 +1 @@ gd=-a gi=+b ");
  EXPECT_EQ(Shown("bash", "for f in \"$HOME\"; do echo $f; done"),
            "k=for k=in s2=\" nv=$HOME s2=\" p=; k=do nb=echo nv=$f p=; k=done ");
}

TEST(HighlightTest, HtmlWithLines) {
  Options options;
  options.line_numbers = true;
  options.first_line = 9;
  options.marked_lines = ParseLineRanges("10");
  EXPECT_EQ(Highlight("text", "<a>\nb\n", options),
            "<div class=\"highlight\"><pre><code class=\"language-text\" data-lang=\"text\">"
            "<span class=\"line\"><span class=\"ln\">9</span>&lt;a&gt;\n</span>"
            "<span class=\"line hll\"><span class=\"ln\">10</span>b\n</span></code></pre></div>");
  EXPECT_THAT(Highlight("\"><script>", "x", {}), HasSubstr("language-&#34;&gt;&lt;script&gt;"));
}

TEST(HighlightTest, LineRanges) { EXPECT_THAT(ParseLineRanges("1,3-5 x"), ElementsAre(Pair(1, 1), Pair(3, 5))); }

TEST(HighlightTest, StylesHaveRules) {
  EXPECT_GE(Styles().size(), 6u);
  for (absl::string_view style : Styles()) EXPECT_THAT(StyleCss(style), HasSubstr(".highlight .k,"));
  EXPECT_THAT(StyleCss("nord", "[data-theme=dark]"), HasSubstr("[data-theme=dark] .highlight .k,"));
  EXPECT_EQ(StyleCss("none"), "");
}

// Whatever comes in comes out, in every language.
TEST(HighlightTest, KeepsEveryByte) {
  std::mt19937 random(1);
  constexpr absl::string_view kPieces[] = {"\"",  "'",  "/*",   "*/",    "//",  "#",  "{",  "}",  "(", ")",
                                           "\\",  "\n", " ",    "x",     "$(",  "${", "`",  "<",  ">", "<!--",
                                           "```", "[",  "]",    "|",     "-",   "12", ".",  ":",  "=", "@",
                                           "\t",  "é",  "\xff", "<<EOF", "EOF", "%{", "r#", "end"};
  for (absl::string_view language : Languages()) {
    for (int i = 0; i < 150; ++i) {
      std::string code;
      for (int k = 0; k < 60; ++k) absl::StrAppend(&code, kPieces[random() % std::size(kPieces)]);
      ASSERT_EQ(Joined(Tokenize(language, code)), code) << language;
    }
  }
}

// Twice the text takes about twice the time: the worst inputs of each kind stay far from quadratic.
TEST(HighlightTest, LinearTime) {
  for (absl::string_view language : Languages()) {
    for (absl::string_view piece : {"\"", "/*", "<", "`", "${", "((((", "x(", "[", "#", "```\n", "a: ", "/x", "\\",
                                    "<!--", "&", "$(", "*a", "'"}) {
      std::string code;
      while (code.size() < 40'000) absl::StrAppend(&code, piece);
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(Joined(Tokenize(language, code)).size(), code.size());
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(taken.count(), 2.0) << language << " " << piece;
    }
  }
}

}  // namespace
}  // namespace ssg::highlight
