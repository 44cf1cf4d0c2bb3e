#include "fs/disk/file_device.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/testing/status_matchers.h"
#include "base/testing/temp_dir.h"
#include "fs/disk/aligned_buffer.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kSize = 4 << 20;

std::string MakeFile(const base::TempDir& dir, uint64_t size_bytes) {
  std::string path = dir.path() + "/image";
  const base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size_bytes)), 0);
  return path;
}

// What block `index` holds, so that a block in a wrong place is seen.
void FillBlock(absl::Span<uint8_t> block, uint64_t index) {
  for (size_t i = 0; i < block.size(); i += 8) {
    const uint64_t word = index * 0x9E3779B97F4A7C15 + i;
    std::memcpy(block.data() + i, &word, 8);
  }
}

struct Way {
  std::string name;
  FileDevice::Options options;
};

// Every engine, past the page cache and through it.
class FileDeviceTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    path_ = MakeFile(dir_, kSize);
    absl::StatusOr<std::unique_ptr<FileDevice>> device = FileDevice::Open(path_, GetParam().options);
    if (absl::IsUnimplemented(device.status())) GTEST_SKIP() << device.status();
    ASSERT_OK(device.status());
    device_ = *std::move(device);
  }

  base::TempDir dir_;
  std::string path_;
  std::unique_ptr<FileDevice> device_;
};

TEST_P(FileDeviceTest, ReadsWhatWasWritten) {
  EXPECT_EQ(device_->size_bytes(), kSize);
  EXPECT_FALSE(device_->is_block_device());
  AlignedBuffer written(64 << 10);
  AlignedBuffer read(64 << 10);
  FillBlock(written.span(), 7);
  ASSERT_OK(device_->Write(8192, written.span()));
  ASSERT_OK(device_->Flush());
  ASSERT_OK(device_->Read(8192, read.span()));
  EXPECT_EQ(read.span(), written.span());
}

TEST_P(FileDeviceTest, ManyAtOnceAndEachInItsPlace) {
  constexpr size_t kBlocks = 512;  // more than the depth
  AlignedBuffer memory(kBlocks * 4096);
  std::vector<IoRequest> writes;
  for (size_t i = 0; i < kBlocks; ++i) {
    FillBlock(memory.span(i * 4096, 4096), i);
    writes.push_back(IoRequest::Write(i * 4096, memory.span(i * 4096, 4096)));
  }
  ASSERT_OK(device_->SubmitAndWait(absl::MakeSpan(writes)));
  ASSERT_OK(device_->Flush());

  AlignedBuffer back(kBlocks * 4096);
  std::vector<IoRequest> reads;
  std::atomic<int> done = 0;
  for (size_t i = kBlocks; i > 0; --i) {
    reads.push_back(IoRequest::Read((i - 1) * 4096, back.span((i - 1) * 4096, 4096), [&done](absl::Status status) {
      if (status.ok()) ++done;
    }));
  }
  ASSERT_OK(device_->SubmitAndWait(absl::MakeSpan(reads)));
  EXPECT_EQ(done, static_cast<int>(kBlocks));
  EXPECT_EQ(back.span(), memory.span());
}

TEST_P(FileDeviceTest, SubmitCallsBackOnceEach) {
  constexpr int kRequests = 600;
  AlignedBuffer memory(4096);
  base::Mutex mutex;
  base::CondVar changed;
  std::vector<int> calls(kRequests, 0);
  int finished = 0;
  std::vector<IoRequest> requests;
  for (int i = 0; i < kRequests; ++i) {
    auto done = [&, i](absl::Status status) {
      EXPECT_OK(status);
      base::MutexLock lock(&mutex);
      ++calls[i];
      if (++finished == kRequests) changed.Signal();
    };
    if (i % 50 == 49) {
      requests.push_back(IoRequest::Flush(std::move(done)));
    } else {
      requests.push_back(IoRequest::Write(i * 4096, memory.span(), std::move(done)));
    }
  }
  device_->Submit(absl::MakeSpan(requests));
  base::MutexLock lock(&mutex);
  while (finished != kRequests) changed.Wait(&mutex);
  EXPECT_THAT(calls, ::testing::Each(1));
}

TEST_P(FileDeviceTest, CallbacksMaySubmit) {
  AlignedBuffer memory(4096);
  FillBlock(memory.span(), 3);
  AlignedBuffer back(4096);
  base::Notification finished;
  device_->Submit(IoRequest::Write(0, memory.span(), [&](absl::Status status) {
    EXPECT_OK(status);
    device_->Submit(IoRequest::Flush([&](absl::Status status) {
      EXPECT_OK(status);
      device_->Submit(IoRequest::Read(0, back.span(), [&](absl::Status status) {
        EXPECT_OK(status);
        finished.Notify();
      }));
    }));
  }));
  finished.Wait();
  EXPECT_EQ(back.span(), memory.span());
}

TEST_P(FileDeviceTest, ManyThreads) {
  constexpr int kThreads = 4;
  constexpr size_t kBlocks = 40;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      const uint64_t start = t * kBlocks * 4096;
      AlignedBuffer memory(kBlocks * 4096);
      AlignedBuffer back(kBlocks * 4096);
      for (int round = 0; round < 5; ++round) {
        FillBlock(memory.span(), t * 100 + round);
        std::vector<IoRequest> writes;
        std::vector<IoRequest> reads;
        for (size_t i = 0; i < kBlocks; ++i) {
          writes.push_back(IoRequest::Write(start + i * 4096, memory.span(i * 4096, 4096)));
          reads.push_back(IoRequest::Read(start + i * 4096, back.span(i * 4096, 4096)));
        }
        EXPECT_OK(device_->SubmitAndWait(absl::MakeSpan(writes)));
        EXPECT_OK(device_->SubmitAndWait(absl::MakeSpan(reads)));
        EXPECT_EQ(back.span(), memory.span());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(FileDeviceTest, DestructionWaitsForWhatIsUnderWay) {
  std::vector<AlignedBuffer> memory;
  std::atomic<int> done = 0;
  std::vector<IoRequest> requests;
  for (int i = 0; i < 300; ++i) {
    memory.emplace_back(4096);
    requests.push_back(IoRequest::Write(i * 4096, memory.back().span(), [&done](absl::Status) { ++done; }));
  }
  device_->Submit(absl::MakeSpan(requests));
  device_.reset();
  EXPECT_EQ(done, 300);
}

TEST_P(FileDeviceTest, RegisteredMemoryMakesNoDifference) {
  AlignedBuffer memory(64 << 10);
  const absl::Status registered = device_->RegisterMemory(memory.span());
  if (device_->engine_name() == "threads") {
    EXPECT_THAT(registered, StatusIs(absl::StatusCode::kUnimplemented));
  }
  AlignedBuffer other(64 << 10);
  FillBlock(memory.span(), 1);
  for (const bool wait : {false, true}) {
    std::vector<IoRequest> requests;
    for (int i = 0; i < 16; ++i) requests.push_back(IoRequest::Write(i * 4096, memory.span(i * 4096, 4096)));
    if (wait) {
      ASSERT_OK(device_->SubmitAndWait(absl::MakeSpan(requests)));
    } else {
      base::Notification all;
      std::atomic<int> left = 16;
      for (IoRequest& request : requests) {
        request.done = [&](absl::Status status) {
          EXPECT_OK(status);
          if (--left == 0) all.Notify();
        };
      }
      device_->Submit(absl::MakeSpan(requests));
      all.Wait();
    }
    ASSERT_OK(device_->Read(0, other.span()));
    EXPECT_EQ(other.span(), memory.span());
    FillBlock(memory.span(), 2);
  }
}

TEST_P(FileDeviceTest, AFileCutBeneathUsIsAnErrorWithCoordinates) {
  ASSERT_EQ(::truncate(path_.c_str(), 1 << 20), 0);
  AlignedBuffer buffer(8192);
  AlignedBuffer other(4096);
  std::vector<IoRequest> reads;
  reads.push_back(IoRequest::Read(0, other.span()));
  reads.push_back(IoRequest::Read((1 << 20) - 4096, buffer.span()));
  EXPECT_THAT(device_->SubmitAndWait(absl::MakeSpan(reads)),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("short read"), HasSubstr("offset 1044480 length 8192"), HasSubstr(path_))));
  EXPECT_THAT(device_->Read(2 << 20, buffer.span()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(FileDeviceTest, ImagesDiscardOnlyWhenAsked) {
  EXPECT_FALSE(device_->can_discard());
  device_.reset();
  FileDevice::Options options = GetParam().options;
  options.discard_images = true;
  ASSERT_OK_AND_ASSIGN(device_, FileDevice::Open(path_, options));
  AlignedBuffer memory(1 << 20);
  FillBlock(memory.span(), 1);
  ASSERT_OK(device_->Write(0, memory.span()));
  ASSERT_OK(device_->Flush());
  struct stat before;
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Discard(0, 512 << 10));
  requests.push_back(IoRequest::Write(2 << 20, memory.span(0, 4096)));
  ASSERT_OK(device_->SubmitAndWait(absl::MakeSpan(requests)));
  ASSERT_OK(device_->Discard(512 << 10, 512 << 10));
  struct stat after;
  ASSERT_EQ(::stat(path_.c_str(), &after), 0);
  EXPECT_LT(after.st_blocks, before.st_blocks);
}

std::vector<Way> Ways() {
  std::vector<Way> ways;
  for (const bool direct : {true, false}) {
    for (const auto engine : {FileDevice::Engine::kUring, FileDevice::Engine::kThreads}) {
      Way way;
      way.name = absl::StrCat(engine == FileDevice::Engine::kUring ? "Uring" : "Threads", direct ? "Direct" : "Cached");
      way.options.engine = engine;
      way.options.direct = direct;
      way.options.depth = 64;
      ways.push_back(way);
    }
  }
  return ways;
}

INSTANTIATE_TEST_SUITE_P(Ways, FileDeviceTest, ::testing::ValuesIn(Ways()),
                         [](const ::testing::TestParamInfo<Way>& info) { return info.param.name; });

TEST(FileDeviceOpenTest, ASecondOpenerIsRefusedAndToldWhy) {
  base::TempDir dir;
  const std::string path = MakeFile(dir, kSize);
  ASSERT_OK_AND_ASSIGN(auto first, FileDevice::Open(path, {}));
  EXPECT_THAT(FileDevice::Open(path, {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr("in use by another process"), HasSubstr(path))));
  EXPECT_THAT(FileDevice::Open(path, {.read_only = true}).status(), StatusIs(absl::StatusCode::kUnavailable));
  first.reset();
  EXPECT_OK(FileDevice::Open(path, {}).status());
}

TEST(FileDeviceOpenTest, ReadersShareAndKeepWritersOut) {
  base::TempDir dir;
  const std::string path = MakeFile(dir, kSize);
  ASSERT_OK_AND_ASSIGN(const auto first, FileDevice::Open(path, {.read_only = true}));
  ASSERT_OK_AND_ASSIGN(const auto second, FileDevice::Open(path, {.read_only = true}));
  EXPECT_THAT(FileDevice::Open(path, {}).status(), StatusIs(absl::StatusCode::kUnavailable));
  AlignedBuffer buffer(4096);
  EXPECT_OK(second->Read(0, buffer.span()));
  EXPECT_THAT(second->Write(0, buffer.span()), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(FileDeviceOpenTest, RefusesWhatIsNoStore) {
  base::TempDir dir;
  EXPECT_THAT(FileDevice::Open(dir.path() + "/absent", {}).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
  EXPECT_THAT(FileDevice::Open(dir.path(), {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("neither a block device nor a regular file")));
  EXPECT_THAT(FileDevice::Open("/dev/null", {}).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FileDevice::Open(MakeFile(dir, 4095), {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too small")));
}

TEST(FileDeviceOpenTest, TheEnvironmentForbidsIoUring) {
  base::TempDir dir;
  const std::string path = MakeFile(dir, kSize);
  ASSERT_EQ(::setenv("CACHEFS_NO_IO_URING", "1", 1), 0);
  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(path, {}));
  EXPECT_EQ(device->engine_name(), "threads");
  ASSERT_EQ(::unsetenv("CACHEFS_NO_IO_URING"), 0);
}

// Files without direct I/O: proc and sysfs have none, but cannot be written; memfd in
// hugetlbfs and older tmpfs refuse O_DIRECT at open.
TEST(FileDeviceOpenTest, MemoryFilesystemsWorkEitherWay) {
  struct stat info;
  if (::stat("/dev/shm", &info) != 0 || ::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "no /dev/shm";
  base::TempDir dir("/dev/shm");
  const std::string path = MakeFile(dir, kSize);
  ASSERT_OK_AND_ASSIGN(const auto device, FileDevice::Open(path, {}));
  AlignedBuffer written(8192);
  AlignedBuffer read(8192);
  FillBlock(written.span(), 9);
  ASSERT_OK(device->Write(4096, written.span()));
  ASSERT_OK(device->Flush());
  ASSERT_OK(device->Read(4096, read.span()));
  EXPECT_EQ(read.span(), written.span());
}

}  // namespace
}  // namespace fs
