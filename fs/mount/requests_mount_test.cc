// How many requests each operation costs on a real mount. What is counted here cannot
// grow unseen.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "fs/mount/testing/shared_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uint64_t kCount = 100;
using Counts = std::map<std::string, uint64_t>;

// What `work` cost in requests, without FORGETs, which the kernel sends when it likes.
Counts CostOf(const TestMount& mount, const std::function<void()>& work) {
  const absl::StatusOr<Counts> before = mount.RequestCounts();
  work();
  const absl::StatusOr<Counts> after = mount.RequestCounts();
  if (!before.ok() || !after.ok()) {
    ADD_FAILURE() << before.status() << after.status();
    return {};
  }
  Counts cost;
  for (const auto& [name, count] : *after) {
    const auto old = before->find(name);
    const uint64_t more = count - (old == before->end() ? 0 : old->second);
    if (more > 0 && name != "FORGET" && name != "BATCH_FORGET") cost[name] = more;
  }
  // Asking costs one itself.
  if (--cost["GETXATTR"] == 0) cost.erase("GETXATTR");
  return cost;
}

std::string FileName(const std::string& directory, uint64_t i) { return absl::StrCat(directory, "/f", i); }

void MakeFiles(const std::string& directory) {
  const std::string text(4096, 'x');
  for (uint64_t i = 0; i < kCount; ++i) {
    const base::Fd file(open(FileName(directory, i).c_str(), O_CREAT | O_WRONLY | O_EXCL, 0644));
    ASSERT_EQ(write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
}

void DropCaches(const TestMount& mount) {
  // Only this mount's dentries and pages matter; the rest of the machine keeps its own.
  const std::string path = mount.mount_point();
  if (geteuid() == 0 && !WriteAll("/proc/sys/vm/drop_caches", "3")) ADD_FAILURE() << "drop_caches of " << path;
}

class RequestsMountTest : public SharedMountTest {
 protected:
  void SetUp() override {
    SharedMountTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    // The first OPEN and CREATE tell the kernel that there is no need for them.
    MakeFiles(directory_);
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(unlink(FileName(directory_, i).c_str()), 0);
  }
};

TEST_F(RequestsMountTest, CreateWriteClose) {
  const std::string fresh = At("fresh");
  ASSERT_EQ(mkdir(fresh.c_str(), 0755), 0);
  const Counts cost = CostOf(*mount_, [&] { MakeFiles(fresh); });
  // GETATTR: the parent's, for the kernel's permission check (the previous MKNOD changed it).
  // GETXATTR: security.capability, once for each inode that is written.
  EXPECT_EQ(
      cost,
      (Counts{{"LOOKUP", kCount}, {"GETATTR", kCount}, {"MKNOD", kCount}, {"GETXATTR", kCount}, {"WRITE", kCount}}));
}

TEST_F(RequestsMountTest, WarmReadsAndStatsAskNothing) {
  MakeFiles(directory_);
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(ReadAll(FileName(directory_, i)).size(), 4096);
  const Counts reads = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(ReadAll(FileName(directory_, i)).size(), 4096);
  });
  EXPECT_EQ(reads, Counts{});
  struct stat st {};
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(stat(FileName(directory_, i).c_str(), &st), 0);
  const Counts stats = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(stat(FileName(directory_, i).c_str(), &st), 0);
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_NE(access(At(absl::StrCat("none", i)).c_str(), F_OK), 0);
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_NE(access(At(absl::StrCat("none", i)).c_str(), F_OK), 0);
  });
  EXPECT_EQ(stats, (Counts{{"LOOKUP", kCount}}));  // each absent name once
}

TEST_F(RequestsMountTest, ListingAColdDirectoryGivesAllAttributes) {
  SKIP_UNLESS_ROOT();
  MakeFiles(directory_);
  DropCaches(*mount_);
  struct stat st {};
  ASSERT_EQ(stat(directory_.c_str(), &st), 0);
  const Counts cost = CostOf(*mount_, [&] {
    DIR* const directory = opendir(directory_.c_str());
    while (const dirent* entry = readdir(directory)) {
      ASSERT_EQ(fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
    }
    closedir(directory);
  });
  EXPECT_EQ(cost.count("LOOKUP"), 0);
  EXPECT_LE(cost.at("READDIRPLUS"), 4);
  EXPECT_EQ(cost.at("OPENDIR"), 1);
}

TEST_F(RequestsMountTest, ListingAWarmDirectoryOnlyOpensIt) {
  MakeFiles(directory_);
  const auto list = [this] {
    DIR* const directory = opendir(directory_.c_str());
    uint64_t count = 0;
    while (readdir(directory) != nullptr) ++count;
    closedir(directory);
    EXPECT_EQ(count, kCount + 2);
  };
  list();
  list();  // asks for the time of access that the first one changed
  Counts cost = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) list();
  });
  EXPECT_LE(cost["RELEASEDIR"], kCount + 1);  // nobody waits for these
  EXPECT_GE(cost["RELEASEDIR"], kCount - 1);
  cost.erase("RELEASEDIR");
  EXPECT_EQ(cost, (Counts{{"OPENDIR", kCount}}));
}

TEST_F(RequestsMountTest, AListingWithoutItsEntriesIsReadAgainWithTheirAttributes) {
  SKIP_UNLESS_ROOT();
  MakeFiles(directory_);
  // Held, and so its listing stays, while the entries go.
  const base::Fd held(open(directory_.c_str(), O_RDONLY | O_DIRECTORY));
  struct stat st {};
  const auto stat_all = [&] {
    DIR* const directory = opendir(directory_.c_str());
    while (const dirent* entry = readdir(directory)) {
      ASSERT_EQ(fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
    }
    closedir(directory);
  };
  stat_all();
  ASSERT_TRUE(WriteAll("/proc/sys/vm/drop_caches", "2"));  // inodes, not pages
  const Counts cost = CostOf(*mount_, stat_all);
  EXPECT_EQ(cost.count("LOOKUP"), 0u);
  EXPECT_GE(cost.count("READDIRPLUS"), 1u);
}

TEST_F(RequestsMountTest, AColdReadOfASmallFileIsOneRequest) {
  SKIP_UNLESS_ROOT();
  MakeFiles(directory_);
  DropCaches(*mount_);
  for (const std::string& name : {std::string("."), std::string("..")}) {
    struct stat st {};
    ASSERT_EQ(stat(At(name).c_str(), &st), 0);
  }
  const Counts cost = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(ReadAll(FileName(directory_, i)).size(), 4096);
  });
  EXPECT_EQ(cost, (Counts{{"LOOKUP", kCount}, {"READ", kCount}}));
}

TEST_F(RequestsMountTest, AppendsAreOneWriteEach) {
  const base::Fd file(open(At("log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644));
  const std::string line(1024, 'x');
  ASSERT_EQ(write(file.get(), line.data(), line.size()), 1024);
  const Counts cost = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(write(file.get(), line.data(), line.size()), 1024);
  });
  EXPECT_EQ(cost, (Counts{{"WRITE", kCount}}));  // no GETXATTR of security.capability
}

TEST_F(RequestsMountTest, LargeTransfersUseRequestsOfAMebibyte) {
  constexpr size_t kBytes = 16 << 20;
  const std::string text(kBytes, 'x');
  const std::string path = At("large");
  const Counts write_cost = CostOf(*mount_, [&] { ASSERT_TRUE(WriteAll(path, text)); });
  EXPECT_LE(write_cost.at("WRITE"), kBytes >> 20);
  if (geteuid() != 0) return;
  DropCaches(*mount_);
  const Counts read_cost = CostOf(*mount_, [&] { ASSERT_EQ(ReadAll(path).size(), kBytes); });
  EXPECT_LE(read_cost.at("READ"), (kBytes >> 20) + 4);
}

TEST_F(RequestsMountTest, UnlinkIsOneRequestAndThePermissionCheck) {
  MakeFiles(directory_);
  struct stat st {};
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(stat(FileName(directory_, i).c_str(), &st), 0);
  const Counts cost = CostOf(*mount_, [&] {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(unlink(FileName(directory_, i).c_str()), 0);
  });
  EXPECT_EQ(cost.at("UNLINK"), kCount);
  EXPECT_LE(cost.at("GETATTR"), kCount);  // the parent's
  EXPECT_EQ(cost.size(), 2);
}

TEST(PrivateRequestsMountTest, NoParentIsAskedForItsPermissions) {
  SKIP_WITHOUT_FUSE();
  SKIP_UNLESS_ROOT();
  TestMount mount;
  ASSERT_OK(mount.Start({"-o", "private"}));
  ASSERT_EQ(mkdir(mount.Path("warm").c_str(), 0755), 0);
  MakeFiles(mount.Path("warm"));
  ASSERT_EQ(mkdir(mount.Path("d").c_str(), 0755), 0);
  EXPECT_EQ(CostOf(mount, [&] { MakeFiles(mount.Path("d")); }),
            (Counts{{"LOOKUP", kCount}, {"MKNOD", kCount}, {"GETXATTR", kCount}, {"WRITE", kCount}}));
  EXPECT_EQ(CostOf(mount,
                   [&] {
                     for (uint64_t i = 0; i < kCount; ++i) {
                       ASSERT_EQ(unlink(FileName(mount.Path("d"), i).c_str()), 0);
                     }
                   }),
            (Counts{{"UNLINK", kCount}}));
  EXPECT_OK(mount.Stop());
}

}  // namespace
}  // namespace fs::testing
