// Stores that cannot be mounted as they are: each is named clearly, and nothing is lost.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/mount/testing/test_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::HasSubstr;

class StoreMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
  }
  // Runs cachefs with `words` and the store; its exit code, all it said in `said_`.
  int Mount(std::vector<std::string> words = {}) {
    words.insert(words.begin(), ProgramFromEnvironment("CACHEFS"));
    words.insert(words.end(), {mount_.store(), mount_.mount_point()});
    return RunProgram(words, &said_);
  }
  void Unmount() { EXPECT_EQ(umount2(mount_.mount_point().c_str(), 0), 0); }
  // A volume with a file, cleanly unmounted.
  void MakeStore() {
    ASSERT_OK(mount_.Start());
    ASSERT_TRUE(WriteAll(mount_.Path("f"), "kept"));
    ASSERT_OK(mount_.Stop());
  }

  TestMount mount_;
  std::string said_;
};

TEST_F(StoreMountTest, AMissingOneIsNotMadeUnasked) {
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("cachectl mkfs --size"));
  EXPECT_NE(access(mount_.store().c_str(), F_OK), 0);
}

TEST_F(StoreMountTest, AForeignOneIsNamedAndKeptUnlessForced) {
  ASSERT_TRUE(WriteAll(mount_.store(), ""));
  ASSERT_EQ(truncate(mount_.store().c_str(), 64 << 20), 0);
  // The magic number of ext2, ext3 and ext4.
  {
    const base::Fd file(open(mount_.store().c_str(), O_WRONLY));
    ASSERT_EQ(pwrite(file.get(), "\x53\xef", 2, 1024 + 56), 2);
  }
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("ext4"));
  const std::string before = ReadAll(mount_.store());
  EXPECT_EQ(before.substr(1024 + 56, 2), "\x53\xef");
  EXPECT_EQ(Mount({"--force"}), 0) << said_;
  Unmount();
}

TEST_F(StoreMountTest, ATruncatedOneIsRefusedAndAGrownOneNoted) {
  MakeStore();
  ASSERT_EQ(truncate(mount_.store().c_str(), 600 << 20), 0);
  EXPECT_EQ(Mount(), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("has grown"));
  EXPECT_EQ(ReadAll(mount_.Path("f")), "kept");
  Unmount();
  ASSERT_EQ(truncate(mount_.store().c_str(), 100 << 20), 0);
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("has shrunk"));
}

TEST_F(StoreMountTest, ADamagedSuperblockCopyIsMadeGoodAndSaidSo) {
  MakeStore();
  {
    const base::Fd file(open(mount_.store().c_str(), O_WRONLY));
    const std::string garbage(4096, 'g');
    ASSERT_EQ(pwrite(file.get(), garbage.data(), garbage.size(), 0), 4096);
  }
  EXPECT_EQ(Mount(), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("superblock copy 0"));
  EXPECT_EQ(ReadAll(mount_.Path("f")), "kept");
  Unmount();
}

TEST_F(StoreMountTest, ASecondMountIsRefused) {
  MakeStore();
  ASSERT_OK(mount_.Start());
  const std::string other = mount_.directory() + "/other";
  ASSERT_EQ(mkdir(other.c_str(), 0755), 0);
  EXPECT_EQ(RunProgram({ProgramFromEnvironment("CACHEFS"), mount_.store(), other}, &said_), 1);
  EXPECT_THAT(said_, HasSubstr(absl::StrCat("is mounted on ", mount_.mount_point(), " already")));
  EXPECT_OK(mount_.Stop());
}

TEST_F(StoreMountTest, WhatIsNoDiskIsNamed) {
  EXPECT_EQ(RunProgram({ProgramFromEnvironment("CACHEFS"), "/dev/null", mount_.mount_point()}, &said_), 1);
  EXPECT_THAT(said_, HasSubstr("neither a block device nor a regular file"));
}

TEST_F(StoreMountTest, AnErrorIsSaidOnce) {
  EXPECT_EQ(Mount(), 1);
  EXPECT_EQ(said_.find("there is no"), said_.rfind("there is no"));
}

}  // namespace
}  // namespace fs::testing
