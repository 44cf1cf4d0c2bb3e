// A mount on a block device, with -o blkdev: what the kernel tells the daemon of such a one.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/disk/testing/loop_device.h"
#include "fs/mount/mount_point.h"
#include "fs/mount/testing/test_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::HasSubstr;

class BlockMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
    const std::string image = mount_.directory() + "/image";
    ASSERT_TRUE(WriteAll(image, ""));
    ASSERT_EQ(truncate(image.c_str(), 512 << 20), 0);
    absl::StatusOr<LoopDevice> loop = LoopDevice::Attach(image);
    if (!loop.ok()) GTEST_SKIP() << "no loop device: " << loop.status();
    loop_ = std::make_unique<LoopDevice>(*std::move(loop));
    mount_.set_store(loop_->path());
  }
  uint64_t CountOf(const std::string& request) {
    const absl::StatusOr<std::map<std::string, uint64_t>> counts = mount_.RequestCounts();
    EXPECT_OK(counts.status());
    const auto found = counts.ok() ? counts->find(request) : std::map<std::string, uint64_t>::const_iterator();
    return counts.ok() && found != counts->end() ? found->second : 0;
  }

  TestMount mount_;
  std::unique_ptr<LoopDevice> loop_;
};

TEST_F(BlockMountTest, SyncReachesTheDaemon) {
  ASSERT_OK(mount_.Start({"-o", "blkdev", "--force"}));
  ASSERT_OK_AND_ASSIGN(const MountEntry entry, FindMount(mount_.mount_point()));
  EXPECT_EQ(entry.type, "fuseblk.cachefs");
  EXPECT_TRUE(IsCachefsType(entry.type));
  EXPECT_EQ(entry.source, loop_->path());
  ASSERT_TRUE(WriteAll(mount_.Path("f"), "synced, never fsynced"));
  const uint64_t before = CountOf("SYNCFS");
  base::Fd root(open(mount_.mount_point().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(syncfs(root.get()), 0);
  EXPECT_EQ(CountOf("SYNCFS"), before + 1);
  root.Reset();  // or the dead mount keeps the device
  mount_.Kill();  // what syncfs has answered is durable
  ASSERT_OK(mount_.Start({"-o", "blkdev"}));
  EXPECT_EQ(ReadAll(mount_.Path("f")), "synced, never fsynced");
  EXPECT_OK(mount_.Stop());
}

TEST_F(BlockMountTest, UnmountWaitsUntilAllIsDurable) {
  ASSERT_OK(mount_.Start({"-o", "blkdev", "--force"}));
  ASSERT_TRUE(WriteAll(mount_.Path("f"), "nobody synced this"));
  ASSERT_EQ(umount2(mount_.mount_point().c_str(), 0), 0);
  mount_.Kill();  // at once: umount(2) has promised
  ASSERT_OK(mount_.Start({"-o", "blkdev"}));
  EXPECT_EQ(ReadAll(mount_.Path("f")), "nobody synced this");
  EXPECT_OK(mount_.Stop());
}

TEST_F(BlockMountTest, TheDeviceIsHeldForTheMount) {
  ASSERT_OK(mount_.Start({"-o", "blkdev", "--force"}));
  const base::Fd other(open(loop_->path().c_str(), O_RDWR | O_EXCL));
  EXPECT_FALSE(other.valid()) << "what mkfs and mount(8) do to find out";
  EXPECT_OK(mount_.Stop());
  const base::Fd after(open(loop_->path().c_str(), O_RDWR | O_EXCL));
  EXPECT_TRUE(after.valid()) << strerror(errno);
}

TEST_F(BlockMountTest, AnImageFileIsRefused) {
  mount_.set_store(mount_.directory() + "/file.img");
  EXPECT_THAT(mount_.Start({"-o", "blkdev"}).ToString(), HasSubstr("no block device"));
}

}  // namespace
}  // namespace fs::testing
