// Rules of the mount whose violation was seen to lose data or to deadlock, each by name. docs/proof/crash.md has the table
// of all such rules and their tests.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/client/tree_client.h"
#include "fs/mount/testing/shared_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

class RulesMountTest : public SharedMountTest {
 protected:
  // A hang is a failure, with the test's name.
  void SetUp() override {
    SharedMountTest::SetUp();
    alarm(120);
  }
  void TearDown() override { alarm(0); }

  void Store(TreeClient& client, const std::string& path, const std::string& data) {
    const StoreItem item = {.path = path, .data = data};
    EXPECT_OK(client.Store({&item, 1}, {}, [](size_t, absl::StatusOr<bool> written) { return written.ok(); }));
  }
  static std::set<std::string> List(DIR* directory) {
    std::set<std::string> names;
    rewinddir(directory);
    while (const dirent* entry = readdir(directory)) {
      if (entry->d_name[0] != '.') names.insert(entry->d_name);
    }
    return names;
  }
};

// With FUSE_CAP_ATOMIC_O_TRUNC and no OPEN nobody would truncate.
TEST_F(RulesMountTest, OpeningWithTruncIsNotLost) {
  ASSERT_TRUE(WriteAll(At("f"), "long content"));
  { const base::Fd file(open(At("f").c_str(), O_WRONLY | O_TRUNC)); }
  EXPECT_EQ(StatOf(At("f")).st_size, 0);
  ASSERT_TRUE(WriteAll(At("f"), "long content"));
  { const base::Fd file(open(At("f").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)); }
  EXPECT_EQ(ReadAll(At("f")), "");
}

// Without OPENDIR the kernel would cache listings and hide names that we add.
TEST_F(RulesMountTest, AListingShowsWhatABatchAdded) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TreeClient> client, TreeClient::ForPath(directory_));
  Store(*client, "a", "x");
  DIR* const directory = opendir(directory_.c_str());
  ASSERT_NE(directory, nullptr);
  EXPECT_THAT(List(directory), ::testing::ElementsAre("a"));
  EXPECT_THAT(List(directory), ::testing::ElementsAre("a"));
  Store(*client, "b", "x");
  EXPECT_THAT(List(directory), ::testing::ElementsAre("a", "b"));
  const absl::string_view path = "a";
  EXPECT_OK(client->Remove({&path, 1}, {}, [](size_t, absl::StatusOr<bool> existed) { return existed.ok(); }));
  EXPECT_THAT(List(directory), ::testing::ElementsAre("b"));
  closedir(directory);
}

// A notice that was sent by a thread that a reply waits for, or that holds a lock, would wait for the directory lock that
// the kernel holds for a MKNOD, UNLINK or RENAME of the same directory.
TEST_F(RulesMountTest, BatchesAndSystemCallsInOneDirectoryDoNotDeadlock) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, t, &stop] {
      for (int i = 0; !stop; ++i) {
        const std::string own = At(absl::StrCat("own", t));
        const std::string shared = At(absl::StrCat("shared", i % 5));
        EXPECT_TRUE(WriteAll(own, "x"));
        EXPECT_EQ(rename(own.c_str(), shared.c_str()), 0) << strerror(errno);
        unlink(shared.c_str());
        StatOf(directory_);
      }
    });
  }
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([this, t, &stop] {
      const absl::StatusOr<std::unique_ptr<TreeClient>> client = TreeClient::ForPath(directory_);
      ASSERT_OK(client.status());
      for (int i = 0; i < 300; ++i) {
        const std::string path = absl::StrCat("shared", i % 5);
        Store(**client, path, "from a batch");
        const absl::string_view view = path;
        EXPECT_OK((*client)->Remove({&view, 1}, {}, [](size_t, absl::StatusOr<bool> existed) { return existed.ok(); }));
      }
      if (t == 0) stop = true;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A store into the kernel's page cache that lands after a program's write destroys it, even after its fsync.
TEST_F(RulesMountTest, NothingIsEverStoredIntoTheKernelsCache) {
  std::string symbols;
  ASSERT_EQ(RunProgram({"nm", "-D", "--undefined-only", ProgramFromEnvironment("CACHEFS")}, &symbols), 0) << symbols;
  EXPECT_THAT(symbols, ::testing::HasSubstr("fuse_lowlevel_notify_inval_entry"));
  EXPECT_THAT(symbols, ::testing::Not(::testing::HasSubstr("fuse_lowlevel_notify_store")));
}

// A parked READ cannot be killed and starves the mount.
TEST_F(RulesMountTest, ReadingASessionNeverWaitsForWork) {
  const base::Fd session(
      open(At(".cachefs/batch/idle").c_str(), O_CREAT | O_EXCL | O_RDWR | O_DIRECT | O_CLOEXEC, 0600));
  ASSERT_TRUE(session.valid()) << strerror(errno);
  std::vector<char> answer(64 << 10);
  void* aligned = nullptr;
  ASSERT_EQ(posix_memalign(&aligned, 4096, answer.size()), 0);
  EXPECT_GE(pread(session.get(), aligned, answer.size(), 0), -1);  // what it says is free to it
  free(aligned);
  EXPECT_TRUE(WriteAll(At("f"), "the mount goes on"));
}

// INTERRUPT is ignored for ordinary files: programs do not expect a write to be cut short.
TEST_F(RulesMountTest, SignalsDoNotCutReadsAndWritesShort) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  struct sigaction before {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);  // without SA_RESTART
  std::atomic<bool> stop{false};
  const pthread_t self = pthread_self();
  std::thread disturber([self, &stop] {
    while (!stop) {
      pthread_kill(self, SIGUSR1);
      usleep(200);
    }
  });
  const std::string content(6 << 20, 'x');
  std::string found(content.size(), '\0');
  for (int i = 0; i < 10; ++i) {
    const base::Fd file(open(At("f").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_EQ(write(file.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_EQ(fsync(file.get()), 0);
    EXPECT_EQ(pread(file.get(), found.data(), found.size(), 0), static_cast<ssize_t>(found.size()));
    EXPECT_TRUE(found == content);
  }
  stop = true;
  disturber.join();
  sigaction(SIGUSR1, &before, nullptr);
}

// One full barrier for whoever cannot fsync every file.
TEST(RulesOwnMountTest, FsyncOfTheRootDirectoryMakesEverythingDurable) {
  SKIP_WITHOUT_FUSE();
  TestMount mount;
  ASSERT_OK(mount.Start());
  ASSERT_EQ(mkdir(mount.Path("d").c_str(), 0755), 0);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(WriteAll(mount.Path(absl::StrCat("d/f", i)), std::string(static_cast<size_t>(i) * 1000, 'x')));
  }
  {
    const base::Fd root(open(mount.mount_point().c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(fsync(root.get()), 0);
  }
  mount.Kill();
  ASSERT_OK(mount.Start());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ReadAll(mount.Path(absl::StrCat("d/f", i))).size(), static_cast<size_t>(i) * 1000);
  }
  EXPECT_OK(mount.Stop());
}

}  // namespace
}  // namespace fs::testing
