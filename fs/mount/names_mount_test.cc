// Names and directories on a real mount.
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "fs/mount/testing/shared_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::ElementsAre;

class NamesMountTest : public SharedMountTest {};

std::vector<std::string> ListOf(const std::string& path) {
  std::vector<std::string> names;
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return {"?"};
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

int Rename2(const std::string& from, const std::string& to, unsigned flags) {
  return ErrnoOf(syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

TEST_F(NamesMountTest, MakesEveryKindOfNode) {
  ASSERT_TRUE(WriteAll(At("file"), "x"));
  ASSERT_EQ(mkdir(At("dir").c_str(), 0750), 0);
  ASSERT_EQ(symlink("file", At("link").c_str()), 0);
  ASSERT_EQ(mkfifo(At("fifo").c_str(), 0600), 0);
  const base::Fd socket_fd(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_EQ(chdir(directory_.c_str()), 0);
  strcpy(address.sun_path, "socket");
  ASSERT_EQ(bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(chdir("/"), 0);
  EXPECT_TRUE(S_ISREG(StatOf(At("file")).st_mode));
  EXPECT_EQ(StatOf(At("dir")).st_mode, S_IFDIR | 0750);
  EXPECT_EQ(StatOf(At("dir")).st_nlink, 2);
  EXPECT_TRUE(S_ISLNK(StatOf(At("link")).st_mode));
  EXPECT_EQ(StatOf(At("link")).st_size, 4);
  EXPECT_TRUE(S_ISFIFO(StatOf(At("fifo")).st_mode));
  EXPECT_TRUE(S_ISSOCK(StatOf(At("socket")).st_mode));
  if (geteuid() == 0) {
    ASSERT_EQ(mknod(At("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_EQ(mknod(At("big").c_str(), S_IFBLK | 0600, makedev(259, 70000)), 0);
    EXPECT_EQ(StatOf(At("null")).st_rdev, makedev(1, 3));
    EXPECT_EQ(StatOf(At("big")).st_rdev, makedev(259, 70000));
  }
  char target[16];
  EXPECT_EQ(readlink(At("link").c_str(), target, sizeof target), 4);
  EXPECT_EQ(ReadAll(At("link")), "x");
}

TEST_F(NamesMountTest, RefusesWhatLinuxRefuses) {
  ASSERT_TRUE(WriteAll(At("file"), "x"));
  ASSERT_EQ(mkdir(At("full").c_str(), 0755), 0);
  ASSERT_TRUE(WriteAll(At("full/a"), "x"));
  const std::string long_name(256, 'n');
  EXPECT_EQ(ErrnoOf(mkdir(At("file").c_str(), 0755)), EEXIST);
  EXPECT_EQ(ErrnoOf(rmdir(At("full").c_str())), ENOTEMPTY);
  EXPECT_EQ(ErrnoOf(rmdir(At("file").c_str())), ENOTDIR);
  EXPECT_EQ(ErrnoOf(unlink(At("full").c_str())), EISDIR);
  EXPECT_EQ(ErrnoOf(unlink(At("none").c_str())), ENOENT);
  EXPECT_EQ(ErrnoOf(rmdir(At("none").c_str())), ENOENT);
  EXPECT_EQ(ErrnoOf(open(At("file/x").c_str(), O_RDONLY)), ENOTDIR);
  EXPECT_EQ(ErrnoOf(open(At(long_name).c_str(), O_CREAT | O_WRONLY, 0644)), ENAMETOOLONG);
  EXPECT_EQ(ErrnoOf(symlink(std::string(4096, 's').c_str(), At("long").c_str())), ENAMETOOLONG);
  EXPECT_EQ(ErrnoOf(link(At("full").c_str(), At("hard").c_str())), EPERM);
  EXPECT_EQ(ErrnoOf(open(At("file").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644)), EEXIST);
  EXPECT_EQ(Rename2(At("full"), At("full/below"), 0), EINVAL);
  EXPECT_EQ(Rename2(At("full"), At("file"), 0), ENOTDIR);
  EXPECT_EQ(Rename2(At("file"), At("full"), 0), EISDIR);
}

TEST_F(NamesMountTest, NamesUpTo255BytesOfAnyKind) {
  const std::string longest(255, 'n');
  const std::string odd = "\x01 \xff\xfe*?\n\"";
  ASSERT_TRUE(WriteAll(At(longest), "1"));
  ASSERT_TRUE(WriteAll(At(odd), "2"));
  EXPECT_EQ(ReadAll(At(longest)), "1");
  EXPECT_THAT(ListOf(directory_), ElementsAre(odd, longest));
  struct statvfs st {};
  ASSERT_EQ(statvfs(directory_.c_str(), &st), 0);
  EXPECT_EQ(st.f_namemax, 255);
}

TEST_F(NamesMountTest, SymlinksUpTo4095BytesAreKept) {
  for (const size_t size : {1, 2048, 2049, 4000, 4095}) {
    const std::string target(size, 't');
    const std::string path = At(absl::StrCat("link", size));
    ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0) << size << ": " << strerror(errno);
    char text[4096];
    ASSERT_EQ(readlink(path.c_str(), text, sizeof text), static_cast<ssize_t>(size));
    EXPECT_TRUE(target == absl::string_view(text, size)) << size;
    EXPECT_EQ(StatOf(path).st_size, static_cast<off_t>(size));
  }
}

TEST_F(NamesMountTest, RenameReplacesAtomicallyAndObeysItsFlags) {
  ASSERT_TRUE(WriteAll(At("a"), "old"));
  ASSERT_TRUE(WriteAll(At("b"), "new"));
  EXPECT_EQ(Rename2(At("b"), At("a"), RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(Rename2(At("b"), At("a"), RENAME_EXCHANGE), 0);
  EXPECT_EQ(ReadAll(At("a")), "new");
  EXPECT_EQ(ReadAll(At("b")), "old");
  EXPECT_EQ(Rename2(At("b"), At("a"), 0), 0);
  EXPECT_EQ(ReadAll(At("a")), "old");
  EXPECT_THAT(ListOf(directory_), ElementsAre("a"));
  EXPECT_EQ(Rename2(At("b"), At("c"), RENAME_EXCHANGE), ENOENT);
  if (geteuid() == 0) {
    EXPECT_EQ(Rename2(At("a"), At("c"), RENAME_WHITEOUT), 0);
    EXPECT_TRUE(S_ISCHR(StatOf(At("a")).st_mode));
    EXPECT_EQ(StatOf(At("a")).st_rdev, 0);
    EXPECT_EQ(ReadAll(At("c")), "old");
  }
}

TEST_F(NamesMountTest, RenameMovesDirectoriesAndKeepsLinkCounts) {
  ASSERT_EQ(mkdir(At("x").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(At("y").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(At("x/d").c_str(), 0755), 0);
  ASSERT_TRUE(WriteAll(At("x/d/f"), "deep"));
  const ino_t inode = StatOf(At("x/d")).st_ino;
  ASSERT_EQ(rename(At("x/d").c_str(), At("y/e").c_str()), 0);
  EXPECT_EQ(StatOf(At("y/e")).st_ino, inode);
  EXPECT_EQ(ReadAll(At("y/e/f")), "deep");
  EXPECT_EQ(StatOf(At("x")).st_nlink, 2);
  EXPECT_EQ(StatOf(At("y")).st_nlink, 3);
  EXPECT_EQ(StatOf(At("y/e/..")).st_ino, StatOf(At("y")).st_ino);
  ASSERT_EQ(mkdir(At("x/empty").c_str(), 0755), 0);
  EXPECT_EQ(ErrnoOf(rename(At("x/empty").c_str(), At("y/e").c_str())), ENOTEMPTY);
  EXPECT_EQ(ErrnoOf(rename(At("y/e").c_str(), At("x/empty").c_str())), 0);
}

TEST_F(NamesMountTest, HardLinksShareOneInode) {
  ASSERT_TRUE(WriteAll(At("a"), "one"));
  ASSERT_EQ(link(At("a").c_str(), At("b").c_str()), 0);
  EXPECT_EQ(StatOf(At("a")).st_ino, StatOf(At("b")).st_ino);
  EXPECT_EQ(StatOf(At("a")).st_nlink, 2);
  ASSERT_TRUE(WriteAll(At("b"), "two"));
  EXPECT_EQ(ReadAll(At("a")), "two");
  // Renaming one name of a file over another does nothing.
  EXPECT_EQ(ErrnoOf(rename(At("a").c_str(), At("b").c_str())), 0);
  EXPECT_THAT(ListOf(directory_), ElementsAre("a", "b"));
  ASSERT_EQ(unlink(At("a").c_str()), 0);
  EXPECT_EQ(StatOf(At("b")).st_nlink, 1);
  EXPECT_EQ(ReadAll(At("b")), "two");
}

TEST_F(NamesMountTest, UnlinkedFilesLiveUntilTheyAreClosed) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_RDWR, 0644));
  ASSERT_EQ(write(file.get(), "hello", 5), 5);
  ASSERT_EQ(unlink(At("f").c_str()), 0);
  EXPECT_EQ(ErrnoOf(access(At("f").c_str(), F_OK)), ENOENT);
  char text[8] = {};
  EXPECT_EQ(pread(file.get(), text, sizeof text, 0), 5);
  EXPECT_STREQ(text, "hello");
  ASSERT_EQ(pwrite(file.get(), "J", 1, 0), 1);
  ASSERT_EQ(fsync(file.get()), 0);
  struct stat st {};
  ASSERT_EQ(fstat(file.get(), &st), 0);
  EXPECT_EQ(st.st_nlink, 0);
  EXPECT_EQ(st.st_size, 5);
  // A new file of the same name is another one.
  ASSERT_TRUE(WriteAll(At("f"), "other"));
  EXPECT_NE(StatOf(At("f")).st_ino, st.st_ino);
  EXPECT_EQ(pread(file.get(), text, 1, 0), 1);
  EXPECT_EQ(text[0], 'J');
}

TEST_F(NamesMountTest, TemporaryFilesGetANameLater) {
  const base::Fd file(open(directory_.c_str(), O_TMPFILE | O_RDWR, 0640));
  ASSERT_GE(file.get(), 0) << strerror(errno);
  EXPECT_TRUE(ListOf(directory_).empty());
  ASSERT_EQ(write(file.get(), "secret", 6), 6);
  const std::string self = absl::StrCat("/proc/self/fd/", file.get());
  ASSERT_EQ(linkat(AT_FDCWD, self.c_str(), AT_FDCWD, At("named").c_str(), AT_SYMLINK_FOLLOW), 0) << strerror(errno);
  EXPECT_EQ(ReadAll(At("named")), "secret");
  EXPECT_EQ(StatOf(At("named")).st_mode, S_IFREG | 0640);
  EXPECT_EQ(StatOf(At("named")).st_nlink, 1);
  const base::Fd exclusive(open(directory_.c_str(), O_TMPFILE | O_EXCL | O_RDWR, 0640));
  const std::string second = absl::StrCat("/proc/self/fd/", exclusive.get());
  EXPECT_EQ(ErrnoOf(linkat(AT_FDCWD, second.c_str(), AT_FDCWD, At("no").c_str(), AT_SYMLINK_FOLLOW)), ENOENT);
}

TEST_F(NamesMountTest, ALargeDirectoryIsListedOnceEach) {
  constexpr int kCount = 3000;
  for (int i = 0; i < kCount; ++i) {
    const base::Fd file(open(At(absl::StrCat("entry-with-a-rather-long-name-", i)).c_str(), O_CREAT | O_WRONLY, 0644));
    ASSERT_GE(file.get(), 0);
  }
  const std::vector<std::string> names = ListOf(directory_);
  EXPECT_EQ(names.size(), kCount);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), kCount);
}

TEST_F(NamesMountTest, CookiesStayGoodWhileEntriesComeAndGo) {
  constexpr int kCount = 500;
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(WriteAll(At(absl::StrCat("f", i)), ""));
  DIR* const directory = opendir(directory_.c_str());
  ASSERT_NE(directory, nullptr);
  std::multiset<std::string> seen;
  long middle = 0;
  for (int i = 0; i < 250; ++i) {
    const dirent* entry = readdir(directory);
    ASSERT_NE(entry, nullptr);
    seen.insert(entry->d_name);
    middle = telldir(directory);
  }
  for (int i = 0; i < kCount; i += 2) ASSERT_EQ(unlink(At(absl::StrCat("f", i)).c_str()), 0);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(WriteAll(At(absl::StrCat("new", i)), ""));
  seekdir(directory, middle);
  while (const dirent* entry = readdir(directory)) seen.insert(entry->d_name);
  closedir(directory);
  for (int i = 1; i < kCount; i += 2) EXPECT_EQ(seen.count(absl::StrCat("f", i)), 1) << i;
}

TEST_F(NamesMountTest, RemovingWhileListingEmptiesTheDirectory) {
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(WriteAll(At(absl::StrCat("f", i)), ""));
  DIR* const directory = opendir(directory_.c_str());
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == 'f') {
      ASSERT_EQ(unlinkat(dirfd(directory), entry->d_name, 0), 0);
    }
  }
  closedir(directory);
  EXPECT_TRUE(ListOf(directory_).empty());
  EXPECT_EQ(rmdir(directory_.c_str()), 0);
}

TEST_F(NamesMountTest, ADeletedWorkingDirectoryIsGone) {
  ASSERT_EQ(mkdir(At("d").c_str(), 0755), 0);
  const base::Fd directory(open(At("d").c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(rmdir(At("d").c_str()), 0);
  EXPECT_EQ(ErrnoOf(openat(directory.get(), "f", O_CREAT | O_WRONLY, 0644)), ENOENT);
  struct stat st {};
  EXPECT_EQ(fstat(directory.get(), &st), 0);
  EXPECT_EQ(st.st_nlink, 0);
}

TEST_F(NamesMountTest, ANewFileWithoutWritePermissionCanBeWrittenByItsCreator) {
  const base::Fd file(open(At("f").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0444));
  ASSERT_GE(file.get(), 0) << strerror(errno);
  EXPECT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_EQ(StatOf(At("f")).st_mode, S_IFREG | 0444);
}

}  // namespace
}  // namespace fs::testing
