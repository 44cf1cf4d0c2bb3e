// FileDevice on real block devices (loop devices, so as root only).
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_device.h"
#include "fs/disk/image_file.h"
#include "fs/disk/testing/loop_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kSize = 16 << 20;

class BlockDeviceTest : public ::testing::TestWithParam<FileDevice::Engine> {
 protected:
  void SetUp() override {
    if (::access("/dev/loop-control", R_OK | W_OK) != 0) GTEST_SKIP() << "no loop devices here";
    ImageOptions options;
    options.size_bytes = kSize;
    ASSERT_OK(CreateImageFile(dir_.path() + "/image", options));
    absl::StatusOr<testing::LoopDevice> loop = testing::LoopDevice::Attach(dir_.path() + "/image");
    if (absl::IsPermissionDenied(loop.status())) GTEST_SKIP() << loop.status();
    ASSERT_OK(loop.status());
    loop_.emplace(*std::move(loop));
    options_.engine = GetParam();
  }

  base::TempDir dir_;
  absl::optional<testing::LoopDevice> loop_;
  FileDevice::Options options_;
};

TEST_P(BlockDeviceTest, ReadsWhatWasWritten) {
  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(loop_->path(), options_));
  EXPECT_TRUE(device->is_block_device());
  EXPECT_TRUE(device->direct());
  EXPECT_EQ(device->size_bytes(), kSize);
  AlignedBuffer memory(1 << 20);
  for (size_t i = 0; i < memory.size(); ++i) memory.data()[i] = static_cast<uint8_t>(i / 4096 + 1);
  std::vector<IoRequest> writes;
  for (size_t i = 0; i < 256; ++i) writes.push_back(IoRequest::Write(i * 4096, memory.span(i * 4096, 4096)));
  ASSERT_OK(device->SubmitAndWait(absl::MakeSpan(writes)));
  ASSERT_OK(device->Flush());
  AlignedBuffer back(1 << 20);
  ASSERT_OK(device->Read(0, back.span()));
  EXPECT_EQ(back.span(), memory.span());
}

TEST_P(BlockDeviceTest, OneOpenerAtATime) {
  ASSERT_OK_AND_ASSIGN(auto device, FileDevice::Open(loop_->path(), options_));
  EXPECT_THAT(FileDevice::Open(loop_->path(), options_).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
  FileDevice::Options reading = options_;
  reading.read_only = true;
  EXPECT_THAT(FileDevice::Open(loop_->path(), reading).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
  // Whoever comes next may have it at once, though io_uring takes its time to end.
  for (int round = 0; round < 20; ++round) {
    device.reset();
    ASSERT_OK_AND_ASSIGN(device, FileDevice::Open(loop_->path(), options_));
    AlignedBuffer buffer(8192);
    std::vector<IoRequest> reads;
    for (int i = 0; i < 2; ++i) reads.push_back(IoRequest::Read(i * 4096, buffer.span(i * 4096, 4096)));
    ASSERT_OK(device->SubmitAndWait(absl::MakeSpan(reads)));
  }
}

TEST_P(BlockDeviceTest, AnotherHoldersDeviceIsRefused) {
  // What a mounted filesystem does to it.
  ASSERT_OK_AND_ASSIGN(const base::Fd holder, base::OpenFile(loop_->path(), O_RDWR | O_EXCL));
  EXPECT_THAT(FileDevice::Open(loop_->path(), options_).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the block device is in use")));
}

TEST_P(BlockDeviceTest, HandsOverToAMount) {
  options_.hands_over = true;
  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(loop_->path(), options_));
  EXPECT_FALSE(base::OpenFile(loop_->path(), O_RDWR | O_EXCL).ok());
  device->HandOver();
  ASSERT_OK_AND_ASSIGN(const base::Fd holder, base::OpenFile(loop_->path(), O_RDWR | O_EXCL));  // as a mount does
  AlignedBuffer memory(4096);
  ASSERT_OK(device->Write(0, memory.span()));
  EXPECT_THAT(FileDevice::Open(loop_->path(), options_).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
}

TEST_P(BlockDeviceTest, DiscardsWhereTheDeviceCan) {
  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(loop_->path(), options_));
  if (!device->can_discard()) GTEST_SKIP() << "this loop device cannot discard";
  AlignedBuffer memory(1 << 20);
  std::memset(memory.data(), 'x', memory.size());
  ASSERT_OK(device->Write(0, memory.span()));
  ASSERT_OK(device->Discard(0, 512 << 10));
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Discard(512 << 10, 256 << 10));
  requests.push_back(IoRequest::Write(2 << 20, memory.span()));
  ASSERT_OK(device->SubmitAndWait(absl::MakeSpan(requests)));
  AlignedBuffer back(4096);
  ASSERT_OK(device->Read((1 << 20) - 4096, back.span()));
  EXPECT_THAT(back.span(), ::testing::Each('x'));
}

INSTANTIATE_TEST_SUITE_P(Engines, BlockDeviceTest,
                         ::testing::Values(FileDevice::Engine::kAuto, FileDevice::Engine::kThreads));

}  // namespace
}  // namespace fs
