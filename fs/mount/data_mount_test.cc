// File data on a real mount.
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "fs/mount/testing/shared_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr size_t kPage = 4096;

class DataMountTest : public SharedMountTest {};

TEST_F(DataMountTest, WritesAndReadsAnyRange) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  std::string model;
  for (const size_t size : {1, 4095, 4096, 4097, 100'000, 3'000'001}) {
    const std::string block(size, static_cast<char>('a' + size % 26));
    ASSERT_EQ(write(file.get(), block.data(), size), static_cast<ssize_t>(size));
    model += block;
  }
  ASSERT_EQ(pwrite(file.get(), "MIDDLE", 6, 5000), 6);
  model.replace(5000, 6, "MIDDLE");
  EXPECT_TRUE(ReadAll(At("f")) == model);
  EXPECT_EQ(StatOf(At("f")).st_size, static_cast<off_t>(model.size()));
}

TEST_F(DataMountTest, OpenTruncates) {
  // Lost, silently, if the kernel were told that OPEN truncates while OPEN is never answered.
  ASSERT_TRUE(WriteAll(At("f"), std::string(10'000, 'x')));
  const base::Fd file(open(At("f").c_str(), O_WRONLY | O_TRUNC));
  EXPECT_EQ(StatOf(At("f")).st_size, 0);
  ASSERT_EQ(write(file.get(), "new", 3), 3);
  EXPECT_EQ(ReadAll(At("f")), "new");
}

TEST_F(DataMountTest, AppendsFromSeveralDescriptors) {
  const base::Fd first(open(At("log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644));
  const base::Fd second(open(At("log").c_str(), O_WRONLY | O_APPEND));
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(write(first.get(), "first\n", 6), 6);
    ASSERT_EQ(write(second.get(), "2nd\n", 4), 4);
  }
  std::string expected;
  for (int i = 0; i < 50; ++i) expected += "first\n2nd\n";
  EXPECT_EQ(ReadAll(At("log")), expected);
}

TEST_F(DataMountTest, TruncateCutsAndExtendsWithZeros) {
  ASSERT_TRUE(WriteAll(At("f"), std::string(10'000, 'x')));
  ASSERT_EQ(truncate(At("f").c_str(), 5'001), 0);
  ASSERT_EQ(truncate(At("f").c_str(), 20'000), 0);
  const std::string text = ReadAll(At("f"));
  EXPECT_TRUE(text == std::string(5'001, 'x') + std::string(14'999, '\0'));
}

TEST_F(DataMountTest, SparseFilesOfATebibyteHaveHolesAndData) {
  const base::Fd file(open(At("sparse").c_str(), O_CREAT | O_RDWR, 0644));
  constexpr off_t kTebibyte = off_t{1} << 40;
  ASSERT_EQ(pwrite(file.get(), "end", 3, kTebibyte - 3), 3);
  ASSERT_EQ(pwrite(file.get(), "mid", 3, 1 << 30), 3);
  const struct stat st = StatOf(At("sparse"));
  EXPECT_EQ(st.st_size, kTebibyte);
  EXPECT_LE(st.st_blocks * 512, 64 << 10);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_DATA), 1 << 30);
  EXPECT_EQ(lseek(file.get(), 1 << 30, SEEK_HOLE), (1 << 30) + static_cast<off_t>(kPage));
  EXPECT_EQ(lseek(file.get(), (1 << 30) + kPage, SEEK_DATA), kTebibyte - static_cast<off_t>(kPage));
  EXPECT_EQ(lseek(file.get(), 0, SEEK_HOLE), 0);
  EXPECT_EQ(lseek(file.get(), kTebibyte - 1, SEEK_HOLE), kTebibyte);
  EXPECT_EQ(ErrnoOf(lseek(file.get(), kTebibyte, SEEK_DATA)), ENXIO);
  char text[3];
  EXPECT_EQ(pread(file.get(), text, 3, 12345), 3);
  EXPECT_EQ(std::string(text, 3), std::string(3, '\0'));
}

TEST_F(DataMountTest, FallocateExtendsPunchesAndZeros) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  std::string model(64 << 10, 'x');
  ASSERT_EQ(write(file.get(), model.data(), model.size()), static_cast<ssize_t>(model.size()));
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5'000, 20'000), 0) << strerror(errno);
  model.replace(5'000, 20'000, std::string(20'000, '\0'));
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_ZERO_RANGE, 60'000, 10'000), 0) << strerror(errno);
  model.resize(60'000);
  model.resize(70'000);
  EXPECT_TRUE(ReadAll(At("f")) == model);
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 65'000, 100'000), 0);
  EXPECT_EQ(StatOf(At("f")).st_size, 70'000);
  EXPECT_EQ(lseek(file.get(), 4096, SEEK_HOLE), 8192);  // the whole units of the punch
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, 1 << 20), 0);
  EXPECT_EQ(StatOf(At("f")).st_size, 70'000);
  ASSERT_EQ(fallocate(file.get(), 0, 0, 100'000), 0);
  model.resize(100'000);
  EXPECT_TRUE(ReadAll(At("f")) == model);
  EXPECT_EQ(lseek(file.get(), 4096, SEEK_HOLE), 100'000);  // what was allocated is no hole
  EXPECT_EQ(ErrnoOf(fallocate(file.get(), FALLOC_FL_COLLAPSE_RANGE, 0, kPage)), EOPNOTSUPP);
}

TEST(FullDataMountTest, WhatFallocateGaveIsThereOnAFullDevice) {
  SKIP_WITHOUT_FUSE();
  constexpr size_t kBytes = 48 << 20;
  TestMount mount;
  ASSERT_OK(mount.Start());
  base::Fd reserved(open(mount.Path("reserved").c_str(), O_CREAT | O_RDWR, 0644));
  base::Fd filler(open(mount.Path("filler").c_str(), O_CREAT | O_RDWR, 0644));
  struct statvfs before {
  }, after{};
  ASSERT_EQ(statvfs(mount.mount_point().c_str(), &before), 0);
  ASSERT_EQ(fallocate(reserved.get(), FALLOC_FL_KEEP_SIZE, 0, kBytes), 0) << strerror(errno);
  struct stat st {};
  ASSERT_EQ(fstat(reserved.get(), &st), 0);
  EXPECT_EQ(st.st_size, 0);
  EXPECT_EQ(st.st_blocks * 512, static_cast<blkcnt_t>(kBytes));
  ASSERT_EQ(statvfs(mount.mount_point().c_str(), &after), 0);
  EXPECT_GE((before.f_bavail - after.f_bavail) * before.f_frsize, kBytes) << "df says so";
  // More than there is: refused at once, and nothing is taken.
  EXPECT_EQ(ErrnoOf(fallocate(filler.get(), 0, 0, 1 << 30)), ENOSPC);
  ASSERT_EQ(fstat(filler.get(), &st), 0);
  EXPECT_EQ(st.st_size, 0);
  std::string block(1 << 20, 'x');
  while (write(filler.get(), block.data(), block.size()) == static_cast<ssize_t>(block.size())) {
    for (size_t i = 0; i < block.size(); i += 509) block[i] = static_cast<char>(block[i] * 31 + 7);
  }
  EXPECT_EQ(errno, ENOSPC);
  ASSERT_EQ(fsync(filler.get()), 0) << strerror(errno);
  for (int round = 0; round < 2; ++round) {
    for (size_t at = 0; at < kBytes; at += block.size()) {
      block[0] = static_cast<char>(at >> 20);
      ASSERT_EQ(pwrite(reserved.get(), block.data(), block.size(), static_cast<off_t>(at)),
                static_cast<ssize_t>(block.size()))
          << "round " << round << " at " << at << ": " << strerror(errno);
    }
    ASSERT_EQ(fsync(reserved.get()), 0) << strerror(errno);
  }
  reserved.Reset();
  filler.Reset();
  // Deleting works however full it is.
  ASSERT_EQ(unlink(mount.Path("filler").c_str()), 0);
  EXPECT_OK(mount.Stop());
}

TEST_F(DataMountTest, CopyFileRangeCopies) {
  std::string model(5 << 20, '\0');
  for (size_t i = 0; i < model.size(); ++i) model[i] = static_cast<char>(i * 2654435761u >> 13);
  ASSERT_TRUE(WriteAll(At("from"), model));
  const base::Fd from(open(At("from").c_str(), O_RDONLY));
  const base::Fd to(open(At("to").c_str(), O_CREAT | O_RDWR, 0644));
  size_t copied = 0;
  while (copied < model.size()) {
    const ssize_t got = copy_file_range(from.get(), nullptr, to.get(), nullptr, model.size() - copied, 0);
    ASSERT_GT(got, 0) << strerror(errno);
    copied += static_cast<size_t>(got);
  }
  EXPECT_EQ(copy_file_range(from.get(), nullptr, to.get(), nullptr, 1, 0), 0);
  EXPECT_TRUE(ReadAll(At("to")) == model);
  // Within one file, apart and overlapping.
  off_t source = 1000, target = 3 << 20;
  EXPECT_EQ(copy_file_range(to.get(), &source, to.get(), &target, 100'000, 0), 100'000);
  model.replace(3 << 20, 100'000, model.substr(1000, 100'000));
  EXPECT_TRUE(ReadAll(At("to")) == model);
  source = 0, target = 10;
  EXPECT_EQ(ErrnoOf(copy_file_range(to.get(), &source, to.get(), &target, 1000, 0)), EINVAL);
}

TEST_F(DataMountTest, SharedMappingsAreSeenByAllAndWrittenBack) {
  ASSERT_TRUE(WriteAll(At("f"), std::string(3 * kPage, 'x')));
  const base::Fd file(open(At("f").c_str(), O_RDWR));
  void* const memory = mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(memory, MAP_FAILED) << strerror(errno);
  auto* bytes = static_cast<char*>(memory);
  bytes[kPage + 7] = 'M';
  char seen = 0;
  EXPECT_EQ(pread(file.get(), &seen, 1, kPage + 7), 1);
  EXPECT_EQ(seen, 'M');
  EXPECT_EQ(pwrite(file.get(), "W", 1, 2 * kPage), 1);
  EXPECT_EQ(bytes[2 * kPage], 'W');
  EXPECT_EQ(msync(memory, 3 * kPage, MS_SYNC), 0);
  EXPECT_EQ(munmap(memory, 3 * kPage), 0);
  EXPECT_EQ(ReadAll(At("f"))[kPage + 7], 'M');
}

TEST_F(DataMountTest, DirectReadsAndWritesGoThrough) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR | O_DIRECT, 0644));
  ASSERT_GE(file.get(), 0) << strerror(errno);
  void* memory = nullptr;
  ASSERT_EQ(posix_memalign(&memory, kPage, 2 << 20), 0);
  memset(memory, 'd', 2 << 20);
  EXPECT_EQ(pwrite(file.get(), memory, 2 << 20, 0), 2 << 20);
  memset(memory, 0, 2 << 20);
  EXPECT_EQ(pread(file.get(), memory, 2 << 20, 0), 2 << 20);
  EXPECT_TRUE(std::string(static_cast<char*>(memory), 2 << 20) == std::string(2 << 20, 'd'));
  free(memory);
}

TEST_F(DataMountTest, LocksAreTheKernels) {
  const base::Fd first(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  const base::Fd second(open(At("f").c_str(), O_RDWR));
  EXPECT_EQ(flock(first.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(ErrnoOf(flock(second.get(), LOCK_EX | LOCK_NB)), EWOULDBLOCK);
  EXPECT_EQ(flock(first.get(), LOCK_UN), 0);
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = 10;
  range.l_len = 10;
  EXPECT_EQ(fcntl(first.get(), F_OFD_SETLK, &range), 0);
  EXPECT_EQ(ErrnoOf(fcntl(second.get(), F_OFD_SETLK, &range)), EAGAIN);
  range.l_start = 20;
  EXPECT_EQ(fcntl(second.get(), F_OFD_SETLK, &range), 0);
}

TEST_F(DataMountTest, ARunningProgramCannotBeWritten) {
  ASSERT_EQ(RunProgram({"cp", "/bin/sleep", At("sleep")}), 0);
  int running[2];  // its write end goes with a successful exec
  ASSERT_EQ(pipe2(running, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    execl(At("sleep").c_str(), "sleep", "30", nullptr);
    _exit(127);
  }
  close(running[1]);
  char none = 0;
  ASSERT_EQ(read(running[0], &none, 1), 0);
  close(running[0]);
  EXPECT_EQ(ErrnoOf(open(At("sleep").c_str(), O_WRONLY)), ETXTBSY);
  EXPECT_EQ(ErrnoOf(truncate(At("sleep").c_str(), 0)), ETXTBSY);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(DataMountTest, TimesAreInNanosecondsAndTheChangeTimeIncreases) {
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  const timespec times[2] = {{1'000'000'000, 123'456'789}, {-5, 987'654'321}};
  ASSERT_EQ(utimensat(AT_FDCWD, At("f").c_str(), times, 0), 0);
  struct stat st = StatOf(At("f"));
  EXPECT_EQ(st.st_atim.tv_sec, 1'000'000'000);
  EXPECT_EQ(st.st_atim.tv_nsec, 123'456'789);
  EXPECT_EQ(st.st_mtim.tv_sec, -5);
  EXPECT_EQ(st.st_mtim.tv_nsec, 987'654'321);
  timespec last = st.st_ctim;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(chmod(At("f").c_str(), i % 2 ? 0644 : 0600), 0);
    const timespec now = StatOf(At("f")).st_ctim;
    EXPECT_TRUE(now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec > last.tv_nsec)) << i;
    last = now;
  }
  const timespec keep[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  ASSERT_EQ(utimensat(AT_FDCWD, At("f").c_str(), keep, 0), 0);
  st = StatOf(At("f"));
  EXPECT_EQ(st.st_atim.tv_nsec, 123'456'789);
  EXPECT_GT(st.st_mtim.tv_sec, 1'600'000'000);
}

TEST_F(DataMountTest, WritingAndReadingMoveTheTimes) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  const struct stat before = StatOf(At("f"));
  usleep(20'000);
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  struct stat after = StatOf(At("f"));
  EXPECT_GT(after.st_mtim.tv_sec * 1'000'000'000 + after.st_mtim.tv_nsec,
            before.st_mtim.tv_sec * 1'000'000'000 + before.st_mtim.tv_nsec);
  EXPECT_EQ(after.st_mtim.tv_nsec, after.st_ctim.tv_nsec);
  const struct stat directory = StatOf(directory_);
  ASSERT_TRUE(WriteAll(At("g"), ""));
  EXPECT_NE(StatOf(directory_).st_mtim.tv_nsec, directory.st_mtim.tv_nsec);
}

TEST_F(DataMountTest, XattrsAreKeptAndListed) {
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  const std::string path = At("f");
  const std::string large(60'000, 'v');
  EXPECT_EQ(setxattr(path.c_str(), "user.a", "1", 1, XATTR_CREATE), 0) << strerror(errno);
  EXPECT_EQ(ErrnoOf(setxattr(path.c_str(), "user.a", "2", 1, XATTR_CREATE)), EEXIST);
  EXPECT_EQ(ErrnoOf(setxattr(path.c_str(), "user.b", "2", 1, XATTR_REPLACE)), ENODATA);
  EXPECT_EQ(setxattr(path.c_str(), "user.large", large.data(), large.size(), 0), 0);
  std::string value(64 << 10, '\0');
  EXPECT_EQ(getxattr(path.c_str(), "user.large", value.data(), value.size()), static_cast<ssize_t>(large.size()));
  EXPECT_TRUE(value.substr(0, large.size()) == large);
  EXPECT_EQ(getxattr(path.c_str(), "user.large", nullptr, 0), static_cast<ssize_t>(large.size()));
  EXPECT_EQ(ErrnoOf(getxattr(path.c_str(), "user.large", value.data(), 10)), ERANGE);
  char names[256];
  const ssize_t size = listxattr(path.c_str(), names, sizeof names);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(names, static_cast<size_t>(size)), std::string("user.a\0user.large\0", 18));
  EXPECT_EQ(removexattr(path.c_str(), "user.a"), 0);
  EXPECT_EQ(ErrnoOf(getxattr(path.c_str(), "user.a", nullptr, 0)), ENODATA);
  if (geteuid() == 0) {
    EXPECT_EQ(setxattr(path.c_str(), "trusted.t", "1", 1, 0), 0);
    EXPECT_EQ(setxattr(path.c_str(), "security.x", "1", 1, 0), 0);
  }
}

TEST_F(DataMountTest, FsyncAndSyncSucceed) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_EQ(fsync(file.get()), 0);
  EXPECT_EQ(fdatasync(file.get()), 0);
  const base::Fd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(fsync(directory.get()), 0);
  const base::Fd root(open(mount_->mount_point().c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(fsync(root.get()), 0);
  EXPECT_EQ(syncfs(root.get()), 0);
}

TEST_F(DataMountTest, StatfsTellsWhatIsUsed) {
  struct statvfs before {
  }, after{};
  ASSERT_EQ(statvfs(directory_.c_str(), &before), 0);
  EXPECT_GT(before.f_blocks, 0);
  EXPECT_LE(before.f_bavail, before.f_bfree);
  EXPECT_LE(before.f_bfree, before.f_blocks);
  ASSERT_TRUE(WriteAll(At("f"), std::string(8 << 20, 'x')));
  const base::Fd root(open(mount_->mount_point().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(fsync(root.get()), 0);
  ASSERT_EQ(statvfs(directory_.c_str(), &after), 0);
  const uint64_t used = (before.f_bfree - after.f_bfree) * before.f_frsize;
  EXPECT_GE(used, 8u << 20);
  EXPECT_LE(used, 12u << 20);
}

TEST_F(DataMountTest, ManyThreadsWriteAndReadTheirFiles) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const std::string path = At(absl::StrCat("t", t, "-", i));
        const std::string text(static_cast<size_t>(i) * 997 + 1, static_cast<char>('a' + t));
        if (!WriteAll(path, text) || ReadAll(path) != text) ++wrong;
        if (i % 3 == 0 && unlink(path.c_str()) != 0) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace fs::testing
