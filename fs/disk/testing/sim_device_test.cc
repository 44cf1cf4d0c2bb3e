#include "fs/disk/testing/sim_device.h"

#include <cstring>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

AlignedBuffer Filled(uint8_t byte, size_t size = 4096) {
  AlignedBuffer buffer(size);
  std::memset(buffer.data(), byte, size);
  return buffer;
}

TEST(SimDeviceTest, RecordsWhatIsDoneInOrder) {
  SimDevice device(DiskImage(1 << 20));
  AlignedBuffer read(4096);
  ASSERT_OK(device.Write(4096, Filled('a').span()));
  ASSERT_OK(device.Read(4096, read.span()));
  EXPECT_EQ(read.data()[0], 'a');
  ASSERT_OK(device.Flush());
  ASSERT_OK(device.Discard(0, 8192));
  ASSERT_EQ(device.position(), 3u);
  EXPECT_EQ(device.trace()[0].kind, DiskEvent::Kind::kWrite);
  EXPECT_EQ(device.trace()[0].offset, 4096u);
  EXPECT_EQ((*device.trace()[0].bytes)[4095], 'a');
  EXPECT_EQ(device.trace()[1].kind, DiskEvent::Kind::kFlush);
  EXPECT_EQ(device.trace()[1].covers, 1u);
  EXPECT_EQ(device.trace()[2].kind, DiskEvent::Kind::kDiscard);
}

TEST(SimDeviceTest, AFlushSubmittedTogetherWithWritesCoversNoneOfThem) {
  SimDevice device(DiskImage(1 << 20));
  ASSERT_OK(device.Write(0, Filled('a').span()));
  const AlignedBuffer bytes = Filled('b');
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Write(4096, bytes.span()));
  requests.push_back(IoRequest::Flush());
  ASSERT_OK(device.SubmitAndWait(absl::MakeSpan(requests)));
  EXPECT_EQ(device.trace()[2].covers, 1u);
}

TEST(SimDeviceTest, RecordsNothingWhenTold) {
  SimDevice device(DiskImage(1 << 20), {.record = false});
  ASSERT_OK(device.Write(0, Filled('a').span()));
  EXPECT_EQ(device.position(), 0u);
  uint8_t byte = 0;
  device.image().Read(0, absl::MakeSpan(&byte, 1));
  EXPECT_EQ(byte, 'a');
}

}  // namespace
}  // namespace fs::testing
