#include "fs/mount/open_directories.h"

#include "fs/volume/types.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(OpenDirectoriesTest, ListingsAreKeptWhileNothingElseChangesThem) {
  OpenDirectories directories;
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
  directories.Close(7);
  directories.Close(7);
  EXPECT_EQ(directories.size(), 0u);
  directories.Changed(7);  // nobody reads it: the announcement is enough
  EXPECT_EQ(directories.size(), 0u);
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
}

TEST(OpenDirectoriesTest, AChangeUnderAReaderOutlivesAllReadersOfThatTime) {
  OpenDirectories directories;
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
  EXPECT_EQ(directories.Open(8), Listing::kKeep);
  directories.Changed(7);
  EXPECT_EQ(directories.Open(7), Listing::kNone) << "the first reader may still fill the kernel's listing";
  EXPECT_EQ(directories.Open(8), Listing::kKeep) << "another directory";
  directories.Close(7);
  EXPECT_EQ(directories.Open(7), Listing::kNone) << "still open since the change";
  directories.Close(7);
  directories.Close(7);
  EXPECT_EQ(directories.Open(7), Listing::kRenew);
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
}

TEST(OpenDirectoriesTest, AChangeUnderTheRenewingReaderCountsAgain) {
  OpenDirectories directories;
  EXPECT_EQ(directories.Open(7), Listing::kKeep);
  directories.Changed(7);
  directories.Close(7);
  EXPECT_EQ(directories.Open(7), Listing::kRenew);
  directories.Changed(7);
  directories.Close(7);
  EXPECT_EQ(directories.Open(7), Listing::kRenew);
  directories.Close(7);
  EXPECT_EQ(directories.size(), 0u);
}

TEST(OpenDirectoriesDeathTest, CloseWithoutOpen) {
  OpenDirectories directories;
  EXPECT_DEATH(directories.Close(7), "not open");
}

}  // namespace
}  // namespace fs
