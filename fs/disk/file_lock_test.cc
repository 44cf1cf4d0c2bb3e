#include "fs/disk/file_lock.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(FileLockTest, NamesTheHolder) {
  const char locks[] =
      "1: POSIX  ADVISORY  WRITE 11 fd:00:5678 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 12 fd:01:5678 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF\n"
      "3: -> FLOCK  ADVISORY  WRITE 13 fd:00:5678 0 EOF\n";
  EXPECT_EQ(LockHolder(locks, makedev(0xfd, 0), 5678), 1234);
  EXPECT_EQ(LockHolder(locks, makedev(0xfd, 0), 5679), 0);
  EXPECT_EQ(LockHolder("", makedev(0, 0), 0), 0);
  EXPECT_EQ(LockHolder("x: FLOCK", makedev(0, 0), 0), 0);
}

TEST(FileLockTest, SharedLocksAgreeExclusiveOnesDoNot) {
  base::TempDir dir;
  const std::string path = dir.path() + "/f";
  ASSERT_OK_AND_ASSIGN(const base::Fd first, base::OpenFile(path, O_RDWR | O_CREAT));
  ASSERT_OK_AND_ASSIGN(const base::Fd second, base::OpenFile(path, O_RDWR));
  EXPECT_OK(LockFile(first.get(), false, absl::ZeroDuration()));
  EXPECT_OK(LockFile(second.get(), false, absl::ZeroDuration()));
  EXPECT_THAT(LockFile(second.get(), true, absl::Milliseconds(20)),
              base::StatusIs(absl::StatusCode::kUnavailable,
                             ::testing::AllOf(::testing::HasSubstr("in use by another process"),
                                              ::testing::HasSubstr(absl::StrCat("pid ", ::getpid())))));
}

}  // namespace
}  // namespace fs
