// Extended attributes, ACLs, and who may do what.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/endian.h"
#include "fs/volume/acl.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;

std::string AclBytes(const std::vector<Acl::Entry>& entries) {
  std::string out(4 + 8 * entries.size(), '\0');
  base::StoreLittle<uint32_t>(out.data(), 2);
  for (size_t i = 0; i < entries.size(); ++i) {
    base::StoreLittle<uint16_t>(&out[4 + 8 * i], entries[i].tag);
    base::StoreLittle<uint16_t>(&out[6 + 8 * i], entries[i].permissions);
    base::StoreLittle<uint32_t>(&out[8 + 8 * i], entries[i].id);
  }
  return out;
}

class XattrsTest : public VolumeTest {
 protected:
  XattrsTest() { file_ = MakeFile(kRootInode, "file"); }

  int Set(InodeNumber inode, absl::string_view name, absl::string_view value, XattrFlag flag = XattrFlag::kSet) {
    return ErrnoOrZero(volume_->SetXattr(inode, name, value, {.flag = flag}));
  }
  uint32_t Mode(InodeNumber inode) { return volume_->GetAttributes(inode)->mode & 07777; }
  void Chmod(InodeNumber inode, uint32_t mode) {
    AttributeChange change;
    change.fields = AttributeChange::kMode;
    change.mode = mode;
    EXPECT_OK(volume_->SetAttributes(inode, change).status());
  }

  InodeNumber file_ = 0;
};

TEST_F(XattrsTest, SmallAndLargeSurviveARemount) {
  const std::string large(kXattrValueBytesMax, 'L');
  EXPECT_EQ(Set(file_, "user.small", "s"), 0);
  EXPECT_EQ(Set(file_, "user.empty", ""), 0);
  EXPECT_EQ(Set(file_, "user.large", large), 0);
  EXPECT_EQ(Set(file_, "user.too_large", large + "x"), E2BIG);
  Remount();
  EXPECT_THAT(volume_->GetXattr(file_, "user.small"), IsOkAndHolds("s"));
  EXPECT_THAT(volume_->GetXattr(file_, "user.empty"), IsOkAndHolds(""));
  EXPECT_THAT(volume_->GetXattr(file_, "user.large"), IsOkAndHolds(large));
  EXPECT_THAT(volume_->ListXattrs(file_, false), IsOkAndHolds(std::string("user.empty\0user.small\0user.large\0", 33)));
  // From a row of its own into the inode's row and back.
  EXPECT_EQ(Set(file_, "user.large", "now small"), 0);
  EXPECT_EQ(Set(file_, "user.small", large), 0);
  EXPECT_THAT(volume_->GetXattr(file_, "user.large"), IsOkAndHolds("now small"));
  EXPECT_THAT(volume_->GetXattr(file_, "user.small"), IsOkAndHolds(large));
  EXPECT_OK(volume_->RemoveXattr(file_, "user.small"));
  EXPECT_EQ(ErrnoOrZero(volume_->GetXattr(file_, "user.small")), ENODATA);
  EXPECT_EQ(ErrnoOrZero(volume_->RemoveXattr(file_, "user.small")), ENODATA);
}

TEST_F(XattrsTest, Flags) {
  EXPECT_EQ(Set(file_, "user.a", "1", XattrFlag::kReplace), ENODATA);
  EXPECT_EQ(Set(file_, "user.a", "1", XattrFlag::kCreate), 0);
  EXPECT_EQ(Set(file_, "user.a", "2", XattrFlag::kCreate), EEXIST);
  EXPECT_EQ(Set(file_, "user.a", "2", XattrFlag::kReplace), 0);
  EXPECT_THAT(volume_->GetXattr(file_, "user.a"), IsOkAndHolds("2"));
}

TEST_F(XattrsTest, NamesAndClasses) {
  EXPECT_EQ(Set(file_, "other.a", "1"), EOPNOTSUPP);
  EXPECT_EQ(Set(file_, "user.", "1"), EOPNOTSUPP);
  EXPECT_EQ(Set(file_, "system.other", "1"), EOPNOTSUPP);
  EXPECT_EQ(Set(file_, "", "1"), ERANGE);
  EXPECT_EQ(Set(file_, "user." + std::string(251, 'n'), "1"), ERANGE);
  EXPECT_EQ(Set(file_, "user." + std::string(250, 'n'), "1"), 0);
  EXPECT_EQ(ErrnoOrZero(volume_->GetXattr(file_, "other.a")), EOPNOTSUPP);
  ASSERT_OK_AND_ASSIGN(const Attributes link, volume_->MakeSymlink(kRootInode, "l", "t", root_));
  EXPECT_EQ(Set(link.inode, "user.a", "1"), EPERM);
  EXPECT_EQ(Set(link.inode, "trusted.a", "1"), 0);
  EXPECT_EQ(Set(link.inode, Acl::kAccessName, ""), EOPNOTSUPP);
}

TEST_F(XattrsTest, TrustedNamesAreForThePrivileged) {
  EXPECT_EQ(Set(file_, "trusted.t", "1"), 0);
  EXPECT_EQ(Set(file_, "security.s", "1"), 0);
  EXPECT_THAT(volume_->ListXattrs(file_, false), IsOkAndHolds(std::string("security.s\0", 11)));
  EXPECT_THAT(volume_->ListXattrs(file_, true), IsOkAndHolds(std::string("security.s\0trusted.t\0", 21)));
}

TEST_F(XattrsTest, ListIsBounded) {
  int made = 0;
  int error = 0;
  while (error == 0 && made < 1000) {
    error = Set(file_, absl::StrCat("user.", std::string(240, 'n'), made), "v");
    ++made;
  }
  EXPECT_EQ(error, ENOSPC);
  EXPECT_LE(volume_->ListXattrs(file_, false)->size(), kXattrListBytesMax);
  EXPECT_GT(made, 200);
}

const std::vector<Acl::Entry> kAcl = {{Acl::kUserObject, 6, UINT32_MAX},
                                      {Acl::kUser, 4, 1000},
                                      {Acl::kGroupObject, 5, UINT32_MAX},
                                      {Acl::kMask, 7, UINT32_MAX},
                                      {Acl::kOther, 0, UINT32_MAX}};

TEST_F(XattrsTest, AccessAclAndModeMirrorEachOther) {
  Chmod(file_, 02777);
  EXPECT_EQ(Set(file_, Acl::kAccessName, AclBytes(kAcl)), 0);
  EXPECT_EQ(Mode(file_), 02670u) << "the group bits are the mask's";
  Chmod(file_, 0640);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, volume_->GetXattr(file_, Acl::kAccessName));
  ASSERT_OK_AND_ASSIGN(const Acl acl, Acl::Parse(bytes));
  EXPECT_EQ(acl.ModeBits(), 0640u);
  EXPECT_EQ(acl.entries()[2].permissions, 5);
  // A list that says no more than the mode is the mode.
  EXPECT_EQ(Set(file_, Acl::kAccessName,
                AclBytes({{Acl::kUserObject, 7, 0}, {Acl::kGroupObject, 1, 0}, {Acl::kOther, 2, 0}})),
            0);
  EXPECT_EQ(Mode(file_), 0712u);
  EXPECT_EQ(ErrnoOrZero(volume_->GetXattr(file_, Acl::kAccessName)), ENODATA);
  EXPECT_EQ(Set(file_, Acl::kAccessName, "garbage"), EINVAL);
  EXPECT_EQ(Set(file_, Acl::kDefaultName, AclBytes(kAcl)), EACCES);
}

TEST_F(XattrsTest, SgidGoesWithAnAclFromOutsideTheGroup) {
  Chmod(file_, 02770);
  EXPECT_OK(volume_->SetXattr(file_, Acl::kAccessName, AclBytes(kAcl), {.clear_sgid = true}));
  EXPECT_EQ(Mode(file_), 0670u);
}

TEST_F(XattrsTest, DefaultAclIsInheritedInsteadOfTheUmask) {
  const InodeNumber directory = MakeDir(kRootInode, "d");
  EXPECT_EQ(Set(directory, Acl::kDefaultName, AclBytes(kAcl)), 0);
  Credentials credentials;
  credentials.umask = 077;
  ASSERT_OK_AND_ASSIGN(const Attributes file, volume_->MakeNode(directory, "f", {.mode = 0666}, credentials));
  EXPECT_EQ(file.mode & 0777, 0660u);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, volume_->GetXattr(file.inode, Acl::kAccessName));
  EXPECT_EQ(Acl::Parse(bytes)->entries()[1], kAcl[1]);
  ASSERT_OK_AND_ASSIGN(const Attributes child, volume_->MakeDirectory(directory, "c", 0777, credentials));
  EXPECT_THAT(volume_->GetXattr(child.inode, Acl::kDefaultName), IsOkAndHolds(AclBytes(kAcl)));
  EXPECT_EQ(child.mode & 0777, 0670u);
  EXPECT_EQ(Set(directory, Acl::kDefaultName, ""), 0) << "empty removes it";
  ASSERT_OK_AND_ASSIGN(const Attributes plain, volume_->MakeNode(directory, "g", {.mode = 0666}, credentials));
  EXPECT_EQ(plain.mode & 0777, 0600u);
}

TEST_F(XattrsTest, SgidDirectoriesGiveTheirGroup) {
  const InodeNumber directory = MakeDir(kRootInode, "d");
  AttributeChange change;
  change.fields = AttributeChange::kGid;
  change.gid = 50;
  ASSERT_OK(volume_->SetAttributes(directory, change).status());
  Chmod(directory, 02775);
  const Credentials user{.uid = 7, .gid = 8};
  ASSERT_OK_AND_ASSIGN(const Attributes file, volume_->MakeNode(directory, "f", {.mode = 0644}, user));
  EXPECT_EQ(file.uid, 7u);
  EXPECT_EQ(file.gid, 50u);
  ASSERT_OK_AND_ASSIGN(const Attributes child, volume_->MakeDirectory(directory, "c", 0755, user));
  EXPECT_EQ(child.gid, 50u);
  EXPECT_EQ(child.mode & 07777, 02755u);
}

class AccessTest : public XattrsTest {
 protected:
  AccessTest() {
    AttributeChange change;
    change.fields = AttributeChange::kUid | AttributeChange::kGid | AttributeChange::kMode;
    change.uid = 1;
    change.gid = 2;
    change.mode = 0640;
    EXPECT_OK(volume_->SetAttributes(file_, change).status());
  }
  int Access(const Credentials& credentials, int mask) {
    return ErrnoOrZero(volume_->CheckAccess(credentials, file_, mask));
  }
  const Credentials owner_{.uid = 1, .gid = 9};
  const Credentials member_{.uid = 5, .gid = 2};
  const Credentials supplementary_{.uid = 5, .gid = 6, .groups = {7, 2}};
  const Credentials stranger_{.uid = 5, .gid = 6};
};

TEST_F(AccessTest, ModeBits) {
  EXPECT_EQ(Access(owner_, R_OK | W_OK), 0);
  EXPECT_EQ(Access(owner_, X_OK), EACCES);
  EXPECT_EQ(Access(member_, R_OK), 0);
  EXPECT_EQ(Access(member_, W_OK), EACCES);
  EXPECT_EQ(Access(supplementary_, R_OK), 0);
  EXPECT_EQ(Access(stranger_, R_OK), EACCES);
  EXPECT_EQ(Access(root_, R_OK | W_OK), 0);
  EXPECT_EQ(Access(root_, X_OK), EACCES);
  Chmod(file_, 0041);
  EXPECT_EQ(Access(root_, X_OK), 0);
  EXPECT_EQ(Access(owner_, X_OK), EACCES) << "the owner's bits alone count";
  EXPECT_EQ(Access(member_, X_OK), EACCES) << "the group's bits alone count";
}

TEST_F(AccessTest, AclsCount) {
  EXPECT_EQ(Set(file_, Acl::kAccessName,
                AclBytes({{Acl::kUserObject, 6, 0},
                          {Acl::kUser, 6, 5},
                          {Acl::kGroupObject, 0, 0},
                          {Acl::kMask, 4, 0},
                          {Acl::kOther, 7, 0}})),
            0);
  EXPECT_EQ(Access(stranger_, R_OK), 0);
  EXPECT_EQ(Access(stranger_, W_OK), EACCES) << "masked";
  EXPECT_EQ(Access({.uid = 8, .gid = 2}, R_OK), EACCES);
  EXPECT_EQ(Access({.uid = 8, .gid = 3}, X_OK), 0);
}

TEST_F(AccessTest, ReadOnlyVolume) {
  engine_->set_read_only(true);
  EXPECT_EQ(Access(owner_, W_OK), EROFS);
  EXPECT_EQ(Access(root_, W_OK), EROFS);
  EXPECT_EQ(Access(owner_, R_OK), 0);
}

TEST_F(AccessTest, StickyDirectories) {
  Chmod(kRootInode, 01777);
  EXPECT_EQ(ErrnoOrZero(volume_->CheckRemove(stranger_, kRootInode, file_)), EPERM);
  EXPECT_EQ(ErrnoOrZero(volume_->CheckRemove(owner_, kRootInode, file_)), 0);
  EXPECT_EQ(ErrnoOrZero(volume_->CheckRemove(root_, kRootInode, file_)), 0);
  Chmod(kRootInode, 0777);
  EXPECT_EQ(ErrnoOrZero(volume_->CheckRemove(stranger_, kRootInode, file_)), 0);
  Chmod(kRootInode, 0755);
  EXPECT_EQ(ErrnoOrZero(volume_->CheckRemove(owner_, kRootInode, file_)), EACCES);
}

TEST_F(AccessTest, WhoMaySetWhat) {
  const auto check = [&](const Credentials& credentials, const AttributeChange& change) {
    return ErrnoOrZero(volume_->CheckSetAttributes(credentials, file_, change));
  };
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kMode, .mode = 0600}), 0);
  EXPECT_EQ(check(stranger_, {.fields = AttributeChange::kMode, .mode = 0600}), EPERM);
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kUid, .uid = 5}), EPERM);
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kGid, .gid = 9}), 0);
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kGid, .gid = 10}), EPERM);
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kMode, .mode = 02600}), EPERM) << "not in the file's group";
  EXPECT_EQ(check(root_, {.fields = AttributeChange::kUid, .uid = 5}), 0);
  EXPECT_EQ(check(member_, {.fields = AttributeChange::kSize}), EACCES);
  EXPECT_EQ(check(owner_, {.fields = AttributeChange::kSize}), 0);
  EXPECT_EQ(check(stranger_, {.fields = AttributeChange::kModifyTime}), EPERM);
  EXPECT_EQ(check(stranger_, {.fields = AttributeChange::kModifyTimeNow}), EACCES);
  Chmod(file_, 0666);
  EXPECT_EQ(check(stranger_, {.fields = AttributeChange::kModifyTimeNow}), 0);
}

}  // namespace
}  // namespace fs
