#include "fs/mount/mount_options.h"

#include "base/testing/status_matchers.h"
#include "base/units.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::IsOk;
using ::base::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uid_t kRoot = 0;
constexpr uid_t kUser = 1000;

TEST(MountOptionsTest, TakesOurWordsAndPassesOnTheKernels) {
  MountOptions options;
  ASSERT_THAT(options.Parse("ro,noexec,allow_other,size=64G"), IsOk());
  ASSERT_THAT(options.Parse("dev,force,log-dir=/var/log/x"), IsOk());
  EXPECT_TRUE(options.read_only);
  EXPECT_TRUE(options.force);
  EXPECT_EQ(options.size_bytes, 64 * base::kGiB);
  EXPECT_EQ(options.log_dir, "/var/log/x");
  EXPECT_THAT(options.kernel, ElementsAre("noexec", "dev"));
  EXPECT_THAT(options.ForFuse("/a,b", kRoot), ElementsAre("noexec", "dev", "ro", "allow_other", "default_permissions",
                                                          "fsname=/a\\,b", "subtype=cachefs"));
}

TEST(MountOptionsTest, DropsTheBookkeepingOfFstab) {
  MountOptions options;
  ASSERT_THAT(options.Parse("defaults,noauto,user,nofail,_netdev,x-systemd."
                            "automount,comment=mine,rw"),
              IsOk());
  EXPECT_THAT(options.kernel, ElementsAre());
  EXPECT_FALSE(options.read_only);
}

TEST(MountOptionsTest, NamesAnUnknownWordWithANearMiss) {
  MountOptions options;
  EXPECT_THAT(options.Parse("ro,allow_othr"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"allow_othr\"; did you mean \"allow_other\"?")));
  EXPECT_THAT(options.Parse("ro=1"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("takes no value")));
  EXPECT_THAT(options.Parse("size"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs a value")));
  EXPECT_THAT(options.Parse("size=lots"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(MountOptionsTest, RootSharesByDefaultAndUsersDoNot) {
  MountOptions options;
  EXPECT_TRUE(options.shared(kRoot));
  EXPECT_FALSE(options.shared(kUser));
  EXPECT_THAT(options.ForFuse("/s", kUser), Not(Contains("allow_other")));
  // A user's own files of mode 0444 must refuse the user, too.
  EXPECT_TRUE(options.default_permissions(kUser));
  ASSERT_THAT(options.Parse("private"), IsOk());
  EXPECT_FALSE(options.shared(kRoot));
  EXPECT_FALSE(options.default_permissions(kRoot));
}

}  // namespace
}  // namespace fs
