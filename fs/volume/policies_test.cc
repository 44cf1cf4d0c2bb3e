// Policies in the tree: inheritance, quotas, eviction, expiry, EXDEV.
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "fs/volume/check.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PoliciesTest : public VolumeTest {
 protected:
  explicit PoliciesTest(uint64_t capacity_bytes = base::kTiB) : VolumeTest(capacity_bytes) {
    cache_ = MakeDir(kRootInode, "cache");
    volume_->set_removal_listener([this](const RemovedEntry& entry) {
      removed_.push_back(absl::StrCat(entry.name, entry.reason == RemovedEntry::Reason::kExpired ? " expired" : ""));
    });
  }
  ~PoliciesTest() override {
    const absl::StatusOr<TreeCheckReport> report = CheckTree(*engine_);
    EXPECT_OK(report.status());
    if (!report.ok()) return;
    for (const TreeProblem& problem : report->problems) ADD_FAILURE() << problem.rule << ": " << problem.text;
  }

  int Set(InodeNumber inode, absl::string_view field, absl::string_view value) {
    return ErrnoOrZero(volume_->SetXattr(inode, absl::StrCat("user.cachefs.", field), value));
  }
  std::string Get(InodeNumber inode, absl::string_view field) {
    return volume_->GetXattr(inode, absl::StrCat("user.cachefs.", field)).value_or("none");
  }
  std::vector<std::string> List(InodeNumber directory) {
    std::vector<std::string> names;
    EXPECT_OK(volume_->ReadDir(directory, {.after_cookie = 2}, [&](const DirectoryEntry& entry) {
      names.emplace_back(entry.name);
      return true;
    }));
    return names;
  }
  void Fill(int first, int last, size_t bytes) {
    for (int i = first; i <= last; ++i) MakeFile(cache_, absl::StrCat("f", i), std::string(bytes, 'x'));
  }

  InodeNumber cache_ = 0;
  std::vector<std::string> removed_;
};

TEST_F(PoliciesTest, PoliciesAreInheritedAndCounted) {
  EXPECT_EQ(Get(cache_, "policy"), "none");
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  EXPECT_EQ(Set(cache_, "quota", "1M"), 0);
  const InodeNumber below = MakeDir(cache_, "d");
  const InodeNumber file = MakeFile(below, "f", "12345");
  EXPECT_EQ(Get(file, "policy"), "lru");
  EXPECT_EQ(Get(file, "quota"), "1048576");
  EXPECT_EQ(Get(file, "usage"), "3 5") << "two directories and a file";
  EXPECT_EQ(Get(kRootInode, "usage"), "none");
  EXPECT_THAT(volume_->ListXattrs(cache_, false),
              IsOkAndHolds(std::string("user.cachefs.policy\0user.cachefs.quota\0", 39)));
  EXPECT_THAT(volume_->ListXattrs(file, false), IsOkAndHolds("")) << "listed where it was set";
  Remount();
  EXPECT_EQ(Get(file, "policy"), "lru");
  EXPECT_EQ(Get(file, "usage"), "3 5");
  ASSERT_OK(volume_->Unlink(below, "f"));
  EXPECT_EQ(Get(cache_, "usage"), "2 0");
}

TEST_F(PoliciesTest, BadValues) {
  const InodeNumber file = MakeFile(cache_, "f");
  EXPECT_EQ(Set(cache_, "policy", "sometimes"), EINVAL);
  EXPECT_EQ(Set(cache_, "quota", "lots"), EINVAL);
  EXPECT_EQ(Set(file, "policy", "lru"), EPERM);
  EXPECT_EQ(Set(cache_, "usage", "1"), EPERM);
  EXPECT_EQ(ErrnoOrZero(volume_->RemoveXattr(cache_, "user.cachefs.policy")), ENODATA);
  EXPECT_EQ(Get(cache_, "policy"), "none");
  EXPECT_THAT(volume_->Policies(), IsEmpty());
}

TEST_F(PoliciesTest, WhatIsThereAlreadyIsTakenIn) {
  const InodeNumber below = MakeDir(cache_, "d");
  const InodeNumber file = MakeFile(below, "f", "12345");
  const InodeNumber inner = MakeDir(cache_, "inner");
  EXPECT_EQ(Set(inner, "policy", "fifo"), 0);
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  EXPECT_EQ(Get(file, "usage"), "3 5");
  EXPECT_EQ(Get(inner, "policy"), "fifo") << "a policy of its own";
  EXPECT_OK(volume_->RemoveXattr(cache_, "user.cachefs.policy"));
  EXPECT_EQ(Get(file, "policy"), "none");
  EXPECT_EQ(volume_->Policies().size(), 1u);
  ASSERT_OK(volume_->RemoveDirectory(cache_, "inner"));
  EXPECT_THAT(volume_->Policies(), IsEmpty()) << "the policy goes with its directory";
}

TEST_F(PoliciesTest, KeepWithAQuotaIsAHardLimit) {
  EXPECT_EQ(Set(cache_, "quota", "100K"), 0);
  Fill(1, 10, 10 << 10);
  EXPECT_EQ(ErrnoOrZero(volume_->Append(Look(cache_, "f1")->inode, "x")), EDQUOT);
  ASSERT_OK(volume_->Unlink(cache_, "f2"));
  EXPECT_OK(volume_->Append(Look(cache_, "f1")->inode, "x").status());
  MakeFile(kRootInode, "outside", std::string(200 << 10, 'x'));
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(kRootInode, "outside", cache_, "inside", {}, root_)), EDQUOT);
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(PoliciesTest, CachesNeverExceedTheirQuota) {
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  EXPECT_EQ(Set(cache_, "quota", "100K"), 0);
  for (int i = 0; i < 300; ++i) {
    MakeFile(cache_, absl::StrCat("f", i), std::string(1000 + 37 * i % 4000, 'x'));
    ASSERT_EQ(volume_->Policies().size(), 1u);
    ASSERT_LE(volume_->Policies()[0].bytes, 100u << 10);
  }
  EXPECT_GT(volume_->Policies()[0].bytes, 80u << 10) << "but well used";
  EXPECT_EQ(volume_->cache_counts().evicted_files, removed_.size());
  EXPECT_EQ(List(cache_).size() + removed_.size(), 300u);
  EXPECT_EQ(ErrnoOrZero(volume_->Append(Look(cache_, "f299")->inode, std::string(200 << 10, 'x'))), EDQUOT)
      << "one file that is larger than the quota";
}

TEST_F(PoliciesTest, EvictedFilesThatAreHeldMakeRoomAtOnce) {
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  EXPECT_EQ(Set(cache_, "quota", "100K"), 0);
  std::vector<InodeNumber> held;
  for (int i = 0; i < 40; ++i) {
    const std::string name = absl::StrCat("f", i);
    MakeFile(cache_, name, std::string(10 << 10, 'x'));
    held.push_back(volume_->Lookup(cache_, name, Reference::kTake)->inode);
    ASSERT_LE(volume_->Policies()[0].bytes, 100u << 10);
  }
  EXPECT_GE(List(cache_).size(), 9u) << "no more go than must";
  EXPECT_EQ(volume_->GetAttributes(held[0])->size_bytes, 10u << 10) << "whole for who holds it";
  EXPECT_EQ(Content(held[0]).size(), 10u << 10);
  for (const InodeNumber inode : held) volume_->Forget(inode, 1);
  ASSERT_OK(volume_->RemoveOrphans());
  EXPECT_EQ(volume_->Policies()[0].files, List(cache_).size() + 1) << "and the directory";
  Remount();
  EXPECT_EQ(volume_->Policies()[0].files, List(cache_).size() + 1);
}

TEST_F(PoliciesTest, LookupsHitsAndEvictionsAreCountedByPolicy) {
  EXPECT_EQ(Set(cache_, "policy", "fifo"), 0);
  EXPECT_EQ(Set(cache_, "quota", "100K"), 0);
  Fill(1, 20, 10 << 10);
  const PolicyCounts before = volume_->Policies()[0].counts;
  EXPECT_GE(before.evicted_files, 10u);
  EXPECT_EQ(before.evicted_bytes, before.evicted_files * (10 << 10));
  EXPECT_OK(Look(cache_, "f20").status());
  EXPECT_FALSE(Look(cache_, "f1").ok());
  MakeFile(kRootInode, "elsewhere", "x");
  EXPECT_OK(Look(kRootInode, "elsewhere").status());
  const PolicyCounts after = volume_->Policies()[0].counts;
  EXPECT_EQ(after.lookups - before.lookups, 2u);
  EXPECT_EQ(after.hits - before.hits, 1u);
}

TEST_F(PoliciesTest, PathsAreWhereThingsAreNow) {
  const InodeNumber below = MakeDir(cache_, "d");
  const InodeNumber file = MakeFile(below, "f", "x");
  EXPECT_THAT(volume_->PathOf(file), IsOkAndHolds("cache/d/f"));
  EXPECT_THAT(volume_->PathOf(kRootInode), IsOkAndHolds(""));
  ASSERT_OK(volume_->Rename(cache_, "d", kRootInode, "e", {}, root_));
  EXPECT_THAT(volume_->PathOf(file), IsOkAndHolds("e/f"));
  EXPECT_FALSE(volume_->PathOf(999999).ok());
}

TEST_F(PoliciesTest, UsedFilesStayInAnLruCache) {
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  EXPECT_EQ(Set(cache_, "quota", "100K"), 0);
  Fill(1, 50, 2 << 10);
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(Content(Look(cache_, absl::StrCat("f", i))->inode).size(), 2u << 10);
  Fill(51, 120, 2 << 10);
  for (int i = 1; i <= 5; ++i) EXPECT_OK(Look(cache_, absl::StrCat("f", i)).status()) << i;
}

TEST_F(PoliciesTest, FifoEvictsTheOldestEvenAfterARemount) {
  EXPECT_EQ(Set(cache_, "policy", "fifo"), 0);
  Fill(1, 10, 10 << 10);
  Remount();
  EXPECT_EQ(Set(cache_, "quota", "80K"), 0) << "below the use: evicts at once";
  EXPECT_THAT(List(cache_), ElementsAre("f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10"));
}

TEST_F(PoliciesTest, EvictedFileStaysWholeForItsHolders) {
  EXPECT_EQ(Set(cache_, "policy", "fifo"), 0);
  EXPECT_EQ(Set(cache_, "quota", "20K"), 0);
  const InodeNumber held = MakeFile(cache_, "held", std::string(10 << 10, 'h'));
  ASSERT_OK(volume_->Lookup(cache_, "held").status());
  Fill(1, 2, 9 << 10);
  EXPECT_EQ(ErrnoOrZero(Look(cache_, "held")), ENOENT);
  EXPECT_EQ(Content(held), std::string(10 << 10, 'h'));
  EXPECT_TRUE(volume_->Forget(held, 1));
  EXPECT_OK(volume_->RemoveOrphans());
}

TEST_F(PoliciesTest, ExpiredFilesVanishEverywhereAtOnce) {
  EXPECT_EQ(Set(cache_, "ttl", "1h"), 0);
  const InodeNumber old = MakeFile(cache_, "old", "x");
  clock_.Advance(absl::Minutes(30));
  MakeFile(cache_, "young", "y");
  ASSERT_OK_AND_ASSIGN(const Attributes attributes, Look(cache_, "old"));
  EXPECT_EQ(attributes.expiry_time.seconds, attributes.modify_time.seconds + 3600);
  clock_.Advance(absl::Minutes(31));
  EXPECT_EQ(ErrnoOrZero(Look(cache_, "old")), ENOENT);
  EXPECT_THAT(List(cache_), ElementsAre("young"));
  EXPECT_EQ(ErrnoOrZero(volume_->Unlink(cache_, "old")), ENOENT);
  EXPECT_EQ(ErrnoOrZero(volume_->GetAttributes(old)), ESTALE) << "the change removed it";
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(cache_, "old", cache_, "new", {}, root_)), ENOENT);
}

TEST_F(PoliciesTest, ExpiredNamesCanBeTakenAgain) {
  EXPECT_EQ(Set(cache_, "ttl", "60"), 0);
  const InodeNumber old = MakeFile(cache_, "a", "x");
  clock_.Advance(absl::Seconds(61));
  const InodeNumber renewed = MakeFile(cache_, "a", "y");
  EXPECT_NE(renewed, old);
  EXPECT_EQ(Content(renewed), "y");
  // Writing starts the time anew.
  clock_.Advance(absl::Seconds(50));
  ASSERT_OK(volume_->Write(renewed, 0, "z"));
  clock_.Advance(absl::Seconds(50));
  EXPECT_OK(Look(cache_, "a").status());
}

TEST_F(PoliciesTest, ExpiredFilesAreRemovedInTheBackground) {
  EXPECT_EQ(Set(cache_, "ttl", "60"), 0);
  Fill(1, 5, 100);
  const InodeNumber kept = MakeFile(kRootInode, "kept", "k");
  ASSERT_OK(volume_->SetExpiry(kept, {volume_->GetAttributes(kept)->birth_time.seconds + 30, 0}));
  EXPECT_THAT(volume_->RemoveExpired(100), IsOkAndHolds(0u));
  clock_.Advance(absl::Seconds(61));
  EXPECT_THAT(volume_->RemoveExpired(4), IsOkAndHolds(4u));
  EXPECT_THAT(volume_->RemoveExpired(100), IsOkAndHolds(2u));
  EXPECT_EQ(removed_.size(), 6u);
  EXPECT_EQ(removed_[0], "kept expired");
  EXPECT_EQ(volume_->cache_counts().expired_files, 6u);
}

TEST_F(PoliciesTest, HeldExpiredFilesDoNotBlockTheSweep) {
  EXPECT_EQ(Set(cache_, "ttl", "60"), 0);
  Fill(1, 3, 100);
  for (int i = 1; i <= 3; ++i) ASSERT_OK(volume_->Lookup(cache_, absl::StrCat("f", i)).status());
  clock_.Advance(absl::Seconds(61));
  EXPECT_THAT(volume_->RemoveExpired(1), IsOkAndHolds(1u));
  EXPECT_THAT(volume_->RemoveExpired(1), IsOkAndHolds(1u));
  EXPECT_THAT(volume_->RemoveExpired(1), IsOkAndHolds(1u));
  EXPECT_THAT(volume_->RemoveExpired(1), IsOkAndHolds(0u));
}

TEST_F(PoliciesTest, BordersOfPolicies) {
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  const InodeNumber inside = MakeFile(cache_, "inside", "123");
  MakeFile(kRootInode, "outside", "45");
  MakeDir(cache_, "d");
  EXPECT_EQ(ErrnoOrZero(volume_->Link(inside, kRootInode, "l")), EXDEV);
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(cache_, "d", kRootInode, "d", {}, root_)), EXDEV);
  EXPECT_OK(volume_->Rename(kRootInode, "outside", cache_, "o", {}, root_)) << "a file is accounted anew";
  EXPECT_EQ(Get(cache_, "usage"), "4 5");
  EXPECT_OK(volume_->Link(inside, cache_, "second", Reference::kNone).status());
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(cache_, "inside", kRootInode, "i", {}, root_)), EXDEV)
      << "its other name would stay behind";
  EXPECT_OK(volume_->Rename(kRootInode, "cache", kRootInode, "renamed", {}, root_));
  const InodeNumber other = MakeDir(kRootInode, "other");
  EXPECT_EQ(Set(other, "policy", "fifo"), 0);
  EXPECT_OK(volume_->Rename(kRootInode, "renamed", other, "nested", {}, root_)) << "a root takes its policy along";
  EXPECT_EQ(Get(inside, "policy"), "lru");
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(other, "nested", kRootInode, "x", {.flag = RenameFlag::kExchange}, root_)),
            ENOENT);
}

class SmallDeviceTest : public PoliciesTest {
 protected:
  SmallDeviceTest() : PoliciesTest(400 * 4096) {}
};

TEST_F(SmallDeviceTest, CachesGiveWayWhenTheDeviceIsFull) {
  EXPECT_EQ(Set(cache_, "policy", "lru"), 0);
  Fill(1, 300, 4096);
  for (int i = 0; i < 250; ++i) {
    const absl::StatusOr<Attributes> made =
        volume_->MakeNode(kRootInode, absl::StrCat("k", i), {}, root_, Reference::kNone);
    ASSERT_OK(made.status()) << i;
    ASSERT_OK(volume_->Write(made->inode, 0, std::string(4096, 'k'))) << i;
  }
  EXPECT_GT(removed_.size(), 100u);
  for (int i = 0; i < 250; ++i) EXPECT_OK(Look(kRootInode, absl::StrCat("k", i)).status()) << "kept files stay";
}

}  // namespace
}  // namespace fs
