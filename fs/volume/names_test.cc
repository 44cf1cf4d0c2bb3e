// Names: lookup, creation, links, removal, renaming, listing.
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

class NamesTest : public VolumeTest {
 protected:
  std::vector<std::string> List(InodeNumber directory) {
    std::vector<std::string> names;
    EXPECT_OK(volume_->ReadDir(directory, {}, [&](const DirectoryEntry& entry) {
      names.emplace_back(entry.name);
      return true;
    }));
    return names;
  }
  int Rename(InodeNumber from_directory, absl::string_view from, InodeNumber to_directory, absl::string_view to,
             RenameFlag flag = RenameFlag::kReplace) {
    return ErrnoOrZero(volume_->Rename(from_directory, from, to_directory, to, {.flag = flag}, root_));
  }
  uint32_t Links(InodeNumber inode) {
    const absl::StatusOr<Attributes> attributes = volume_->GetAttributes(inode);
    return attributes.ok() ? attributes->link_count : UINT32_MAX;
  }
};

TEST_F(NamesTest, FreshVolumeHasAnEmptyRoot) {
  ASSERT_OK_AND_ASSIGN(const Attributes root, volume_->GetAttributes(kRootInode));
  EXPECT_EQ(root.mode, uint32_t{S_IFDIR | 0755});
  EXPECT_EQ(root.link_count, 2u);
  EXPECT_EQ(List(kRootInode), (std::vector<std::string>{".", ".."}));
  EXPECT_EQ(ErrnoOrZero(Volume::Format(*engine_, clock_, 1, 2)), -1) << "a tree is not overwritten";
}

TEST_F(NamesTest, CreatedFileIsFoundAndSurvivesARemount) {
  const InodeNumber file = MakeFile(kRootInode, "file", "hello");
  Remount();
  ASSERT_OK_AND_ASSIGN(const Attributes found, Look(kRootInode, "file"));
  EXPECT_EQ(found.inode, file);
  EXPECT_EQ(Content(file), "hello");
  EXPECT_EQ(ErrnoOrZero(Look(kRootInode, "other")), ENOENT);
}

TEST_F(NamesTest, BadNames) {
  const InodeNumber file = MakeFile(kRootInode, "file");
  const auto make = [&](InodeNumber directory, absl::string_view name) {
    return ErrnoOrZero(volume_->MakeNode(directory, name, {}, root_, Reference::kNone));
  };
  EXPECT_EQ(make(kRootInode, "file"), EEXIST);
  EXPECT_EQ(make(kRootInode, std::string(256, 'a')), ENAMETOOLONG);
  EXPECT_EQ(make(kRootInode, std::string(255, 'a')), 0);
  EXPECT_EQ(make(kRootInode, ""), ENOENT);
  EXPECT_EQ(make(kRootInode, "a/b"), EINVAL);
  EXPECT_EQ(make(kRootInode, "."), EINVAL);
  EXPECT_EQ(make(kRootInode, absl::string_view("a\0b", 3)), EINVAL);
  EXPECT_EQ(make(file, "x"), ENOTDIR);
  EXPECT_EQ(make(999, "x"), ESTALE);
  EXPECT_EQ(ErrnoOrZero(Look(kRootInode, std::string(256, 'a'))), ENAMETOOLONG);
  EXPECT_EQ(ErrnoOrZero(volume_->MakeNode(kRootInode, "d", {.mode = S_IFDIR}, root_)), EPERM);
}

TEST_F(NamesTest, EveryTypeOfNode) {
  for (const uint32_t type : {S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK}) {
    ASSERT_OK_AND_ASSIGN(const Attributes node,
                         volume_->MakeNode(kRootInode, absl::StrCat(type), {.mode = type | 0640, .device = 0x0103},
                                           root_, Reference::kNone));
    EXPECT_EQ(node.mode, type | 0640);
    EXPECT_EQ(node.device, type == S_IFCHR || type == S_IFBLK ? 0x0103u : 0u);
  }
}

TEST_F(NamesTest, DirectoriesCountTheirLinks) {
  const InodeNumber a = MakeDir(kRootInode, "a");
  const InodeNumber b = MakeDir(a, "b");
  EXPECT_EQ(Links(a), 3u);
  EXPECT_EQ(Links(kRootInode), 3u);
  EXPECT_THAT(volume_->Parent(b), base::IsOkAndHolds(a));
  ASSERT_OK_AND_ASSIGN(const Attributes up, Look(b, ".."));
  EXPECT_EQ(up.inode, a);
  EXPECT_EQ(ErrnoOrZero(volume_->RemoveDirectory(kRootInode, "a")), ENOTEMPTY);
  EXPECT_EQ(ErrnoOrZero(volume_->Unlink(a, "b")), EISDIR);
  EXPECT_OK(volume_->RemoveDirectory(a, "b"));
  EXPECT_EQ(Links(a), 2u);
  EXPECT_OK(volume_->RemoveDirectory(kRootInode, "a"));
  EXPECT_EQ(Links(kRootInode), 2u);
}

TEST_F(NamesTest, RemovedDirectoryThatIsHeldTakesNoNames) {
  ASSERT_OK_AND_ASSIGN(const Attributes made, volume_->MakeDirectory(kRootInode, "d", 0755, root_));
  ASSERT_OK(volume_->RemoveDirectory(kRootInode, "d"));
  EXPECT_EQ(ErrnoOrZero(volume_->MakeNode(made.inode, "x", {}, root_)), ENOENT);
  EXPECT_EQ(Links(made.inode), 0u);
  EXPECT_TRUE(volume_->Forget(made.inode, 1));
  EXPECT_OK(volume_->RemoveOrphans());
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(made.inode)), ESTALE);
}

TEST_F(NamesTest, SymlinksHoldTheirTarget) {
  ASSERT_OK_AND_ASSIGN(const Attributes link, volume_->MakeSymlink(kRootInode, "l", "../x", root_, Reference::kNone));
  EXPECT_EQ(link.mode, uint32_t{S_IFLNK | 0777});
  EXPECT_EQ(link.size_bytes, 4u);
  EXPECT_THAT(volume_->ReadSymlink(link.inode), base::IsOkAndHolds("../x"));
  EXPECT_EQ(ErrnoOrZero(volume_->ReadSymlink(kRootInode)), EINVAL);
  EXPECT_EQ(ErrnoOrZero(volume_->MakeSymlink(kRootInode, "m", "", root_)), ENOENT);
  EXPECT_EQ(ErrnoOrZero(volume_->MakeSymlink(kRootInode, "m", std::string(4096, 'x'), root_)), ENAMETOOLONG);
  for (const size_t size : {1024, 1025, 4095}) {
    ASSERT_OK_AND_ASSIGN(const Attributes made,
                         volume_->MakeSymlink(kRootInode, absl::StrCat(size), std::string(size, 'x'), root_));
    EXPECT_EQ(made.size_bytes, size);
    EXPECT_THAT(volume_->ReadSymlink(made.inode), base::IsOkAndHolds(std::string(size, 'x')));
    EXPECT_THAT(volume_->ListXattrs(made.inode, true), base::IsOkAndHolds(""));
  }
}

TEST_F(NamesTest, HardLinks) {
  const InodeNumber file = MakeFile(kRootInode, "a", "x");
  const InodeNumber directory = MakeDir(kRootInode, "d");
  ASSERT_OK(volume_->Link(file, directory, "b", Reference::kNone).status());
  EXPECT_EQ(Links(file), 2u);
  EXPECT_EQ(ErrnoOrZero(volume_->Link(file, directory, "b")), EEXIST);
  EXPECT_EQ(ErrnoOrZero(volume_->Link(directory, kRootInode, "e")), EPERM);
  ASSERT_OK(volume_->Unlink(kRootInode, "a"));
  EXPECT_EQ(Links(file), 1u);
  EXPECT_EQ(Content(file), "x");
  ASSERT_OK(volume_->Unlink(directory, "b"));
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(file)), ESTALE) << "nobody held it";
}

TEST_F(NamesTest, LinkCountHasALimit) {
  const InodeNumber file = MakeFile(kRootInode, "a");
  for (uint32_t i = 1; i < kLinkCountMax; ++i) {
    ASSERT_OK(volume_->Link(file, kRootInode, absl::StrCat("l", i), Reference::kNone).status());
  }
  EXPECT_EQ(ErrnoOrZero(volume_->Link(file, kRootInode, "one more")), EMLINK);
}

TEST_F(NamesTest, UnlinkedFileLivesUntilItIsForgotten) {
  const InodeNumber file = MakeFile(kRootInode, "a", "content");
  ASSERT_OK(volume_->Lookup(kRootInode, "a").status());
  ASSERT_OK(volume_->Unlink(kRootInode, "a"));
  EXPECT_EQ(Content(file), "content");
  EXPECT_OK(volume_->Write(file, 0, "C"));
  EXPECT_EQ(ErrnoOrZero(volume_->Link(file, kRootInode, "b")), ENOENT) << "not made by O_TMPFILE";
  EXPECT_TRUE(volume_->Forget(file, 1));
  ASSERT_OK(volume_->RemoveOrphans());
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(file)), ESTALE);
  EXPECT_EQ(engine_->AllocatedBytes(file), 0u);
}

TEST_F(NamesTest, OrphansAreRemovedAtTheNextMount) {
  const InodeNumber file = MakeFile(kRootInode, "a", "content");
  ASSERT_OK(volume_->Lookup(kRootInode, "a").status());
  ASSERT_OK(volume_->SetXattr(file, "user.big", std::string(5000, 'v')));
  ASSERT_OK(volume_->Unlink(kRootInode, "a"));
  ASSERT_OK_AND_ASSIGN(const VolumeStat before, volume_->Stat());
  CutPower(engine_->last_sequence());
  ASSERT_OK_AND_ASSIGN(const VolumeStat after, volume_->Stat());
  EXPECT_EQ(before.files, 2u);
  EXPECT_EQ(after.files, 1u);
  EXPECT_EQ(engine_->AllocatedBytes(file), 0u);
}

TEST_F(NamesTest, TemporaryFileGetsANameOrGoes) {
  ASSERT_OK_AND_ASSIGN(const Attributes one, volume_->MakeTemporary(kRootInode, 0600, root_));
  ASSERT_OK_AND_ASSIGN(const Attributes two, volume_->MakeTemporary(kRootInode, 0600, root_));
  EXPECT_EQ(one.link_count, 0u);
  ASSERT_OK(volume_->Write(one.inode, 0, "kept"));
  ASSERT_OK(volume_->Link(one.inode, kRootInode, "named").status());
  EXPECT_EQ(Links(one.inode), 1u);
  CutPower(engine_->last_sequence());
  EXPECT_EQ(Content(one.inode), "kept");
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(two.inode)), ESTALE);
}

TEST_F(NamesTest, RenameReplacesAtomically) {
  const InodeNumber a = MakeFile(kRootInode, "a", "new");
  const InodeNumber b = MakeFile(kRootInode, "b", "old");
  const Sequence before = engine_->last_sequence();
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "b"), 0);
  EXPECT_EQ(engine_->last_sequence(), before + 1) << "one mutation";
  EXPECT_EQ(List(kRootInode), (std::vector<std::string>{".", "..", "b"}));
  EXPECT_EQ(Content(Look(kRootInode, "b")->inode), "new");
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(b)), ESTALE);
  EXPECT_EQ(Links(a), 1u);
}

TEST_F(NamesTest, RenameFlags) {
  const InodeNumber a = MakeFile(kRootInode, "a", "A");
  const InodeNumber d = MakeDir(kRootInode, "d");
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "d", RenameFlag::kNoReplace), EEXIST);
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "x", RenameFlag::kExchange), ENOENT);
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "d", RenameFlag::kExchange), 0);
  EXPECT_EQ(Look(kRootInode, "d")->inode, a);
  EXPECT_EQ(Look(kRootInode, "a")->inode, d);
  const InodeNumber b = MakeFile(d, "b");
  EXPECT_EQ(Rename(d, "b", kRootInode, "a", RenameFlag::kExchange), EINVAL) << "d would go into itself";
  const InodeNumber e = MakeDir(kRootInode, "e");
  EXPECT_EQ(Rename(d, "b", kRootInode, "e", RenameFlag::kExchange), 0);
  EXPECT_EQ(Links(kRootInode), 3u);
  EXPECT_EQ(Links(d), 3u);
  EXPECT_THAT(volume_->Parent(e), base::IsOkAndHolds(d));
  EXPECT_EQ(Look(kRootInode, "e")->inode, b);
}

TEST_F(NamesTest, RenameLeavesAWhiteout) {
  const InodeNumber a = MakeFile(kRootInode, "a");
  const InodeNumber d = MakeDir(kRootInode, "d");
  ASSERT_OK(volume_->Rename(kRootInode, "a", d, "b", {.whiteout = true}, root_));
  ASSERT_OK_AND_ASSIGN(const Attributes whiteout, Look(kRootInode, "a"));
  EXPECT_EQ(whiteout.mode, uint32_t{S_IFCHR});
  EXPECT_EQ(whiteout.device, 0u);
  EXPECT_EQ(Look(d, "b")->inode, a);
  EXPECT_EQ(
      ErrnoOrZero(volume_->Rename(kRootInode, "a", d, "b", {.flag = RenameFlag::kExchange, .whiteout = true}, root_)),
      EINVAL);
}

TEST_F(NamesTest, RenameRefusals) {
  const InodeNumber d = MakeDir(kRootInode, "d");
  const InodeNumber e = MakeDir(d, "e");
  MakeFile(kRootInode, "f");
  EXPECT_EQ(Rename(kRootInode, "d", e, "x"), EINVAL);
  EXPECT_EQ(Rename(kRootInode, "d", d, "x"), EINVAL);
  EXPECT_EQ(Rename(kRootInode, "d", kRootInode, "f"), ENOTDIR);
  EXPECT_EQ(Rename(kRootInode, "f", kRootInode, "d"), EISDIR);
  MakeDir(kRootInode, "g");
  EXPECT_EQ(Rename(kRootInode, "g", kRootInode, "d"), ENOTEMPTY);
  EXPECT_EQ(Rename(d, "e", kRootInode, "d"), ENOTEMPTY);
  EXPECT_EQ(Rename(kRootInode, "none", kRootInode, "d"), ENOENT);
  EXPECT_EQ(Rename(kRootInode, "d", kRootInode, "g"), 0) << "an empty directory is replaced";
  EXPECT_EQ(Links(kRootInode), 3u);
}

TEST_F(NamesTest, RenameOfALinkOntoItselfDoesNothing) {
  const InodeNumber a = MakeFile(kRootInode, "a");
  ASSERT_OK(volume_->Link(a, kRootInode, "b", Reference::kNone).status());
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "b"), 0);
  EXPECT_EQ(Rename(kRootInode, "a", kRootInode, "a"), 0);
  EXPECT_EQ(Links(a), 2u);
}

TEST_F(NamesTest, CookiesAreStable) {
  for (int i = 0; i < 1000; ++i) MakeFile(kRootInode, absl::StrCat("f", i));
  std::map<std::string, uint64_t> cookies;
  EXPECT_OK(volume_->ReadDir(kRootInode, {}, [&](const DirectoryEntry& entry) {
    cookies[std::string(entry.name)] = entry.cookie;
    return true;
  }));
  ASSERT_EQ(cookies.size(), 1002u);
  for (int i = 0; i < 1000; i += 2) ASSERT_OK(volume_->Unlink(kRootInode, absl::StrCat("f", i)));
  EXPECT_EQ(Rename(kRootInode, "f1", kRootInode, "renamed"), 0);
  Remount();
  // From the middle, in small steps, as getdents with a small buffer.
  std::set<std::string> seen;
  uint64_t after = cookies["f500"];
  while (true) {
    size_t count = 0;
    EXPECT_OK(volume_->ReadDir(kRootInode, {.after_cookie = after}, [&](const DirectoryEntry& entry) {
      if (count == 7) return false;
      ++count;
      after = entry.cookie;
      EXPECT_EQ(entry.cookie, cookies[std::string(entry.name)]);
      EXPECT_TRUE(seen.insert(std::string(entry.name)).second) << entry.name;
      return true;
    }));
    if (count == 0) break;
  }
  EXPECT_EQ(seen.size(), 250u);
  uint64_t renamed_cookie = 0;
  EXPECT_OK(volume_->ReadDir(kRootInode, {}, [&](const DirectoryEntry& entry) {
    if (entry.name == "renamed") renamed_cookie = entry.cookie;
    return true;
  }));
  EXPECT_EQ(renamed_cookie, cookies["f1"]) << "kept on rename within the directory";
}

TEST_F(NamesTest, ReadDirPlusHoldsWhatWasTaken) {
  for (int i = 0; i < 100; ++i) MakeFile(kRootInode, absl::StrCat("f", i), "x");
  const size_t cached_before = volume_->cached_inode_count();
  std::vector<InodeNumber> taken;
  EXPECT_OK(volume_->ReadDir(kRootInode, {.attributes = true, .reference = Reference::kTake},
                             [&](const DirectoryEntry& entry) {
                               if (taken.size() == 10) return false;
                               if (entry.cookie > 2) {
                                 EXPECT_EQ(entry.attributes->inode, entry.inode);
                                 EXPECT_EQ(entry.attributes->size_bytes, 1u);
                                 taken.push_back(entry.inode);
                               }
                               return true;
                             }));
  EXPECT_EQ(volume_->cached_inode_count(), cached_before + 10);
  for (const InodeNumber inode : taken) EXPECT_FALSE(volume_->Forget(inode, 1));
  EXPECT_EQ(volume_->cached_inode_count(), cached_before);
}

TEST_F(NamesTest, SiblingsHaveNeighbouringNumbers) {
  const InodeNumber a = MakeDir(kRootInode, "a");
  const InodeNumber b = MakeDir(kRootInode, "b");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(MakeFile(a, absl::StrCat("f", i)), a + 1 + i);
    EXPECT_EQ(MakeFile(b, absl::StrCat("f", i)), b + 1 + i);
  }
}

TEST_F(NamesTest, NamesWithOneHashAreKeptApart) {
  name_hash_bits_ = 2;
  Open();
  std::map<std::string, InodeNumber> files;
  for (int i = 0; i < 40; ++i) {
    const std::string name = absl::StrCat("f", i);
    files[name] = MakeFile(kRootInode, name);
  }
  // Gaps in the numbers of a hash are filled again.
  for (int i = 0; i < 40; i += 3) {
    const std::string name = absl::StrCat("f", i);
    ASSERT_OK(volume_->Unlink(kRootInode, name));
    files.erase(name);
  }
  for (int i = 40; i < 50; ++i) {
    const std::string name = absl::StrCat("f", i);
    files[name] = MakeFile(kRootInode, name);
    EXPECT_EQ(Rename(kRootInode, name, kRootInode, name + "x"), 0);
    files[name + "x"] = files[name];
    files.erase(name);
  }
  Remount();
  for (int i = 0; i < 50; ++i) {
    for (const std::string& name : {absl::StrCat("f", i), absl::StrCat("f", i, "x")}) {
      const absl::StatusOr<Attributes> found = Look(kRootInode, name);
      EXPECT_EQ(found.ok(), files.count(name) == 1) << name;
      if (found.ok()) {
        EXPECT_EQ(found->inode, files[name]);
      }
    }
  }
}

TEST_F(NamesTest, InodeNumbersAreNotUsedAgain) {
  const InodeNumber file = MakeFile(kRootInode, "a");
  ASSERT_OK(volume_->Unlink(kRootInode, "a"));
  Remount();
  EXPECT_GT(MakeFile(kRootInode, "a"), file);
}

}  // namespace
}  // namespace fs
