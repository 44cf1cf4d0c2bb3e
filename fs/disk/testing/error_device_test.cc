#include "fs/disk/testing/error_device.h"

#include <cstring>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/testing/mem_device.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::base::StatusIs;
using Kind = DiskFault::Kind;

class ErrorDeviceTest : public ::testing::Test {
 protected:
  ErrorDeviceTest() { std::memset(bytes_.data(), 'n', bytes_.size()); }

  MemDevice mem_{1 << 20};
  ErrorDevice device_{mem_};
  AlignedBuffer bytes_{8192};
};

TEST_F(ErrorDeviceTest, OnlyTheNthFails) {
  device_.Add({.kind = Kind::kFail, .request = IoRequest::Kind::kWrite, .nth = 1});
  EXPECT_OK(device_.Write(0, bytes_.span()));
  EXPECT_OK(device_.Read(0, bytes_.span()));
  EXPECT_THAT(device_.Write(65536, bytes_.span()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(mem_.bytes()[65536], 0);
  EXPECT_OK(device_.Write(65536, bytes_.span()));
  EXPECT_EQ(device_.count(IoRequest::Kind::kWrite), 3u);
  EXPECT_EQ(device_.spoilt_count(), 1u);
}

TEST_F(ErrorDeviceTest, ALastingFaultLastsUntilItIsHealed) {
  device_.Add({.kind = Kind::kNoSpace, .request = IoRequest::Kind::kWrite, .nth = 0, .lasting = true});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(device_.Write(0, bytes_.span()), StatusIs(absl::StatusCode::kResourceExhausted));
  }
  device_.Heal();
  EXPECT_OK(device_.Write(0, bytes_.span()));
}

TEST_F(ErrorDeviceTest, WhilePausedNothingIsSpoiltOrCounted) {
  device_.Add({.kind = Kind::kFail, .request = IoRequest::Kind::kWrite, .nth = 0});
  device_.set_paused(true);
  EXPECT_OK(device_.Write(0, bytes_.span()));
  EXPECT_EQ(device_.count(IoRequest::Kind::kWrite), 0u);
  device_.set_paused(false);
  EXPECT_THAT(device_.Write(0, bytes_.span()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ErrorDeviceTest, APartialWriteLeavesItsFirstHalf) {
  device_.Add({.kind = Kind::kPartial, .request = IoRequest::Kind::kWrite, .nth = 0});
  EXPECT_THAT(device_.Write(0, bytes_.span()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(mem_.bytes()[4095], 'n');
  EXPECT_EQ(mem_.bytes()[4096], 0);
}

TEST_F(ErrorDeviceTest, APartialReadFails) {
  device_.Add({.kind = Kind::kPartial, .request = IoRequest::Kind::kRead, .nth = 0});
  EXPECT_THAT(device_.Read(0, bytes_.span()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(bytes_.data()[0], 0);
  EXPECT_EQ(bytes_.data()[4096], 'n');
}

TEST_F(ErrorDeviceTest, AFailedFlushIsNotPassedOn) {
  device_.Add({.kind = Kind::kFailedFlush, .request = IoRequest::Kind::kFlush, .nth = 0});
  EXPECT_THAT(device_.Flush(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(device_.Flush());
}

TEST_F(ErrorDeviceTest, ABitFlipsOnTheWay) {
  device_.Add({.kind = Kind::kBitFlip, .request = IoRequest::Kind::kWrite, .nth = 0});
  device_.Add({.kind = Kind::kBitFlip, .request = IoRequest::Kind::kRead, .nth = 1});
  ASSERT_OK(device_.Write(0, bytes_.span()));
  EXPECT_EQ(bytes_.data()[5120], 'n') << "the caller's own memory must not change";
  EXPECT_EQ(mem_.bytes()[5120], 'n' ^ 0x10);
  ASSERT_OK(device_.Read(0, bytes_.span()));
  EXPECT_EQ(bytes_.data()[5120], 'n' ^ 0x10);
  ASSERT_OK(device_.Read(0, bytes_.span()));
  EXPECT_EQ(bytes_.data()[5120], 'n');
}

TEST_F(ErrorDeviceTest, WritesGoAstrayOrNowhere) {
  device_.Add({.kind = Kind::kMisdirected, .request = IoRequest::Kind::kWrite, .nth = 0});
  device_.Add({.kind = Kind::kLost, .request = IoRequest::Kind::kWrite, .nth = 1});
  device_.Add({.kind = Kind::kMisdirected, .request = IoRequest::Kind::kWrite, .nth = 2});
  ASSERT_OK(device_.Write(0, bytes_.span()));
  EXPECT_EQ(mem_.bytes()[0], 0);
  EXPECT_EQ(mem_.bytes()[4096], 'n');
  EXPECT_EQ(mem_.bytes()[4096 + 8191], 'n');
  ASSERT_OK(device_.Write(65536, bytes_.span()));
  EXPECT_EQ(mem_.bytes()[65536], 0);
  ASSERT_OK(device_.Write((1 << 20) - 8192, bytes_.span()));
  EXPECT_EQ(mem_.bytes()[(1 << 20) - 12288], 'n');
  EXPECT_EQ(mem_.bytes()[(1 << 20) - 1], 0);
}

TEST_F(ErrorDeviceTest, TheOthersOfABatchGoThrough) {
  device_.Add({.kind = Kind::kFail, .request = IoRequest::Kind::kWrite, .nth = 0});
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Write(0, bytes_.span()));
  requests.push_back(IoRequest::Write(65536, bytes_.span()));
  EXPECT_THAT(device_.SubmitAndWait(absl::MakeSpan(requests)), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(mem_.bytes()[65536], 'n');
}

}  // namespace
}  // namespace fs::testing
