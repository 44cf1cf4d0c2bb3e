#include "tools/tree_commands.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/tree_archive.h"
#include "tools/tree_store.h"

namespace tools {
namespace {

using ::testing::HasSubstr;

base::Command Tool() { return {.name = "cachectl", .summary = "x", .subcommands = TreeCommands()}; }

int RunTool(const std::vector<std::string>& words) {
  static const base::Command tool = Tool();
  const absl::StatusOr<base::Arguments> arguments = base::ParseArguments(tool, words);
  EXPECT_OK(arguments);
  return arguments->command().run(*arguments);
}

class TreeCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    large_ = std::string(3 << 20, 'l');
    ASSERT_OK(base::MakeDirectories(At("src/sub/empty")));
    ASSERT_OK(base::ReplaceFile(At("src/a"), "alpha", {.mode = 0755}));
    ASSERT_OK(base::ReplaceFile(At("src/sub/large"), large_, {}));
    ASSERT_EQ(symlink("../a", At("src/sub/link").c_str()), 0);
  }
  std::string At(absl::string_view path) const { return base::JoinPath(dir_.path(), path); }
  void ExpectTree(const std::string& root) {
    EXPECT_THAT(base::ReadFile(root + "/a", 100), base::IsOkAndHolds(std::string("alpha")));
    EXPECT_THAT(base::ReadFile(root + "/sub/large", 4 << 20), base::IsOkAndHolds(large_));
    char target[100] = {};
    EXPECT_EQ(readlink((root + "/sub/link").c_str(), target, sizeof target), 4);
    struct stat info;
    EXPECT_EQ(stat((root + "/sub/empty").c_str(), &info), 0);
    ASSERT_EQ(stat((root + "/a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0755u);
    struct stat source;
    ASSERT_EQ(stat(At("src/a").c_str(), &source), 0);
    EXPECT_EQ(info.st_mtim.tv_nsec, source.st_mtim.tv_nsec);
  }

  const base::TempDir dir_;
  std::string large_;
};

TEST_F(TreeCommandsTest, CopiesATree) {
  EXPECT_EQ(RunTool({"cp", "-q", At("src"), At("copy")}), 0);
  ExpectTree(At("copy"));
}

TEST_F(TreeCommandsTest, PutsUnderTheSourcesName) {
  EXPECT_EQ(RunTool({"put", "-q", At("src"), At("src/a"), At("put")}), 0);
  ExpectTree(At("put/src"));
  EXPECT_THAT(base::ReadFile(At("put/a"), 100), base::IsOkAndHolds(std::string("alpha")));
}

TEST_F(TreeCommandsTest, TarStreamsRoundTrip) {
  EXPECT_EQ(RunTool({"get", "-o", At("all.tar"), At("src")}), 0);
  ASSERT_OK(base::MakeDirectories(At("back")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeStore> store, TreeStore::Open(At("back"), nullptr));
  ASSERT_OK_AND_ASSIGN(const base::Fd tar, base::OpenFile(At("all.tar"), O_RDONLY));
  ASSERT_OK(ImportArchive(tar.get(), store.get()));
  ASSERT_OK(store->Finish(true));
  ExpectTree(At("back"));
  EXPECT_EQ(store->failed(), 0u);
}

TEST_F(TreeCommandsTest, HostileArchivesStayBelowTheDirectory) {
  // A link out of the tree, then a file through it; and a name with "..".
  ASSERT_OK(base::MakeDirectories(At("evil/d")));
  ASSERT_EQ(symlink(At("outside").c_str(), At("evil/out").c_str()), 0);
  ASSERT_OK(base::MakeDirectories(At("outside")));
  ASSERT_OK(base::MakeDirectories(At("target")));
  ASSERT_EQ(symlink(At("outside").c_str(), At("target/out").c_str()), 0);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeStore> store, TreeStore::Open(At("target"), nullptr));
  store->Add({"out/file"}, "x");
  store->AddDirectory({"out/dir"});
  store->AddSymlink({"../escaped"}, "x");
  store->Add({"good"}, "y");
  EXPECT_FALSE(store->Finish(false).ok());
  EXPECT_EQ(store->failed(), 3u);
  EXPECT_EQ(rmdir(At("outside").c_str()), 0) << "something was put outside";
  EXPECT_THAT(base::ReadFile(At("target/good"), 10), base::IsOkAndHolds(std::string("y")));
}

TEST_F(TreeCommandsTest, DamagedArchiveIsAnError) {
  EXPECT_EQ(RunTool({"get", "-o", At("all.tar"), At("src")}), 0);
  ASSERT_EQ(truncate(At("all.tar").c_str(), 1 << 20), 0);
  ASSERT_OK(base::MakeDirectories(At("back")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeStore> store, TreeStore::Open(At("back"), nullptr));
  ASSERT_OK_AND_ASSIGN(const base::Fd tar, base::OpenFile(At("all.tar"), O_RDONLY));
  EXPECT_THAT(ImportArchive(tar.get(), store.get()), base::StatusIs(absl::StatusCode::kDataLoss));
  struct stat info;
  EXPECT_NE(stat(At("back/sub/large").c_str(), &info), 0) << "half a file appeared";
}

TEST_F(TreeCommandsTest, RemovesFilesAndTrees) {
  EXPECT_EQ(RunTool({"rm", At("src/a")}), 0);
  EXPECT_EQ(RunTool({"rm", At("src/a")}), 1);
  EXPECT_EQ(RunTool({"rm", "-f", At("src/a")}), 0);
  EXPECT_EQ(RunTool({"rm", At("src/sub")}), 1);
  EXPECT_EQ(RunTool({"rm", "-r", At("src")}), 0);
  EXPECT_TRUE(dir_.List().empty());
}

TEST_F(TreeCommandsTest, StatPrintsAndDigestSaysWhatItNeeds) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunTool({"stat", At("src/a"), At("src/sub")}), 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("src/a"));
  EXPECT_EQ(RunTool({"stat", At("none")}), 1);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunTool({"digest", At("src/a")}), 1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("hashcache sum"));
}

}  // namespace
}  // namespace tools
