#include "fs/mount/mount_point.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::IsOk;
using ::base::StatusIs;
using ::testing::HasSubstr;

class MountPointTest : public ::testing::Test {
 protected:
  MountPointTest() {
    char name[] = "/tmp/mount_point_test_XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~MountPointTest() override { EXPECT_THAT(base::RemoveTree(directory_), IsOk()); }
  std::string directory_;
};

TEST(ParseMountInfoTest, ReadsTheKernelsLines) {
  const std::vector<MountEntry> mounts = ParseMountInfo(
      "22 1 254:0 / / rw,relatime shared:1 master:3 - ext4 /dev/root rw\n"
      "garbage\n"
      "36 35 0:98 / /mnt/a\\040b rw,nosuid,nodev - fuse.cachefs "
      "/var/lib/x\\054y.img rw,user_id=0\n"
      "37 35 x:y / /mnt - a b c\n");
  ASSERT_EQ(mounts.size(), 2);
  EXPECT_EQ(mounts[0].type, "ext4");
  EXPECT_EQ(mounts[0].major, 254);
  EXPECT_EQ(mounts[1].mount_point, "/mnt/a b");
  EXPECT_EQ(mounts[1].source, "/var/lib/x,y.img");
  EXPECT_EQ(mounts[1].minor, 98);
}

TEST_F(MountPointTest, TakesAnEmptyDirectory) {
  const absl::StatusOr<std::string> real = CheckMountPoint(directory_ + "/../" + directory_.substr(5), false);
  ASSERT_THAT(real, IsOk());
  EXPECT_EQ(*real, directory_);
}

TEST_F(MountPointTest, SaysWhatIsWrong) {
  EXPECT_THAT(CheckMountPoint(directory_ + "/none", false),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("does not exist: mkdir it first")));
  std::ofstream(directory_ + "/file") << "x";
  EXPECT_THAT(CheckMountPoint(directory_ + "/file", false),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is not a directory")));
  EXPECT_THAT(CheckMountPoint(directory_, false),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("-o nonempty")));
  EXPECT_THAT(CheckMountPoint(directory_, true), IsOk());
  EXPECT_THAT(CheckMountPoint("/proc", true), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is busy")));
}

TEST_F(MountPointTest, RefusesWhatLiesBelowTheMount) {
  ASSERT_EQ(mkdir((directory_ + "/mnt").c_str(), 0700), 0);
  ASSERT_EQ(symlink("mnt", (directory_ + "/link").c_str()), 0);
  const std::string mount_point = directory_ + "/mnt";
  EXPECT_THAT(CheckOutside(mount_point, directory_ + "/mnt/store.img", "the store"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("wait for itself")));
  EXPECT_THAT(CheckOutside(mount_point, directory_ + "/link/a/b", "the log directory"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(CheckOutside(mount_point, mount_point, "the store"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(CheckOutside(mount_point, directory_ + "/mnt2/store.img", "the store"), IsOk());
}

}  // namespace
}  // namespace fs
