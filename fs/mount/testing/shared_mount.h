// A test fixture with one mount for all tests of a suite, each in a directory of its own.
//
// Threads: thread-compatible.
#ifndef FS_MOUNT_TESTING_SHARED_MOUNT_H_
#define FS_MOUNT_TESTING_SHARED_MOUNT_H_

#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/testing/status_matchers.h"
#include "fs/mount/testing/test_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {

class SharedMountTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!HaveFuse()) return;
    mount_ = new TestMount;
    EXPECT_OK(mount_->Start());
  }
  static void TearDownTestSuite() {
    if (mount_ == nullptr) return;
    EXPECT_OK(mount_->Stop());
    delete mount_;
    mount_ = nullptr;
  }
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    directory_ = mount_->Path(::testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_EQ(mkdir(directory_.c_str(), 0755), 0) << strerror(errno);
  }
  std::string At(absl::string_view name) const { return absl::StrCat(directory_, "/", name); }

  static struct stat StatOf(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(lstat(path.c_str(), &st), 0) << path << ": " << strerror(errno);
    return st;
  }

  inline static TestMount* mount_ = nullptr;
  std::string directory_;
};

}  // namespace fs::testing

#endif  // FS_MOUNT_TESTING_SHARED_MOUNT_H_
