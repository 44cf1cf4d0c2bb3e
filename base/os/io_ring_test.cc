#include "base/os/io_ring.h"

#include <fcntl.h>

#include <cstdlib>
#include <string>

#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(IoRingTest, ReadsThroughTheRing) {
  absl::StatusOr<std::unique_ptr<IoRing>> ring = IoRing::Create(4);
  if (!ring.ok()) GTEST_SKIP() << ring.status();
  const TempDir dir;
  const std::string path = JoinPath(dir.path(), "a");
  ASSERT_OK(ReplaceFile(path, "0123456789", {}));
  ASSERT_OK_AND_ASSIGN(const Fd fd, OpenFile(path, O_RDONLY));
  // More requests than entries: Next() makes room by itself.
  char bytes[10] = {};
  unsigned reaped = 0;
  int sum = 0;
  for (int i = 0; i < 10; ++i) {
    io_uring_sqe* const sqe = (*ring)->Next();
    io_uring_prep_read(sqe, fd.get(), &bytes[i], 1, i);
    io_uring_sqe_set_data(sqe, &bytes[i]);
  }
  while (reaped < 10) {
    ASSERT_OK_AND_ASSIGN(const unsigned count, (*ring)->Reap(1, [&sum](void*, int result) { sum += result; }));
    reaped += count;
  }
  EXPECT_EQ(sum, 10);
  EXPECT_EQ(std::string(bytes, 10), "0123456789");
}

TEST(IoRingTest, EnvironmentForbidsIt) {
  setenv("CACHEFS_NO_IO_URING", "1", 1);
  EXPECT_THAT(IoRing::Create(4).status(), StatusIs(absl::StatusCode::kUnavailable));
  unsetenv("CACHEFS_NO_IO_URING");
}

}  // namespace
}  // namespace base
