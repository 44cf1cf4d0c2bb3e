#include "fs/disk/device.h"

#include <cstring>
#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/testing/mem_device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::IsOk;
using ::base::StatusIs;
using ::fs::testing::MemDevice;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

AlignedBuffer Filled(size_t size, uint8_t byte) {
  AlignedBuffer buffer(size);
  std::memset(buffer.data(), byte, size);
  return buffer;
}

TEST(DeviceTest, ReadsWhatWasWritten) {
  MemDevice device(1 << 20);
  const AlignedBuffer written = Filled(8192, 'a');
  AlignedBuffer read(8192);
  ASSERT_THAT(device.Write(4096, written.span()), IsOk());
  ASSERT_THAT(device.Flush(), IsOk());
  ASSERT_THAT(device.Read(4096, read.span()), IsOk());
  EXPECT_EQ(read.span(), written.span());
}

TEST(DeviceTest, RoundsItsSizeDownToTheAlignment) { EXPECT_EQ(MemDevice(4096 * 3 + 17).size_bytes(), 4096u * 3); }

TEST(DeviceTest, RefusesMisalignedRequests) {
  MemDevice device(1 << 20);
  AlignedBuffer buffer(8192);
  EXPECT_THAT(device.Read(512, buffer.span()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(device.Read(0, buffer.span(0, 512)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(device.Write(0, buffer.span(512, 4096)), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DeviceTest, RefusesWhatIsTooLongOrPastTheEnd) {
  MemDevice device(1 << 20, {.transfer_bytes_max = 8192});
  AlignedBuffer buffer(16384);
  EXPECT_THAT(device.Read(0, buffer.span()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(device.Read((1 << 20) - 4096, buffer.span(0, 8192)), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(device.Write(uint64_t{0} - 4096, buffer.span(0, 8192)), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(device.Discard(1 << 20, 4096), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST(DeviceTest, ErrorsNameOperationOffsetLengthAndDevice) {
  MemDevice device(8192, {.name = "/dev/some"});
  AlignedBuffer buffer(4096);
  EXPECT_THAT(std::string(device.Write(12288, buffer.span()).message()),
              AllOf(HasSubstr("write offset 12288 length 4096"), HasSubstr("/dev/some")));
}

TEST(DeviceTest, ReadOnlyRefusesWritesAndDiscardsOnly) {
  MemDevice device(1 << 20, {.read_only = true});
  AlignedBuffer buffer(4096);
  EXPECT_THAT(device.Write(0, buffer.span()), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(device.Discard(0, 4096), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(device.Read(0, buffer.span()), IsOk());
  EXPECT_THAT(device.Flush(), IsOk());
}

TEST(DeviceTest, DiscardAndRegisterMemoryAreOptional) {
  MemDevice device(1 << 20, {.can_discard = false});
  AlignedBuffer buffer(4096);
  EXPECT_THAT(device.Discard(0, 4096), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(device.RegisterMemory(buffer.span()), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(DeviceTest, EmptyRequestsSucceedWithoutTheDevice) {
  MemDevice device(1 << 20);
  EXPECT_THAT(device.Read(0, {}), IsOk());
  EXPECT_THAT(device.SubmitAndWait({}), IsOk());
}

TEST(DeviceTest, OneBadRequestDoesNotStopTheOthers) {
  MemDevice device(1 << 20);
  AlignedBuffer buffer = Filled(4096, 'b');
  std::vector<absl::StatusCode> codes(4, absl::StatusCode::kUnknown);
  const auto into = [&](size_t index) {
    return [&codes, index](absl::Status status) { codes[index] = status.code(); };
  };
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Write(0, buffer.span(), into(0)));
  requests.push_back(IoRequest::Write(1 << 20, buffer.span(), into(1)));
  requests.push_back(IoRequest::Write(17, buffer.span(), into(2)));
  requests.push_back(IoRequest::Write(4096, buffer.span(), into(3)));
  EXPECT_THAT(device.SubmitAndWait(absl::MakeSpan(requests)), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(codes, ElementsAre(absl::StatusCode::kOk, absl::StatusCode::kOutOfRange,
                                 absl::StatusCode::kInvalidArgument, absl::StatusCode::kOk));
  EXPECT_THAT(device.bytes().subspan(0, 8192), Each('b'));
}

TEST(DeviceTest, SubmitWithoutACallbackIsFine) {
  MemDevice device(1 << 20);
  const AlignedBuffer buffer = Filled(4096, 'c');
  device.Submit(IoRequest::Write(0, buffer.span()));
  EXPECT_EQ(device.bytes()[0], 'c');
}

TEST(DeviceDeathTest, AlignmentIsAPowerOfTwo) {
  EXPECT_DEATH(MemDevice(1 << 20, {.alignment = 1000}), "alignment");
  EXPECT_DEATH(MemDevice(1 << 20, {.alignment = 1 << 20}), "alignment");
}

}  // namespace
}  // namespace fs
