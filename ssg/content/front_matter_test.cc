#include "ssg/content/front_matter.h"

#include <string>

#include "gtest/gtest.h"

namespace ssg {
namespace {

std::string Title(absl::string_view source) {
  tmpl::Arena arena;
  const auto parsed = ParseFrontMatter(source, arena);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const tmpl::Value* title = parsed->values.dict().Find(absl::string_view("title"));
  return title == nullptr ? "" : std::string(title->text());
}

TEST(FrontMatter, ThreeKinds) {
  EXPECT_EQ(Title("---\ntitle: a\n---\nbody"), "a");
  EXPECT_EQ(Title("---\r\ntitle: a\r\n---\r\nbody"), "a");
  EXPECT_EQ(Title("+++\ntitle = \"b\"\n+++\nbody"), "b");
  EXPECT_EQ(Title("{\n \"title\": \"c}\"\n}\nbody"), "c}");
  EXPECT_EQ(Title("\xEF\xBB\xBF---\ntitle: d\n---\n"), "d");
  EXPECT_EQ(Title("no front matter"), "");
  EXPECT_EQ(Title("---- not a fence\n---\n"), "");
  EXPECT_EQ(Title(""), "");
}

TEST(FrontMatter, BodyAndItsLine) {
  tmpl::Arena arena;
  const absl::string_view source = "---\ntitle: a\nx: |\n  b\n---\nbody\n";
  const auto parsed = ParseFrontMatter(source, arena);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(source.substr(parsed->body_offset), "body\n");
  EXPECT_EQ(parsed->body_line, 6u);
  EXPECT_EQ(FrontMatterLine(source, "x"), 3u);
  EXPECT_EQ(FrontMatterLine(source, "nothing"), 0u);
}

TEST(FrontMatter, ErrorsNameTheirLine) {
  EXPECT_EQ(Title("---\ntitle: a\n"), "1:1: front matter has no closing \"---\"");
  EXPECT_EQ(Title("---\n- a\n---\n"), "2:1: front matter must be a table of keys and values");
  EXPECT_EQ(Title("---\na: 1\na: 2\n---\n").substr(0, 2), "3:");
  EXPECT_EQ(Title("+++\na = 1\nb = = 2\n+++\n").substr(0, 2), "3:");
  EXPECT_EQ(Title("{ \"a\": 1").substr(0, 4), "1:1:");
  EXPECT_EQ(Title("---\na: *b\n---\n"), "2:4: unknown alias");
}

}  // namespace
}  // namespace ssg
