#include "fs/disk/transfer.h"

#include <cerrno>

#include "base/os/file.h"
#include "base/status.h"
#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using Step = Transfer::Step;

Transfer ReadOf(AlignedBuffer& buffer) { return Transfer(IoRequest::Read(4096, buffer.span())); }

TEST(TransferTest, GoesOnAfterAShortRead) {
  AlignedBuffer buffer(8192);
  Transfer transfer = ReadOf(buffer);
  EXPECT_EQ(transfer.Advance(512), Step::kAgain);
  EXPECT_EQ(transfer.offset(), 4096u + 512);
  EXPECT_EQ(transfer.length(), 8192u - 512);
  EXPECT_EQ(transfer.out(), buffer.data() + 512);
  EXPECT_EQ(transfer.Advance(8192 - 512), Step::kDone);
  EXPECT_OK(transfer.status());
}

TEST(TransferTest, GoesBackToASectorBorder) {
  AlignedBuffer buffer(8192);
  Transfer transfer(IoRequest::Write(0, buffer.span()));
  EXPECT_EQ(transfer.Advance(1000), Step::kAgain);
  EXPECT_EQ(transfer.offset(), 512u);
  EXPECT_EQ(transfer.bytes(), buffer.data() + 512);
}

TEST(TransferTest, EndOfFileInsideTheDeviceIsAnError) {
  AlignedBuffer buffer(8192);
  Transfer transfer = ReadOf(buffer);
  EXPECT_EQ(transfer.Advance(4096), Step::kAgain);
  EXPECT_EQ(transfer.Advance(0), Step::kDone);
  EXPECT_THAT(transfer.status(), base::StatusIs(absl::StatusCode::kUnavailable, ::testing::HasSubstr("short read")));
}

TEST(TransferTest, TriesAgainWhenInterruptedButNotForEver) {
  AlignedBuffer buffer(8192);
  for (const int error : {EINTR, EAGAIN}) {
    Transfer transfer = ReadOf(buffer);
    for (int i = 0; i < Transfer::kIdleAttemptsMax; ++i) ASSERT_EQ(transfer.Advance(-error), Step::kAgain);
    EXPECT_EQ(transfer.Advance(-error), Step::kDone);
    EXPECT_THAT(transfer.status(), base::StatusIs(absl::StatusCode::kUnavailable));
  }
}

TEST(TransferTest, ProgressResetsThePatience) {
  AlignedBuffer buffer(8192);
  Transfer transfer = ReadOf(buffer);
  for (int i = 0; i < Transfer::kIdleAttemptsMax; ++i) ASSERT_EQ(transfer.Advance(-EINTR), Step::kAgain);
  ASSERT_EQ(transfer.Advance(512), Step::kAgain);
  EXPECT_EQ(transfer.Advance(-EINTR), Step::kAgain);
}

TEST(TransferTest, AWriteThatNeverMovesFails) {
  AlignedBuffer buffer(4096);
  Transfer transfer(IoRequest::Write(0, buffer.span()));
  Step step = Step::kAgain;
  for (int i = 0; i <= Transfer::kIdleAttemptsMax && step == Step::kAgain; ++i) step = transfer.Advance(0);
  EXPECT_EQ(step, Step::kDone);
  EXPECT_THAT(transfer.status(), base::StatusIs(absl::StatusCode::kUnavailable));
}

TEST(TransferTest, ErrorsKeepTheirErrno) {
  Transfer flush(IoRequest::Flush());
  EXPECT_EQ(flush.Advance(-EIO), Step::kDone);
  EXPECT_THAT(flush.status(), base::StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(base::ErrnoOf(flush.status()), EIO);
  EXPECT_THAT(IoErrorStatus(ENOSPC), base::StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(IoErrorStatus(EDQUOT), base::StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(IoErrorStatus(ENXIO), base::StatusIs(absl::StatusCode::kUnavailable));
}

TEST(TransferTest, RunReportsTheSystemsError) {
  AlignedBuffer buffer(4096);
  ASSERT_OK_AND_ASSIGN(const base::Fd null, base::OpenFile("/dev/full", 1 /* O_WRONLY */));
  Transfer transfer(IoRequest::Write(0, buffer.span()));
  EXPECT_THAT(transfer.Run(null.get()), base::StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace fs
