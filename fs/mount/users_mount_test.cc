// Permissions on a real mount, as several users and through a supplementary group.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "fs/mount/testing/shared_mount.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uid_t kAlice = 61001;
constexpr uid_t kBob = 61002;
constexpr gid_t kTeam = 61100;

class UsersMountTest : public SharedMountTest {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_FUSE();
    SKIP_UNLESS_ROOT();
    SharedMountTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  }
  // The errno of `body`'s system call as that user.
  static int As(uid_t user, const std::function<long()>& body, const std::vector<gid_t>& groups = {}) {
    return RunAs(user, user, groups, [&] { return ErrnoOf(body()); });
  }
  static int OpenAs(uid_t user, const std::string& path, int flags, const std::vector<gid_t>& groups = {}) {
    return As(
        user, [&] { return static_cast<long>(open(path.c_str(), flags, 0644)); }, groups);
  }
};

TEST_F(UsersMountTest, ModesDecideWhoMayReadAndWrite) {
  ASSERT_EQ(As(kAlice, [&] { return WriteAll(At("f"), "x") ? 0 : -1; }), 0);
  EXPECT_EQ(StatOf(At("f")).st_uid, kAlice);
  EXPECT_EQ(StatOf(At("f")).st_gid, kAlice);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDONLY), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_WRONLY), EACCES);
  ASSERT_EQ(chmod(At("f").c_str(), 0600), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDONLY), EACCES);
  EXPECT_EQ(OpenAs(kAlice, At("f"), O_RDWR), 0);
  ASSERT_EQ(chmod(At("f").c_str(), 0444), 0);
  EXPECT_EQ(OpenAs(kAlice, At("f"), O_WRONLY), EACCES);
  EXPECT_EQ(OpenAs(0, At("f"), O_WRONLY), 0);
}

TEST_F(UsersMountTest, ASupplementaryGroupGivesAccess) {
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  ASSERT_EQ(chown(At("f").c_str(), 0, kTeam), 0);
  ASSERT_EQ(chmod(At("f").c_str(), 0060), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDWR), EACCES);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDWR, {kTeam}), 0);
}

TEST_F(UsersMountTest, DirectoriesGuardTheirNames) {
  ASSERT_EQ(mkdir(At("d").c_str(), 0755), 0);
  ASSERT_TRUE(WriteAll(At("d/f"), "x"));
  EXPECT_EQ(OpenAs(kBob, At("d/new"), O_CREAT | O_WRONLY), EACCES);
  EXPECT_EQ(As(kBob, [&] { return unlink(At("d/f").c_str()); }), EACCES);
  EXPECT_EQ(As(kBob, [&] { return mkdir(At("d/x").c_str(), 0755); }), EACCES);
  EXPECT_EQ(As(kBob, [&] { return rename(At("d/f").c_str(), At("g").c_str()); }), EACCES);
  ASSERT_EQ(chmod(At("d").c_str(), 0700), 0);
  EXPECT_EQ(OpenAs(kBob, At("d/f"), O_RDONLY), EACCES);
  EXPECT_EQ(OpenAs(kBob, At("d"), O_RDONLY | O_DIRECTORY), EACCES);
}

TEST_F(UsersMountTest, StickyDirectoriesLetOwnersRemoveOnly) {
  ASSERT_EQ(mkdir(At("tmp").c_str(), 0755), 0);
  ASSERT_EQ(chmod(At("tmp").c_str(), 01777), 0);
  ASSERT_EQ(As(kAlice, [&] { return WriteAll(At("tmp/f"), "x") ? 0 : -1; }), 0);
  EXPECT_EQ(As(kBob, [&] { return unlink(At("tmp/f").c_str()); }), EPERM);
  EXPECT_EQ(As(kBob, [&] { return rename(At("tmp/f").c_str(), At("tmp/g").c_str()); }), EPERM);
  EXPECT_EQ(As(kAlice, [&] { return unlink(At("tmp/f").c_str()); }), 0);
}

TEST_F(UsersMountTest, OnlyOwnersChangeAttributes) {
  ASSERT_EQ(As(kAlice, [&] { return WriteAll(At("f"), "x") ? 0 : -1; }), 0);
  EXPECT_EQ(As(kBob, [&] { return chmod(At("f").c_str(), 0666); }), EPERM);
  EXPECT_EQ(As(kBob, [&] { return chown(At("f").c_str(), kBob, -1); }), EPERM);
  EXPECT_EQ(As(kAlice, [&] { return chown(At("f").c_str(), kBob, -1); }), EPERM);
  EXPECT_EQ(As(kAlice, [&] { return chown(At("f").c_str(), -1, kTeam); }), EPERM);
  EXPECT_EQ(As(kAlice, [&] { return chown(At("f").c_str(), -1, kTeam); }, {kTeam}), 0);
  EXPECT_EQ(As(kBob, [&] { return truncate(At("f").c_str(), 0); }), EACCES);
  const timespec times[2] = {{1, 0}, {1, 0}};
  EXPECT_EQ(As(kBob, [&] { return utimensat(AT_FDCWD, At("f").c_str(), times, 0); }), EPERM);
  EXPECT_EQ(As(kBob, [&] { return setxattr(At("f").c_str(), "user.a", "1", 1, 0); }), EACCES);
  EXPECT_EQ(As(kAlice, [&] { return setxattr(At("f").c_str(), "trusted.a", "1", 1, 0); }), EPERM);
}

TEST_F(UsersMountTest, TheUmaskAndASgidDirectoryShapeNewFiles) {
  EXPECT_EQ(As(kAlice,
               [&] {
                 umask(027);
                 return open(At("masked").c_str(), O_CREAT | O_WRONLY, 0666) < 0 ? -1 : 0;
               }),
            0);
  EXPECT_EQ(StatOf(At("masked")).st_mode & 07777, 0640);
  ASSERT_EQ(mkdir(At("team").c_str(), 0777), 0);
  ASSERT_EQ(chown(At("team").c_str(), 0, kTeam), 0);
  ASSERT_EQ(chmod(At("team").c_str(), 02777), 0);
  ASSERT_EQ(As(kAlice, [&] { return mkdir(At("team/d").c_str(), 0755); }), 0);
  ASSERT_EQ(As(kAlice, [&] { return WriteAll(At("team/f"), "x") ? 0 : -1; }), 0);
  EXPECT_EQ(StatOf(At("team/f")).st_gid, kTeam);
  EXPECT_EQ(StatOf(At("team/d")).st_gid, kTeam);
  EXPECT_TRUE(StatOf(At("team/d")).st_mode & S_ISGID);
  EXPECT_FALSE(StatOf(At("team/f")).st_mode & S_ISGID);
}

TEST_F(UsersMountTest, WritingClearsSuidSgidAndCapabilities) {
  const auto modes_after = [&](const std::function<long()>& change) {
    EXPECT_TRUE(WriteAll(At("f"), "program"));
    EXPECT_EQ(chmod(At("f").c_str(), 06777), 0);
    const char capability[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0";
    EXPECT_EQ(setxattr(At("f").c_str(), "security.capability", capability, 20, 0), 0) << strerror(errno);
    EXPECT_EQ(As(kBob, change), 0);
    return StatOf(At("f")).st_mode & 07777;
  };
  const auto has_capability = [&] { return getxattr(At("f").c_str(), "security.capability", nullptr, 0) >= 0; };
  EXPECT_EQ(modes_after([&] {
              const base::Fd file(open(At("f").c_str(), O_WRONLY));
              return write(file.get(), "X", 1) == 1 ? 0 : -1;
            }),
            0777);
  EXPECT_FALSE(has_capability());
  EXPECT_EQ(modes_after([&] { return truncate(At("f").c_str(), 3); }), 0777);
  EXPECT_FALSE(has_capability());
  EXPECT_EQ(modes_after([&] { return open(At("f").c_str(), O_WRONLY | O_TRUNC) < 0 ? -1 : 0; }), 0777);
  EXPECT_FALSE(has_capability());
  EXPECT_EQ(modes_after([&] {
              const base::Fd file(open(At("f").c_str(), O_RDWR));
              return fallocate(file.get(), 0, 0, 100);
            }),
            0777);
  // Reading takes nothing away.
  EXPECT_EQ(modes_after([&] { return ReadAll(At("f")) == "program" ? 0 : -1; }), 06777);
  EXPECT_TRUE(has_capability());
  // A change of owner clears them for root, too.
  ASSERT_EQ(chown(At("f").c_str(), kAlice, kTeam), 0);
  EXPECT_EQ(StatOf(At("f")).st_mode & 07777, 0777);
  EXPECT_FALSE(has_capability());
  // root's own writes keep the bits.
  ASSERT_EQ(chmod(At("f").c_str(), 04755), 0);
  const base::Fd file(open(At("f").c_str(), O_WRONLY));
  ASSERT_EQ(write(file.get(), "X", 1), 1);
  EXPECT_EQ(StatOf(At("f")).st_mode & 07777, 04755);
}

TEST_F(UsersMountTest, AMandatoryLockBitWithoutGroupExecuteStays) {
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  ASSERT_EQ(chmod(At("f").c_str(), 02666), 0);
  ASSERT_EQ(As(kBob,
               [&] {
                 const base::Fd file(open(At("f").c_str(), O_WRONLY));
                 return write(file.get(), "X", 1) == 1 ? 0 : -1;
               }),
            0);
  EXPECT_EQ(StatOf(At("f")).st_mode & 07777, 02666);
}

TEST_F(UsersMountTest, AccessControlListsGiveAndTake) {
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  ASSERT_EQ(chmod(At("f").c_str(), 0600), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDONLY), EACCES);
  ASSERT_EQ(RunProgram({"setfacl", "-m", absl::StrCat("u:", kBob, ":r"), At("f")}), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDONLY), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_WRONLY), EACCES);
  EXPECT_EQ(OpenAs(kAlice, At("f"), O_RDONLY), EACCES);
  // The mask is the group bits of the mode.
  EXPECT_EQ(StatOf(At("f")).st_mode & 07777, 0640);
  ASSERT_EQ(chmod(At("f").c_str(), 0600), 0);
  EXPECT_EQ(OpenAs(kBob, At("f"), O_RDONLY), EACCES);
  std::string listed;
  ASSERT_EQ(RunProgram({"getfacl", "-nc", At("f")}, &listed), 0);
  EXPECT_NE(listed.find(absl::StrCat("user:", kBob, ":r--")), std::string::npos) << listed;
}

TEST_F(UsersMountTest, ADefaultAclReplacesTheUmask) {
  ASSERT_EQ(mkdir(At("d").c_str(), 0777), 0);
  ASSERT_EQ(RunProgram({"setfacl", "-d", "-m", absl::StrCat("u:", kBob, ":rwx,g::r-x,o::---"), At("d")}), 0);
  ASSERT_EQ(chmod(At("d").c_str(), 0777), 0);
  ASSERT_EQ(As(kAlice,
               [&] {
                 umask(077);
                 const base::Fd file(open(At("d/f").c_str(), O_CREAT | O_WRONLY, 0666));
                 return file.valid() && mkdir(At("d/sub").c_str(), 0777) == 0 ? 0 : -1;
               }),
            0);
  EXPECT_EQ(OpenAs(kBob, At("d/f"), O_RDWR), 0);
  EXPECT_EQ(OpenAs(61003, At("d/f"), O_RDONLY), EACCES);
  std::string listed;
  ASSERT_EQ(RunProgram({"getfacl", "-nc", At("d/sub")}, &listed), 0);
  EXPECT_NE(listed.find(absl::StrCat("default:user:", kBob, ":rwx")), std::string::npos) << listed;
}

TEST_F(UsersMountTest, AnAclSetFromOutsideTheGroupClearsSgid) {
  ASSERT_EQ(As(kAlice, [&] { return WriteAll(At("f"), "x") ? 0 : -1; }), 0);
  ASSERT_EQ(chown(At("f").c_str(), kAlice, kTeam), 0);
  ASSERT_EQ(chmod(At("f").c_str(), 02755), 0);
  ASSERT_EQ(As(kAlice,
               [&] {
                 return RunProgram({"setfacl", "-m", absl::StrCat("u:", kBob, ":r"), At("f")}) == 0 ? 0 : -1;
               }),
            0);
  EXPECT_EQ(StatOf(At("f")).st_mode & S_ISGID, 0);
}

TEST_F(UsersMountTest, TheCreatorOfAReadOnlyFileMayWriteIt) {
  EXPECT_EQ(As(kAlice,
               [&] {
                 const base::Fd file(open(At("f").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0444));
                 return file.valid() && write(file.get(), "x", 1) == 1 ? 0 : -1;
               }),
            0);
  EXPECT_EQ(OpenAs(kAlice, At("f"), O_WRONLY), EACCES);
}

TEST(PrivateMountTest, IsForItsOwnerOnly) {
  SKIP_WITHOUT_FUSE();
  SKIP_UNLESS_ROOT();
  TestMount mount;
  ASSERT_OK(mount.Start({"-o", "private"}));
  ASSERT_TRUE(WriteAll(mount.Path("f"), "x"));
  ASSERT_EQ(chmod(mount.Path("f").c_str(), 0666), 0);
  EXPECT_EQ(RunAs(kBob, kBob, {}, [&] { return ErrnoOf(open(mount.Path("f").c_str(), O_RDONLY)); }), EACCES);
  // root may do everything, but for executing what nobody may.
  ASSERT_EQ(chmod(mount.Path("f").c_str(), 0), 0);
  EXPECT_EQ(ReadAll(mount.Path("f")), "x");
  EXPECT_EQ(access(mount.Path("f").c_str(), R_OK | W_OK), 0);
  EXPECT_EQ(ErrnoOf(access(mount.Path("f").c_str(), X_OK)), EACCES);
  EXPECT_OK(mount.Stop());
}

TEST(UserMountTest, AnOrdinaryUserMountsAndUnmounts) {
  SKIP_WITHOUT_FUSE();
  SKIP_UNLESS_ROOT();
  if (RunProgram({"sh", "-c", "command -v fusermount3"}) != 0) GTEST_SKIP() << "no fusermount3";
  // fusermount3 wants a user with a name.
  constexpr uid_t kNobody = 65534;
  TestMount place;
  ASSERT_EQ(chown(place.directory().c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chown(place.mount_point().c_str(), kNobody, kNobody), 0);
  const mode_t device_mode = [] {
    struct stat st {};
    return stat("/dev/fuse", &st) == 0 ? st.st_mode : 0;
  }();
  if ((device_mode & 0006) != 0006) GTEST_SKIP() << "/dev/fuse is for root only on this machine";
  // Where that user can get at it.
  const std::string program = place.directory() + "/cachefs";
  ASSERT_EQ(RunProgram({"cp", ProgramFromEnvironment("CACHEFS"), program}), 0);
  const int code = RunAs(kNobody, kNobody, {}, [&] {
    if (RunProgram({program, "--size", "512M", place.store(), place.mount_point()}) != 0) return 1;
    if (!WriteAll(place.Path("f"), "mine") || ReadAll(place.Path("f")) != "mine") return 2;
    if (chmod(place.Path("f").c_str(), 0444) != 0) return 3;
    // The user's own permission bits count on a user's mount.
    if (ErrnoOf(open(place.Path("f").c_str(), O_WRONLY)) != EACCES) return 4;
    return RunProgram({"fusermount3", "-u", place.mount_point()}) == 0 ? 0 : 5;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace fs::testing
