#include "fs/disk/testing/counting_device.h"

#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/testing/mem_device.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

TEST(CountingDeviceTest, CountsAndPassesOn) {
  MemDevice mem(1 << 20);
  CountingDevice device(mem);
  AlignedBuffer buffer(8192);
  buffer.data()[0] = 'x';
  ASSERT_OK(device.Write(0, buffer.span()));
  EXPECT_EQ(mem.bytes()[0], 'x');
  const CountingDevice::Counts before = device.counts();
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Write(0, buffer.span()));
  requests.push_back(IoRequest::Read(8192, buffer.span()));
  requests.push_back(IoRequest::Flush());
  ASSERT_OK(device.SubmitAndWait(absl::MakeSpan(requests)));
  device.Submit(IoRequest::Discard(0, 4096));
  const CountingDevice::Counts counts = device.counts() - before;
  EXPECT_EQ(counts.reads, 1u);
  EXPECT_EQ(counts.writes, 1u);
  EXPECT_EQ(counts.flushes, 1u);
  EXPECT_EQ(counts.discards, 1u);
  EXPECT_EQ(counts.read_bytes, 8192u);
  EXPECT_EQ(counts.written_bytes, 8192u);
  EXPECT_EQ(counts.submissions, 2u);
}

TEST(CountingDeviceTest, CallersHearOfErrors) {
  MemDevice mem(1 << 20, {.can_discard = false});
  CountingDevice device(mem);
  EXPECT_THAT(device.Discard(0, 4096), base::StatusIs(absl::StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace fs::testing
