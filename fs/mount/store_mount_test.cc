// Stores that cannot be mounted as they are: each is named clearly, and nothing is lost.
//
// "Untouched" means byte for byte: what is refused is not written to.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/disk/testing/loop_device.h"
#include "fs/format/superblock.h"
#include "fs/mount/testing/test_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kStoreBytes = 64 << 20;

void Overwrite(const std::string& path, uint64_t offset, const std::string& bytes) {
  const base::Fd file(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
  ASSERT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
            static_cast<ssize_t>(bytes.size()));
}

class StoreMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
  }
  // Runs cachefs with `words` and the store; its exit code, all it said in `said_`.
  int Mount(const std::vector<std::string>& words = {}) { return MountFrom(mount_.store(), words); }
  int MountFrom(const std::string& store, std::vector<std::string> words = {}) {
    words.insert(words.begin(), ProgramFromEnvironment("CACHEFS"));
    words.insert(words.end(), {store, mount_.mount_point()});
    return RunProgram(words, &said_);
  }
  int Cachectl(std::vector<std::string> words) {
    words.insert(words.begin(), ProgramFromEnvironment("CACHECTL"));
    return RunProgram(words, &said_);
  }
  int Fsck() { return Cachectl({"fsck", "--data", mount_.store()}); }
  // The daemon goes on in the background; the next command waits for it.
  void Unmount() { EXPECT_EQ(umount2(mount_.mount_point().c_str(), 0), 0) << strerror(errno); }
  // A volume with a file, cleanly unmounted.
  void MakeStore() {
    ASSERT_EQ(Cachectl({"mkfs", "-q", "--size", absl::StrCat(kStoreBytes), mount_.store()}), 0) << said_;
    ASSERT_OK(mount_.Start());
    ASSERT_TRUE(WriteAll(mount_.Path("f"), "kept"));
    ASSERT_OK(mount_.Stop());
  }
  // Empty but for `bytes` at `offset`.
  void MakeImage(uint64_t size, uint64_t offset, const std::string& bytes) {
    unlink(mount_.store().c_str());
    Overwrite(mount_.store(), offset, bytes);
    ASSERT_EQ(truncate(mount_.store().c_str(), static_cast<off_t>(size)), 0);
  }
  // Writes all copies anew after `change`, with good checksums.
  template <typename Change>
  void ChangeSuperblocks(Change change) {
    for (int copy = 0; copy < kSuperblockCopies; ++copy) {
      const uint64_t address = SuperblockAddress(copy, kStoreBytes);
      std::string block = ReadAll(mount_.store()).substr(address, kSuperblockBytes);
      const absl::Span<uint8_t> bytes(reinterpret_cast<uint8_t*>(block.data()), block.size());
      ASSERT_OK_AND_ASSIGN(Superblock superblock, DecodeSuperblock(bytes, address));
      change(superblock);
      Encode(superblock, address, bytes);
      Overwrite(mount_.store(), address, block);
    }
  }
  void ExpectKept() { EXPECT_EQ(ReadAll(mount_.Path("f")), "kept"); }

  TestMount mount_;
  std::string said_;
};

TEST_F(StoreMountTest, AMissingOneIsNotMadeUnasked) {
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("cachectl mkfs --size"));
  EXPECT_NE(access(mount_.store().c_str(), F_OK), 0);
  EXPECT_EQ(Fsck(), 8);
  EXPECT_THAT(said_, HasSubstr(mount_.store()));
}

TEST_F(StoreMountTest, AForeignOneIsNamedAndUntouchedUnlessForced) {
  const struct {
    uint64_t offset;
    std::string bytes;
    const char* name;
  } kForeign[] = {
      {1080, "\x53\xef", "ext2, ext3 or ext4"},
      {0, "XFSB", "XFS"},
      {65600, "_BHRfS_M", "btrfs"},
      {4086, "SWAPSPACE2", "swap"},
      {0, "LUKS\xba\xbe", "LUKS"},
      {512, "LABELONE", "LVM"},
      {3, "NTFS    ", "NTFS"},
      {512, "EFI PART", "GPT partition table"},
      {510, "\x55\xaa", "MBR partition table"},
      {32769, "CD001", "ISO 9660"},
      {20000, "somebody's data", "unknown data"},
  };
  for (const auto& foreign : kForeign) {
    MakeImage(kStoreBytes, foreign.offset, foreign.bytes);
    const std::string before = ReadAll(mount_.store());
    EXPECT_EQ(Mount(), 1);
    EXPECT_THAT(said_, HasSubstr(foreign.name));
    EXPECT_THAT(said_, HasSubstr(mount_.store()));
    EXPECT_THAT(said_, HasSubstr("--force"));
    EXPECT_EQ(Cachectl({"mkfs", mount_.store()}), 1);
    EXPECT_THAT(said_, HasSubstr(foreign.name));
    EXPECT_THAT(said_, HasSubstr("--force"));
    EXPECT_EQ(Fsck(), 8);
    EXPECT_THAT(said_, HasSubstr(foreign.name));
    EXPECT_TRUE(ReadAll(mount_.store()) == before) << foreign.name;
  }
  EXPECT_EQ(Mount({"--force"}), 0) << said_;
  Unmount();
  EXPECT_EQ(Fsck(), 0) << said_;
  MakeImage(kStoreBytes, 1080, "\x53\xef");
  EXPECT_EQ(Cachectl({"mkfs", "--force", mount_.store()}), 0) << said_;
  EXPECT_EQ(Mount(), 0) << said_;
  Unmount();
  // A volume of our own is as dear.
  EXPECT_EQ(Cachectl({"mkfs", mount_.store()}), 1);
  EXPECT_THAT(said_, HasSubstr("a cachefs volume already"));
}

TEST_F(StoreMountTest, AFilesystemMadeOverAVolumeIsNotRepairedAway) {
  MakeStore();
  // The new one has spared two of the three copies.
  Overwrite(mount_.store(), 0, std::string(1080, '\0') + "\x53\xef" + std::string(3000, 'e'));
  const std::string before = ReadAll(mount_.store());
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("ext2, ext3 or ext4"));
  EXPECT_THAT(said_, HasSubstr("read-only"));
  EXPECT_TRUE(ReadAll(mount_.store()) == before);
  EXPECT_EQ(Mount({"-o", "ro"}), 0) << said_;
  ExpectKept();
  Unmount();
  EXPECT_EQ(Fsck(), 0) << said_;  // also waits for the daemon's end
  EXPECT_TRUE(ReadAll(mount_.store()) == before);
}

TEST_F(StoreMountTest, OneThatIsTooSmallIsRefused) {
  for (const uint64_t size : {0, 2048, 1 << 20}) {
    MakeImage(size, 0, "");
    EXPECT_EQ(Mount(), 1);
    EXPECT_THAT(said_, HasSubstr(mount_.store()));
    EXPECT_EQ(Cachectl({"mkfs", mount_.store()}), 1);
    EXPECT_THAT(said_, HasSubstr("too small"));
    EXPECT_EQ(Fsck(), 8);
  }
  unlink(mount_.store().c_str());
  EXPECT_EQ(Cachectl({"mkfs", "--size", "1M", mount_.store()}), 1);
  EXPECT_THAT(said_, HasSubstr("needs at least"));
  EXPECT_EQ(Mount({"--size", "1M"}), 1);
  EXPECT_NE(access(mount_.store().c_str(), F_OK), 0) << "half a store was left";
}

TEST_F(StoreMountTest, ATruncatedOneIsRefusedAndAGrownOneNoted) {
  MakeStore();
  ASSERT_EQ(truncate(mount_.store().c_str(), kStoreBytes + (16 << 20)), 0);
  EXPECT_EQ(Mount(), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("has grown"));
  ExpectKept();
  Unmount();
  EXPECT_EQ(Fsck(), 0) << said_;
  for (const uint64_t size : {kStoreBytes - 4096, kStoreBytes / 2, uint64_t{200 << 10}}) {
    const std::string cut = ReadAll(mount_.store()).substr(size, kStoreBytes - size);
    ASSERT_EQ(truncate(mount_.store().c_str(), static_cast<off_t>(size)), 0);
    EXPECT_EQ(Mount(), 1);
    EXPECT_THAT(said_, HasSubstr("has shrunk"));
    EXPECT_THAT(said_, HasSubstr(absl::StrCat(size)));
    EXPECT_EQ(Mount({"--force"}), 1) << "a volume of ours is not formatted over";
    EXPECT_EQ(Fsck(), 4);
    EXPECT_THAT(said_, HasSubstr("V3"));
    Overwrite(mount_.store(), size, cut);
    EXPECT_EQ(Mount(), 0) << said_;
    ExpectKept();
    Unmount();
    EXPECT_EQ(Fsck(), 0) << said_;
  }
}

TEST_F(StoreMountTest, ADamagedSuperblockCopyIsMadeGoodAndSaidSo) {
  MakeStore();
  for (int copy = 0; copy < kSuperblockCopies; ++copy) {
    Overwrite(mount_.store(), SuperblockAddress(copy, kStoreBytes) + 100, std::string(2000, 'g'));
    const std::string name = absl::StrCat("superblock copy ", copy);
    EXPECT_EQ(Fsck(), 0);
    EXPECT_THAT(said_, HasSubstr(name));
    EXPECT_THAT(said_, HasSubstr("repaired at the next mount"));
    EXPECT_EQ(Mount({"-o", "ro"}), 0) << said_;
    EXPECT_THAT(said_, HasSubstr(absl::StrCat(name, " at ")));
    EXPECT_THAT(said_, Not(HasSubstr("made good")));
    ExpectKept();
    Unmount();
    EXPECT_EQ(Mount(), 0) << said_;
    EXPECT_THAT(said_, HasSubstr(absl::StrCat(name, " was made good")));
    ExpectKept();
    Unmount();
    EXPECT_EQ(Fsck(), 0);
    EXPECT_THAT(said_, Not(HasSubstr("superblock")));
  }
}

TEST_F(StoreMountTest, WithoutAnySuperblockNothingIsGuessed) {
  MakeStore();
  for (int copy = 0; copy < kSuperblockCopies; ++copy) {
    Overwrite(mount_.store(), SuperblockAddress(copy, kStoreBytes) + 100, "gone");
  }
  const std::string before = ReadAll(mount_.store());
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("no cachefs volume"));
  EXPECT_EQ(Fsck(), 8);
  EXPECT_EQ(Cachectl({"mkfs", mount_.store()}), 1);
  EXPECT_TRUE(ReadAll(mount_.store()) == before);
}

TEST_F(StoreMountTest, ANewerFormatIsRefusedAndUntouched) {
  MakeStore();
  ChangeSuperblocks([](Superblock& superblock) { superblock.format_version = kFormatVersion + 1; });
  std::string before = ReadAll(mount_.store());
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{}, {"-o", "ro"}, {"--force"}}) {
    EXPECT_EQ(Mount(words), 1);
    EXPECT_THAT(said_, HasSubstr(absl::StrCat("version ", kFormatVersion + 1)));
    EXPECT_THAT(said_, HasSubstr("newer cachefs"));
  }
  EXPECT_EQ(Fsck(), 8);
  EXPECT_THAT(said_, HasSubstr(absl::StrCat("version ", kFormatVersion + 1)));
  EXPECT_EQ(Cachectl({"mkfs", mount_.store()}), 1);
  EXPECT_TRUE(ReadAll(mount_.store()) == before);
}

TEST_F(StoreMountTest, FeaturesThatOnlyForbidWritingLeaveReading) {
  MakeStore();
  ChangeSuperblocks([](Superblock& superblock) { superblock.features_ro_compat = 8; });
  EXPECT_EQ(Mount(), 1);
  EXPECT_THAT(said_, HasSubstr("open it read-only"));
  EXPECT_EQ(Mount({"-o", "ro"}), 0) << said_;
  ExpectKept();
  Unmount();
}

TEST_F(StoreMountTest, OneThatIsMountedIsLeftAloneByEverybodyElse) {
  MakeStore();
  ASSERT_OK(mount_.Start());
  const std::string other = mount_.directory() + "/other";
  ASSERT_EQ(mkdir(other.c_str(), 0755), 0);
  const std::string symbolic = mount_.directory() + "/symbolic";
  ASSERT_EQ(symlink("store.img", symbolic.c_str()), 0);
  const std::string already = absl::StrCat("is mounted on ", mount_.mount_point(), " already");
  for (const std::string& store : {mount_.store(), symbolic}) {
    EXPECT_EQ(RunProgram({ProgramFromEnvironment("CACHEFS"), store, other}, &said_), 1);
    EXPECT_THAT(said_, HasSubstr(already));
    EXPECT_EQ(RunProgram({ProgramFromEnvironment("CACHEFS"), "-o", "ro", store, other}, &said_), 1);
    EXPECT_THAT(said_, HasSubstr(already));
  }
  for (const char* command : {"info", "dump", "mkfs"}) {
    EXPECT_EQ(Cachectl({command, mount_.store()}), 1) << command;
    EXPECT_THAT(said_, HasSubstr(already));
  }
  EXPECT_EQ(Cachectl({"mkfs", "--force", mount_.store()}), 1);
  EXPECT_EQ(Fsck(), 8);
  EXPECT_THAT(said_, HasSubstr(already));
  ExpectKept();
  EXPECT_OK(mount_.Stop());
  EXPECT_EQ(Fsck(), 0) << said_;
}

TEST_F(StoreMountTest, AReadOnlyMediumSaysSoAndCanBeLookedAt) {
  MakeStore();
  const absl::StatusOr<LoopDevice> loop = LoopDevice::Attach(mount_.store());
  if (!loop.ok()) GTEST_SKIP() << "no loop device: " << loop.status();
  const base::Fd device(open(loop->path().c_str(), O_RDONLY));
  const auto set_read_only = [&device](int on) { return ioctl(device.get(), BLKROSET, &on); };
  ASSERT_EQ(set_read_only(1), 0);
  EXPECT_EQ(MountFrom(loop->path()), 1);
  EXPECT_THAT(said_, HasSubstr("read-only (-o ro)"));
  EXPECT_EQ(Cachectl({"mkfs", "--force", loop->path()}), 1);
  EXPECT_THAT(said_, HasSubstr("read-only"));
  EXPECT_EQ(Cachectl({"fsck", loop->path()}), 0) << said_;
  EXPECT_EQ(MountFrom(loop->path(), {"-o", "ro"}), 0) << said_;
  ExpectKept();
  EXPECT_EQ(ErrnoOf(open(mount_.Path("g").c_str(), O_CREAT | O_WRONLY, 0600)), EROFS);
  Unmount();
  EXPECT_EQ(Cachectl({"fsck", loop->path()}), 0) << said_;
  ASSERT_EQ(set_read_only(0), 0);
}

TEST_F(StoreMountTest, AFileThatCannotBeWrittenSaysSoAndCanBeLookedAt) {
  MakeStore();
  const std::string host = mount_.directory() + "/host";
  ASSERT_EQ(RunShell(absl::StrCat("mkdir ", host, "; mount -t tmpfs -o size=80m none ", host, "; cp ", mount_.store(),
                                  " ", host, "; mount -o remount,ro ", host)),
            0);
  EXPECT_EQ(MountFrom(host + "/store.img"), 1);
  EXPECT_THAT(said_, HasSubstr("read-only (-o ro)"));
  EXPECT_EQ(MountFrom(host + "/store.img", {"-o", "ro"}), 0) << said_;
  ExpectKept();
  Unmount();
  EXPECT_EQ(MountFrom(host + "/new.img", {"--size", "32M"}), 1);
  EXPECT_THAT(said_, HasSubstr("Read-only file system"));
  EXPECT_EQ(Cachectl({"fsck", host + "/store.img"}), 0) << said_;  // waits for the daemon's end
  EXPECT_EQ(umount2(host.c_str(), 0), 0) << strerror(errno);
}

TEST_F(StoreMountTest, AnotherUsersIsRefusedByName) {
  MakeStore();
  const std::string directory = mount_.directory();
  ASSERT_EQ(chmod(mount_.store().c_str(), 0600), 0);
  // Where an ordinary user may run it.
  ASSERT_EQ(
      RunShell(absl::StrCat("cp ", ProgramFromEnvironment("CACHEFS"), " ", directory, "/cachefs; chmod 755 ", directory,
                            "/cachefs; mkdir ", directory, "/mine; chown 1000:1000 ", directory, "/mine")),
      0);
  const std::string as_user = absl::StrCat("setpriv --reuid 1000 --regid 1000 --clear-groups ", directory, "/cachefs ");
  for (const char* words : {"", "-o ro "}) {
    EXPECT_EQ(RunShell(absl::StrCat(as_user, words, mount_.store(), " ", directory, "/mine"), &said_), 1);
    EXPECT_THAT(said_, HasSubstr("Permission denied"));
    EXPECT_THAT(said_, HasSubstr(mount_.store()));
    EXPECT_THAT(said_, HasSubstr("chown"));
  }
  // Readable only: it may be looked at, on a mount point of one's own.
  ASSERT_EQ(chmod(mount_.store().c_str(), 0644), 0);
  EXPECT_EQ(RunShell(absl::StrCat(as_user, mount_.store(), " ", directory, "/mine"), &said_), 1);
  EXPECT_THAT(said_, HasSubstr("read-only (-o ro)"));
  EXPECT_EQ(RunShell(absl::StrCat(as_user, "-o ro ", mount_.store(), " ", mount_.mount_point()), &said_), 1);
  EXPECT_THAT(said_, HasSubstr("no write access to mountpoint"));
  EXPECT_EQ(RunShell(absl::StrCat(as_user, "--size 32M ", directory, "/new.img ", directory, "/mine"), &said_), 1);
  EXPECT_THAT(said_, HasSubstr("Permission denied"));
}

TEST_F(StoreMountTest, AMachineWithoutFuseIsTold) {
  MakeStore();
  EXPECT_EQ(RunShell(absl::StrCat("unshare -m sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && "
                                  "mknod -m 666 /dev/urandom c 1 9 && exec \"$0\" \"$@\"' ",
                                  ProgramFromEnvironment("CACHEFS"), " ", mount_.store(), " ", mount_.mount_point()),
                     &said_),
            1);
  EXPECT_THAT(said_, HasSubstr("no /dev/fuse"));
  EXPECT_THAT(said_, HasSubstr("modprobe fuse"));
}

TEST_F(StoreMountTest, WhatIsNoDiskIsNamed) {
  EXPECT_EQ(MountFrom("/dev/null"), 1);
  EXPECT_THAT(said_, HasSubstr("neither a block device nor a regular file"));
  EXPECT_EQ(MountFrom(mount_.directory()), 1);
  EXPECT_THAT(said_, HasSubstr("neither a block device nor a regular file"));
}

TEST_F(StoreMountTest, ALogDirectoryThatCannotBeMadeIsNamed) {
  MakeStore();
  EXPECT_EQ(Mount({"--log-dir", "/proc/nothing"}), 1);
  EXPECT_THAT(said_, HasSubstr("mkdir /proc/nothing"));
}

TEST_F(StoreMountTest, AnErrorIsSaidOnce) {
  EXPECT_EQ(Mount(), 1);
  EXPECT_EQ(said_.find("there is no"), said_.rfind("there is no"));
}

// A sparse image on a filesystem that fills up below it.
class FullHostTest : public StoreMountTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    StoreMountTest::SetUp();
    if (IsSkipped()) return;
    host_ = mount_.directory() + "/host";
    const std::string disk = mount_.directory() + "/disk";
    const std::string make = GetParam() == "tmpfs" ? absl::StrCat("mount -t tmpfs -o size=48m none ", host_)
                                                   : absl::StrCat("truncate -s 64M ", disk, "; mkfs.ext4 -q -m 0 ",
                                                                  disk, "; mount -o loop ", disk, " ", host_);
    if (RunShell(absl::StrCat("mkdir ", host_, "; ", make), &said_) != 0) GTEST_SKIP() << said_;
    store_ = host_ + "/s.img";
    ASSERT_EQ(RunShell("truncate -s 256M " + store_), 0);
    ASSERT_EQ(Cachectl({"mkfs", "-q", store_}), 0) << said_;
  }
  void TearDown() override {
    if (store_.empty()) return;
    EXPECT_EQ(umount2(host_.c_str(), 0), 0) << strerror(errno);
  }
  static std::string Content(int i) { return std::string(1 << 20, static_cast<char>('a' + i % 26)); }
  // 0, or the errno of writing or fsync.
  int WriteDurably(int i) {
    const base::Fd file(open(mount_.Path(absl::StrCat("f", i)).c_str(), O_CREAT | O_WRONLY, 0600));
    if (!file.valid()) return errno;
    const std::string content = Content(i);
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0) return errno;
    EXPECT_EQ(written, static_cast<ssize_t>(content.size()));
    return ErrnoOf(fsync(file.get()));
  }
  void ExpectAll(int count) {
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(ReadAll(mount_.Path(absl::StrCat("f", i))) == Content(i)) << "file " << i;
    }
  }

  std::string host_;
  std::string store_;
};

TEST_P(FullHostTest, NothingAcknowledgedIsLost) {
  const std::string logs = mount_.directory() + "/logs";
  ASSERT_EQ(MountFrom(store_, {"--log-dir", logs}), 0) << said_;
  int acknowledged = 0;
  int error = 0;
  while (error == 0 && acknowledged < 200) {
    error = WriteDurably(acknowledged);
    if (error == 0) ++acknowledged;
  }
  EXPECT_TRUE(error == EIO || error == ENOSPC) << strerror(error);
  EXPECT_GT(acknowledged, 5);
  // Read-only from here on: it says so, and goes on reading.
  EXPECT_EQ(ErrnoOf(mkdir(mount_.Path("later").c_str(), 0700)), EROFS);
  ExpectAll(acknowledged);
  Unmount();
  EXPECT_EQ(Cachectl({"fsck", "--data", store_}), 0) << said_;  // waits for the daemon's end
  EXPECT_EQ(RunShell("cat " + logs + "/cachefs.ERROR", &said_), 0);
  EXPECT_THAT(said_, HasSubstr("read-only"));
  EXPECT_THAT(said_, HasSubstr("No space left on device"));
  // As it is, and once somebody has made room.
  ASSERT_EQ(MountFrom(store_, {"-o", "ro"}), 0) << said_;
  ExpectAll(acknowledged);
  Unmount();
  EXPECT_EQ(Cachectl({"fsck", store_}), 0) << said_;
  if (GetParam() == "tmpfs") {
    ASSERT_EQ(RunShell("mount -o remount,size=90m " + host_), 0);
    ASSERT_EQ(MountFrom(store_), 0) << said_;
    EXPECT_EQ(WriteDurably(acknowledged), 0);
    ExpectAll(acknowledged + 1);
    Unmount();
    EXPECT_EQ(Cachectl({"fsck", "--data", store_}), 0) << said_;
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, FullHostTest, ::testing::Values("tmpfs", "ext4"),
                         [](const ::testing::TestParamInfo<std::string>& info) { return info.param; });

}  // namespace
}  // namespace fs::testing
