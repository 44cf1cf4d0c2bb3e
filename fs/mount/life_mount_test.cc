// The life of a mount: background, signals, unmounting, and words that are wrong.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/mount/testing/test_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::HasSubstr;

class LifeMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
  }
  // Runs cachefs with `words`; its exit code, all it said in `said_`.
  int Run(const std::vector<std::string>& words) {
    std::vector<std::string> command = {ProgramFromEnvironment("CACHEFS")};
    command.insert(command.end(), words.begin(), words.end());
    return RunProgram(command, &said_);
  }
  bool Mounted() const {
    struct stat inside {
    }, outside{};
    return stat(mount_.mount_point().c_str(), &inside) == 0 && stat(mount_.directory().c_str(), &outside) == 0 &&
           inside.st_dev != outside.st_dev;
  }
  TestMount mount_;
  std::string said_;
};

TEST_F(LifeMountTest, TheBackgroundCommandReturnsWhenTheMountIsUsable) {
  ASSERT_EQ(Run({"--size", "512M", mount_.store(), mount_.mount_point()}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr(absl::StrCat(mount_.store(), " mounted on ", mount_.mount_point(), ": ")));
  EXPECT_THAT(said_, HasSubstr("% used"));
  EXPECT_TRUE(WriteAll(mount_.Path("f"), "x"));
  EXPECT_EQ(umount2(mount_.mount_point().c_str(), 0), 0);
}

TEST_F(LifeMountTest, AnIdleMountSleeps) {
  struct Use {
    uint64_t wakes = 0;
    double cpu_ms = 0;
  };
  const auto use = [this] {
    Use total;
    std::string threads;
    EXPECT_EQ(RunShell(absl::StrCat("ls /proc/", mount_.pid(), "/task"), &threads), 0);
    for (absl::string_view thread : absl::StrSplit(threads, '\n', absl::SkipEmpty())) {
      const std::string path = absl::StrCat("/proc/", mount_.pid(), "/task/", thread);
      for (absl::string_view line : absl::StrSplit(ReadAll(path + "/status"), '\n')) {
        uint64_t count = 0;
        if (absl::ConsumePrefix(&line, "voluntary_ctxt_switches:") && absl::SimpleAtoi(line, &count))
          total.wakes += count;
      }
      const std::vector<std::string> times = absl::StrSplit(ReadAll(path + "/schedstat"), ' ');
      uint64_t ns = 0;
      if (absl::SimpleAtoi(times[0], &ns)) total.cpu_ms += static_cast<double>(ns) / 1e6;
    }
    return total;
  };
  ASSERT_OK(mount_.Start());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(WriteAll(mount_.Path(absl::StrCat("f", i)), "x"));
  base::Fd root(open(mount_.mount_point().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(fsync(root.get()), 0);
  root.Reset();
  absl::SleepFor(absl::Seconds(2));  // what follows a commit, e.g. memory given back
  const Use before = use();
  absl::SleepFor(absl::Seconds(3));
  const Use after = use();
  // It looks for expired files once a second.
  EXPECT_LE(after.wakes - before.wakes, 45u);
  EXPECT_LE(after.cpu_ms - before.cpu_ms, 30);
  EXPECT_OK(mount_.Stop());
}

TEST_F(LifeMountTest, TermAndIntEndItCleanly) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ASSERT_OK(mount_.Start());
    EXPECT_TRUE(WriteAll(mount_.Path("f"), "x"));
    mount_.Signal(signal);
    EXPECT_EQ(mount_.WaitForExit(), 0);
    EXPECT_FALSE(Mounted());
  }
}

TEST_F(LifeMountTest, ASignalEndsABusyMountToo) {
  ASSERT_OK(mount_.Start());
  const base::Fd file(open(mount_.Path("f").c_str(), O_CREAT | O_RDWR, 0644));
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  mount_.Signal(SIGTERM);
  EXPECT_EQ(mount_.WaitForExit(), 0);
  EXPECT_FALSE(Mounted());
  char byte = 0;
  EXPECT_EQ(ErrnoOf(pread(file.get(), &byte, 1, 4096)), ENOTCONN);
}

TEST_F(LifeMountTest, ABusyMountIsNotUnmounted) {
  ASSERT_OK(mount_.Start());
  {
    const base::Fd file(open(mount_.Path("f").c_str(), O_CREAT | O_RDWR, 0644));
    EXPECT_EQ(ErrnoOf(umount2(mount_.mount_point().c_str(), 0)), EBUSY);
    EXPECT_EQ(write(file.get(), "x", 1), 1);
  }
  EXPECT_OK(mount_.Stop());
}

TEST_F(LifeMountTest, AReadOnlyMountRefusesEveryChange) {
  ASSERT_OK(mount_.Start());
  ASSERT_TRUE(WriteAll(mount_.Path("f"), "x"));
  ASSERT_OK(mount_.Stop());
  ASSERT_OK(mount_.Start({"-o", "ro"}));
  EXPECT_EQ(ErrnoOf(open(mount_.Path("g").c_str(), O_CREAT | O_WRONLY, 0644)), EROFS);
  EXPECT_EQ(ErrnoOf(mkdir(mount_.Path("d").c_str(), 0755)), EROFS);
  EXPECT_EQ(ErrnoOf(chmod(mount_.mount_point().c_str(), 0700)), EROFS);
  EXPECT_OK(mount_.Stop());
}

TEST_F(LifeMountTest, ABadMountPointIsNamed) {
  EXPECT_EQ(Run({mount_.store(), mount_.directory() + "/none"}), 1);
  EXPECT_THAT(said_, HasSubstr("/none does not exist: mkdir it first"));
  ASSERT_TRUE(WriteAll(mount_.directory() + "/file", "x"));
  EXPECT_EQ(Run({mount_.store(), mount_.directory() + "/file"}), 1);
  EXPECT_THAT(said_, HasSubstr("is not a directory"));
  ASSERT_TRUE(WriteAll(mount_.Path("hidden"), "x"));
  EXPECT_EQ(Run({mount_.store(), mount_.mount_point()}), 1);
  EXPECT_THAT(said_, HasSubstr("is not empty"));
  ASSERT_EQ(unlink(mount_.Path("hidden").c_str()), 0);
  ASSERT_OK(mount_.Start());
  EXPECT_EQ(Run({mount_.directory() + "/other.img", mount_.mount_point()}), 1);
  EXPECT_THAT(said_, HasSubstr("is busy"));
  EXPECT_OK(mount_.Stop());
}

TEST_F(LifeMountTest, WrongWordsAreUsageErrors) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"a", "b", "c"}), 2);
  EXPECT_EQ(Run({"-o", "allow_othr", mount_.store(), mount_.mount_point()}), 2);
  EXPECT_THAT(said_, HasSubstr("did you mean \"allow_other\""));
  EXPECT_EQ(Run({"--size", "lots", mount_.store(), mount_.mount_point()}), 2);
  EXPECT_EQ(Run({"--no-such-flag"}), 2);
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(said_, HasSubstr("cachefs /dev/vdb /mnt"));
  EXPECT_EQ(Run({"--version"}), 0);
}

TEST_F(LifeMountTest, StoreAndLogsMayNotLieOnTheMountItself) {
  EXPECT_EQ(Run({"--size", "512M", mount_.Path("store.img"), mount_.mount_point()}), 1);
  EXPECT_THAT(said_, HasSubstr("the store"));
  EXPECT_THAT(said_, HasSubstr("would wait for itself"));
  EXPECT_EQ(Run({"--log-dir", mount_.Path("log"), "--size", "512M", mount_.store(), mount_.mount_point()}), 1);
  EXPECT_THAT(said_, HasSubstr("the log directory"));
}

TEST_F(LifeMountTest, ADeadMountIsExplained) {
  ASSERT_OK(mount_.Start());
  mount_.Signal(SIGKILL);
  EXPECT_EQ(mount_.WaitForExit(), 128 + SIGKILL);
  EXPECT_EQ(Run({mount_.store(), mount_.mount_point()}), 1);
  EXPECT_THAT(said_, HasSubstr("whose daemon is gone: umount"));
  EXPECT_EQ(umount2(mount_.mount_point().c_str(), 0), 0);
}

TEST_F(LifeMountTest, LogsGoToADirectory) {
  const std::string logs = mount_.directory() + "/logs";
  ASSERT_OK(mount_.Start({"--log-dir", logs}));
  ASSERT_OK(mount_.Stop());
  std::string text;
  EXPECT_EQ(RunShell("cat " + logs + "/*INFO*", &text), 0);
  EXPECT_THAT(text, HasSubstr("mounted store="));
  EXPECT_THAT(text, HasSubstr("unmounted mount="));
}

TEST_F(LifeMountTest, PlainOpenWorksAsWell) {
  ASSERT_OK(mount_.Start({"-o", "plain_open"}));
  EXPECT_TRUE(WriteAll(mount_.Path("f"), "first"));
  EXPECT_TRUE(WriteAll(mount_.Path("f"), "2nd"));
  EXPECT_EQ(ReadAll(mount_.Path("f")), "2nd");
  const auto counts = mount_.RequestCounts();
  ASSERT_OK(counts);
  EXPECT_GE(counts->at("OPEN"), 2);
  EXPECT_EQ(counts->at("CREATE"), 1);
  EXPECT_EQ(counts->count("MKNOD"), 0);
  EXPECT_OK(mount_.Stop());
}

TEST_F(LifeMountTest, AnUnmountedImageWaitsForMappedPages) {
  ASSERT_OK(mount_.Start());
  ASSERT_TRUE(WriteAll(mount_.Path("f"), std::string(8192, 'x')));
  {
    const base::Fd file(open(mount_.Path("f").c_str(), O_RDWR));
    void* const memory = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    ASSERT_NE(memory, MAP_FAILED);
    static_cast<char*>(memory)[5000] = 'M';
    munmap(memory, 8192);
  }
  const auto before = mount_.RequestCounts();
  mount_.Signal(SIGTERM);  // without msync or fsync
  EXPECT_EQ(mount_.WaitForExit(), 0);
}

}  // namespace
}  // namespace fs::testing
