#include "base/os/file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(FileTest, ReplaceFileIsAllOrNothing) {
  const TempDir dir;
  const std::string path = JoinPath(dir.path(), "a");
  ASSERT_OK(ReplaceFile(path, "one", {.mode = 0600, .durable = true}));
  {
    ASSERT_OK_AND_ASSIGN(AtomicFile abandoned, AtomicFile::Create(path, {}));
    ASSERT_OK(abandoned.Append("two"));
  }
  EXPECT_THAT(ReadFile(path, 100), IsOkAndHolds(std::string("one")));
  ASSERT_OK_AND_ASSIGN(AtomicFile committed, AtomicFile::Create(path, {}));
  ASSERT_OK(committed.Append("thr"));
  ASSERT_OK(committed.Append("ee"));
  ASSERT_OK(committed.Commit());
  EXPECT_THAT(ReadFile(path, 100), IsOkAndHolds(std::string("three")));
  EXPECT_EQ(dir.List(), std::vector<std::string>{"a"});
}

TEST(FileTest, ReplaceFileWritesThroughALink) {
  const TempDir dir;
  ASSERT_OK(ReplaceFile(JoinPath(dir.path(), "target"), "old", {}));
  ASSERT_EQ(symlink("target", JoinPath(dir.path(), "link").c_str()), 0);
  ASSERT_OK(ReplaceFile(JoinPath(dir.path(), "link"), "new", {}));
  EXPECT_THAT(ReadFile(JoinPath(dir.path(), "target"), 10), IsOkAndHolds(std::string("new")));
}

TEST(FileTest, ReadFileBoundsAndNamesErrors) {
  const TempDir dir;
  const std::string path = JoinPath(dir.path(), "a");
  ASSERT_OK(ReplaceFile(path, "12345", {}));
  EXPECT_THAT(ReadFile(path, 4), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(ReadFile(path, 5), IsOkAndHolds(std::string("12345")));
  EXPECT_EQ(ErrnoOf(ReadFile(JoinPath(dir.path(), "none"), 5).status()), ENOENT);
  EXPECT_EQ(ErrnoOf(ReadFile(dir.path(), 5).status()), EISDIR);
  ASSERT_OK_AND_ASSIGN(const std::string proc, ReadFile("/proc/self/stat", 1 << 20));
  EXPECT_FALSE(proc.empty());
}

TEST(FileTest, MakesAndRemovesTreesWithoutFollowingLinks) {
  const TempDir dir;
  const std::string outside = JoinPath(dir.path(), "outside");
  ASSERT_OK(ReplaceFile(outside, "x", {}));
  const std::string tree = JoinPath(dir.path(), "a");
  ASSERT_OK(MakeDirectories(JoinPath(tree, "b/c")));
  ASSERT_OK(MakeDirectories(JoinPath(tree, "b/c")));
  ASSERT_EQ(symlink(outside.c_str(), JoinPath(tree, "b/link").c_str()), 0);
  EXPECT_EQ(ErrnoOf(MakeDirectories(JoinPath(outside, "d"))), ENOTDIR);
  ASSERT_OK(RemoveTree(tree));
  ASSERT_OK(RemoveTree(tree));
  EXPECT_EQ(dir.List(), std::vector<std::string>{"outside"});
}

TEST(FileTest, PathPieces) {
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("a", "/b"), "/b");
  EXPECT_EQ(BaseName("a/b"), "b");
  EXPECT_EQ(DirectoryName("/b"), "/");
  EXPECT_EQ(DirectoryName("b"), ".");
  setenv("XDG_TEST_HOME", "relative", 1);
  setenv("HOME", "/home/u", 1);
  EXPECT_EQ(UserDirectory("XDG_TEST_HOME", ".cache"), "/home/u/.cache");
}

TEST(FileTest, MapsFiles) {
  const TempDir dir;
  const std::string path = JoinPath(dir.path(), "a");
  ASSERT_OK(ReplaceFile(path, "mapped", {}));
  ASSERT_OK_AND_ASSIGN(const MappedFile file, MappedFile::Open(path));
  EXPECT_EQ(file.view(), "mapped");
  ASSERT_OK(ReplaceFile(path, "", {}));
  ASSERT_OK_AND_ASSIGN(const MappedFile empty, MappedFile::Open(path));
  EXPECT_TRUE(empty.view().empty());
}

}  // namespace
}  // namespace base
