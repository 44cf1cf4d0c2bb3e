#include "fs/disk/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kSize = (20 << 20) + 4096;

TEST(ImageFileTest, IsWholePrivateAndZero) {
  base::TempDir dir;
  const std::string path = dir.path() + "/a.img";
  ImageOptions options;
  options.size_bytes = kSize;
  std::vector<uint64_t> seen;
  options.progress = [&seen](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, kSize);
    seen.push_back(done);
    return true;
  };
  ASSERT_OK(CreateImageFile(path, options));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), kSize);

  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(static_cast<uint64_t>(info.st_size), kSize);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_GE(static_cast<uint64_t>(info.st_blocks) * 512, kSize);

  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(path, {}));
  EXPECT_EQ(device->size_bytes(), kSize);
  AlignedBuffer all = AlignedBuffer::Uninitialized(kSize);
  ASSERT_OK(device->Read(0, all.span()));
  EXPECT_TRUE(std::all_of(all.span().begin(), all.span().end(), [](uint8_t byte) { return byte == 0; }));
}

TEST(ImageFileTest, NeverTouchesWhatIsThere) {
  base::TempDir dir;
  const std::string path = dir.path() + "/a.img";
  ASSERT_OK(base::ReplaceFile(path, "precious", {}));
  ImageOptions options;
  options.size_bytes = kSize;
  EXPECT_THAT(CreateImageFile(path, options), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("a.img")));
  ASSERT_OK_AND_ASSIGN(const std::string content, base::ReadFile(path, 100));
  EXPECT_EQ(content, "precious");
}

TEST(ImageFileTest, AFullHostIsFoundBeforeWritingAndLeavesNothing) {
  base::TempDir dir;
  struct statvfs host;
  ASSERT_EQ(::statvfs(dir.path().c_str(), &host), 0);
  ImageOptions options;
  options.size_bytes = (static_cast<uint64_t>(host.f_blocks) * host.f_frsize + (uint64_t{1} << 30)) / 4096 * 4096;
  options.progress = [](uint64_t, uint64_t) {
    ADD_FAILURE() << "wrote before it knew";
    return false;
  };
  EXPECT_THAT(CreateImageFile(dir.path() + "/a.img", options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no room")));
  EXPECT_THAT(dir.List(), IsEmpty());
}

TEST(ImageFileTest, AStoppedCreationLeavesNothing) {
  base::TempDir dir;
  ImageOptions options;
  options.size_bytes = kSize;
  options.progress = [](uint64_t, uint64_t) { return false; };
  EXPECT_THAT(CreateImageFile(dir.path() + "/a.img", options), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(dir.List(), IsEmpty());
}

TEST(ImageFileTest, MayWriteOnlyTheStart) {
  base::TempDir dir;
  ImageOptions options;
  options.size_bytes = kSize;
  options.written_bytes = 1 << 20;
  options.progress = [](uint64_t, uint64_t total) {
    EXPECT_EQ(total, uint64_t{1} << 20);
    return true;
  };
  EXPECT_OK(CreateImageFile(dir.path() + "/a.img", options));
  EXPECT_THAT(dir.List(), ElementsAre("a.img"));
}

TEST(ImageFileTest, RefusesOddSizesAndAbsentDirectories) {
  base::TempDir dir;
  ImageOptions options;
  EXPECT_THAT(CreateImageFile(dir.path() + "/a.img", options), StatusIs(absl::StatusCode::kInvalidArgument));
  options.size_bytes = 4097;
  EXPECT_THAT(CreateImageFile(dir.path() + "/a.img", options), StatusIs(absl::StatusCode::kInvalidArgument));
  options.size_bytes = kSize;
  EXPECT_THAT(CreateImageFile(dir.path() + "/none/a.img", options), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace fs
