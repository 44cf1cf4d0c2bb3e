#include "tools/tidy.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Rules(absl::string_view path, absl::string_view text) {
  std::vector<std::string> rules;
  for (const Finding& finding : TidyFile(path, text)) rules.push_back(finding.rule);
  return rules;
}

constexpr char kGoodHeader[] = "// Threads: no state.\n#ifndef FS_A_H_\n#define FS_A_H_\n#endif\n";

TEST(TidyTest, CleanFilesPass) {
  EXPECT_THAT(Rules("fs/a.h", kGoodHeader), IsEmpty());
  EXPECT_THAT(Rules("fs/a.cc", "#include \"fs/a.h\"\nint F() {\n  return 1;\n}\n"), IsEmpty());
}

TEST(TidyTest, BannedWordsAreFound) {
  EXPECT_THAT(Rules("fs/a.cc", "std::" "string_view a;\n"), ElementsAre("string-view"));
  EXPECT_THAT(Rules("fs/a.cc", "absl::" "Mutex a;\n"), ElementsAre("mutex"));
  EXPECT_THAT(Rules("base/mutex.h", absl::StrCat("// Threads: x\n#ifndef BASE_MUTEX_H_\n", "absl::" "Mutex a;\n")),
              IsEmpty());
  EXPECT_THAT(Rules("fs/a.cc", "x << std::" "endl;\n"), ElementsAre("endl"));
  EXPECT_THAT(Rules("fs/a.cc", "#include <" "fuse3/fuse_lowlevel.h>\n"), ElementsAre("fuse"));
  EXPECT_THAT(Rules("fs/mount/a.cc", "#include <" "fuse3/fuse_lowlevel.h>\n"), IsEmpty());
  EXPECT_THAT(Rules("fs/a_test.cc", "TEST(A, DISABLED" "_B) {}\n"), ElementsAre("disabled-test"));
}

TEST(TidyTest, ThrowIsFoundInCodeOnly) {
  EXPECT_THAT(Rules("fs/a.cc", "  throw 1;\n"), ElementsAre("throw"));
  EXPECT_THAT(Rules("fs/a.cc", "  // never throw\n  Log(\"throw\"); throwaway();\n"), IsEmpty());
}

TEST(TidyTest, OwnerlessTodoIsFound) {
  EXPECT_THAT(Rules("fs/a.cc", "// TO" "DO: later\n"), ElementsAre("todo"));
}

TEST(TidyTest, HeadersNeedThreadsAndGuard) {
  EXPECT_THAT(Rules("fs/a.h", "#ifndef FS_A_H_\n"), ElementsAre("threads"));
  EXPECT_THAT(Rules("fs/b.h", kGoodHeader), ElementsAre("guard"));
}

TEST(TidyTest, LongFunctionsAndFilesAreFound) {
  std::string function = "int F() {\n";
  for (size_t i = 0; i < kFunctionLinesMax; ++i) function += "  f();\n";
  EXPECT_THAT(Rules("fs/a.cc", function + "}\n"), IsEmpty());
  EXPECT_THAT(Rules("fs/a.cc", function + "  f();\n}\n"), ElementsAre("long-function"));
  std::string file;
  for (size_t i = 0; i < kSourceLinesMax; ++i) file += "int a;\n";
  EXPECT_THAT(Rules("fs/a.cc", file), IsEmpty());
  EXPECT_THAT(Rules("fs/a.cc", file + "int b;\n"), ElementsAre("long-file"));
  EXPECT_THAT(Rules("fs/a.cc", "// tidy: long-file: one table.\n" + file), IsEmpty());
}

TEST(TidyTest, BuildNamesWholeNames) {
  EXPECT_TRUE(BuildNames("srcs = [\"a.cc\"]", "a.cc"));
  EXPECT_FALSE(BuildNames("srcs = [\"ba.cc\"]", "a.cc"));
  EXPECT_FALSE(BuildNames("name = \"a\",", "a.cc"));
  EXPECT_TRUE(BuildNames("srcs = [name + \".cc\"] for name in [\"a\", \"b\",]", "a.cc"));
}

// The tree itself. The data dependency is a link into the workspace, which
// `tags = ["local"]` keeps readable.
TEST(TidyTest, TheTreeIsTidy) {
  const std::filesystem::path workspace = std::filesystem::canonical("WORKSPACE");
  ASSERT_OK_AND_ASSIGN(const std::vector<Finding> findings, TidyTree(workspace.parent_path().string()));
  for (const Finding& finding : findings) ADD_FAILURE() << FormatFinding(finding);
}

}  // namespace
}  // namespace tools
