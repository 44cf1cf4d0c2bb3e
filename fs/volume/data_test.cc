// Data: reading, writing, truncating, sparse files, copying, seeking; space and durability.
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::base::IsOkAndHolds;

class DataTest : public VolumeTest {
 protected:
  explicit DataTest(uint64_t capacity_bytes = base::kTiB) : VolumeTest(capacity_bytes) {
    file_ = MakeFile(kRootInode, "file");
  }
  int Truncate(uint64_t size) {
    AttributeChange change;
    change.fields = AttributeChange::kSize;
    change.size_bytes = size;
    return ErrnoOrZero(volume_->SetAttributes(file_, change));
  }
  Attributes Get() { return *volume_->GetAttributes(file_); }

  InodeNumber file_ = 0;
};

TEST_F(DataTest, ReadStopsAtTheEnd) {
  ASSERT_OK(volume_->Write(file_, 0, "hello"));
  std::vector<uint8_t> out(10);
  EXPECT_THAT(volume_->Read(file_, 3, absl::MakeSpan(out)), IsOkAndHolds(2u));
  EXPECT_THAT(volume_->Read(file_, 5, absl::MakeSpan(out)), IsOkAndHolds(0u));
  EXPECT_THAT(volume_->Read(file_, kFileBytesMax, absl::MakeSpan(out)), IsOkAndHolds(0u));
}

TEST_F(DataTest, OnlyRegularFilesHaveData) {
  std::vector<uint8_t> out(10);
  ASSERT_OK_AND_ASSIGN(const Attributes fifo, volume_->MakeNode(kRootInode, "fifo", {.mode = S_IFIFO | 0600}, root_));
  EXPECT_EQ(ErrnoOrZero(volume_->Read(kRootInode, 0, absl::MakeSpan(out))), EISDIR);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(kRootInode, 0, "x")), EISDIR);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(fifo.inode, 0, "x")), EINVAL);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(12345, 0, "x")), ESTALE);
}

TEST_F(DataTest, TruncatedBytesNeverComeBack) {
  ASSERT_OK(volume_->Write(file_, 0, std::string(10000, 'x')));
  EXPECT_EQ(Truncate(5000), 0);
  EXPECT_EQ(Truncate(10000), 0);
  EXPECT_EQ(Content(file_), std::string(5000, 'x') + std::string(5000, '\0'));
}

TEST_F(DataTest, SparseFilesOfATerabyte) {
  const uint64_t tib = base::kTiB;
  EXPECT_EQ(Truncate(4 * tib), 0);
  ASSERT_OK(volume_->Write(file_, 3 * tib, "deep"));
  EXPECT_EQ(Get().size_bytes, 4 * tib);
  EXPECT_EQ(Get().allocated_bytes, 4096u);
  EXPECT_THAT(volume_->Seek(file_, 0, false), IsOkAndHolds(3 * tib));
  EXPECT_THAT(volume_->Seek(file_, 3 * tib, true), IsOkAndHolds(3 * tib + 4096));
  EXPECT_EQ(ErrnoOrZero(volume_->Seek(file_, 3 * tib + 4096, false)), ENXIO);
  std::vector<uint8_t> out(6);
  EXPECT_THAT(volume_->Read(file_, 3 * tib - 1, absl::MakeSpan(out)), IsOkAndHolds(6u));
  EXPECT_EQ(std::string(out.begin(), out.end()), std::string("\0deep\0", 6));
}

TEST_F(DataTest, SizeLimit) {
  EXPECT_EQ(Truncate(kFileBytesMax), 0);
  EXPECT_EQ(Truncate(kFileBytesMax + 1), EFBIG);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(file_, kFileBytesMax - 1, "ab")), EFBIG);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(file_, UINT64_MAX, "ab")), EFBIG);
  EXPECT_OK(volume_->Write(file_, kFileBytesMax - 1, "a"));
  EXPECT_EQ(ErrnoOrZero(volume_->Append(file_, "b")), EFBIG);
  EXPECT_EQ(ErrnoOrZero(volume_->Fallocate(file_, FallocateMode::kZeroRange, kFileBytesMax, 1)), EFBIG);
}

TEST_F(DataTest, AppendReturnsWhereItWrote) {
  EXPECT_THAT(volume_->Append(file_, "one"), IsOkAndHolds(0u));
  EXPECT_THAT(volume_->Append(file_, "two"), IsOkAndHolds(3u));
  EXPECT_EQ(Content(file_), "onetwo");
}

TEST_F(DataTest, FallocateModes) {
  ASSERT_OK(volume_->Write(file_, 0, std::string(12288, 'x')));
  EXPECT_OK(volume_->Fallocate(file_, FallocateMode::kPunchHole, 4096, 4096));
  EXPECT_EQ(Get().allocated_bytes, 8192u);
  EXPECT_THAT(volume_->Seek(file_, 0, true), IsOkAndHolds(4096u));
  EXPECT_THAT(volume_->Seek(file_, 8192, true), IsOkAndHolds(12288u)) << "a hole follows the end";
  EXPECT_EQ(ErrnoOrZero(volume_->Seek(file_, 12288, true)), ENXIO);
  EXPECT_OK(volume_->Fallocate(file_, FallocateMode::kExtend, 12288, 100));
  EXPECT_EQ(Get().size_bytes, 12388u);
  EXPECT_OK(volume_->Fallocate(file_, FallocateMode::kKeepSize, 20000, 100));
  EXPECT_EQ(Get().size_bytes, 12388u);
  EXPECT_OK(volume_->Fallocate(file_, FallocateMode::kZeroRangeKeepSize, 0, 20000));
  EXPECT_EQ(Content(file_), std::string(12388, '\0'));
  EXPECT_EQ(ErrnoOrZero(volume_->Fallocate(file_, FallocateMode::kExtend, 0, 0)), EINVAL);
  EXPECT_EQ(ErrnoOrZero(volume_->Fallocate(file_, FallocateMode::kExtend, 0, 2 * base::kTiB)), ENOSPC);
}

TEST_F(DataTest, FallocateTakesTheSpaceItPromises) {
  ASSERT_OK(volume_->Write(file_, 8192, std::string(4096, 'x')));
  ASSERT_OK(volume_->Fallocate(file_, FallocateMode::kKeepSize, 0, 20480));
  EXPECT_EQ(Get().allocated_bytes, 20480u);
  EXPECT_EQ(Get().size_bytes, 12288u);
  EXPECT_EQ(Content(file_), std::string(8192, '\0') + std::string(4096, 'x'));
  EXPECT_EQ(Truncate(20480), 0);
  EXPECT_EQ(Content(file_).substr(12288), std::string(8192, '\0'));
  ASSERT_OK(volume_->Fallocate(file_, FallocateMode::kExtend, 0, 40960));
  EXPECT_EQ(Get().allocated_bytes, 40960u);
  EXPECT_EQ(Get().size_bytes, 40960u);
  EXPECT_EQ(Truncate(0), 0);
  EXPECT_EQ(Get().allocated_bytes, 0u);
}

class AllocationTest : public VolumeTest {
 protected:
  AllocationTest() : VolumeTest(8 << 20) {}
};

TEST_F(AllocationTest, WhatWasAllocatedCanBeWrittenAndNothingElse) {
  const InodeNumber file = MakeFile(kRootInode, "reserved", "");
  const InodeNumber filler = MakeFile(kRootInode, "filler", "");
  ASSERT_OK(volume_->Fallocate(file, FallocateMode::kKeepSize, 0, 2 << 20));
  uint64_t filled = 0;
  const std::string block(4096, 'f');
  while (volume_->Write(filler, filled, block).ok()) filled += block.size();
  EXPECT_GT(filled, uint64_t{4} << 20);
  // All or nothing, and said at once.
  const uint64_t before = volume_->GetAttributes(filler)->allocated_bytes;
  EXPECT_EQ(ErrnoOrZero(volume_->Fallocate(filler, FallocateMode::kKeepSize, 8 << 20, 4 << 20)), ENOSPC);
  EXPECT_EQ(volume_->GetAttributes(filler)->allocated_bytes, before);
  for (uint64_t at = 0; at < 2 << 20; at += block.size()) ASSERT_OK(volume_->Write(file, at, block)) << at;
  EXPECT_EQ(volume_->GetAttributes(file)->size_bytes, 2u << 20);
  EXPECT_EQ(ErrnoOrZero(volume_->Write(file, 2 << 20, block)), ENOSPC);
}

TEST_F(DataTest, CopyKeepsHoles) {
  EXPECT_EQ(Truncate(base::kMiB), 0);
  ASSERT_OK(volume_->Write(file_, 500'000, "middle"));
  const InodeNumber copy = MakeFile(kRootInode, "copy", std::string(8192, 'x'));
  EXPECT_THAT(volume_->CopyRange(file_, 0, copy, 0, 2 * base::kMiB), IsOkAndHolds(base::kMiB));
  EXPECT_TRUE(Content(copy) == Content(file_));
  EXPECT_LE(volume_->GetAttributes(copy)->allocated_bytes, 600'000u);
  EXPECT_EQ(ErrnoOrZero(volume_->CopyRange(file_, 0, file_, 100, 200)), EINVAL);
}

TEST_F(DataTest, ContentChangesCountVersions) {
  const Attributes before = Get();
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  const Attributes written = Get();
  EXPECT_GT(written.version, before.version);
  EXPECT_EQ(written.data_version, written.version);
  EXPECT_EQ(written.modify_time, written.change_time);
  AttributeChange change;
  change.fields = AttributeChange::kMode;
  change.mode = 0600;
  ASSERT_OK_AND_ASSIGN(const Attributes chmodded, volume_->SetAttributes(file_, change));
  EXPECT_GT(chmodded.version, written.version);
  EXPECT_EQ(chmodded.data_version, written.data_version);
  EXPECT_EQ(chmodded.modify_time, written.modify_time);
  EXPECT_GT(chmodded.change_time, written.change_time);
  Remount();
  ASSERT_OK(volume_->Write(file_, 0, "y"));
  EXPECT_GT(Get().version, chmodded.version);
}

TEST_F(DataTest, VersionsAreNewAfterAPowerCutToo) {
  ASSERT_OK(volume_->Sync());
  const Sequence kept = engine_->last_sequence();
  for (int i = 0; i < 10; ++i) ASSERT_OK(volume_->Write(file_, 0, "x"));
  const ChangeVersion lost = Get().version;
  CutPower(kept);
  EXPECT_LT(Get().version, lost);
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  EXPECT_GT(Get().version, lost);
}

TEST_F(DataTest, PrivilegesAreDroppedAsLinuxDoes) {
  AttributeChange chmod;
  chmod.fields = AttributeChange::kMode;
  const auto set = [&](uint32_t mode) {
    chmod.mode = mode;
    EXPECT_OK(volume_->SetAttributes(file_, chmod).status());
    EXPECT_OK(volume_->SetXattr(file_, "security.capability", "cap"));
  };
  const auto mode = [&] { return Get().mode & 07777; };
  const auto has_capability = [&] { return volume_->GetXattr(file_, "security.capability").ok(); };
  set(06755);
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  EXPECT_EQ(mode(), 06755u) << "the writer has CAP_FSETID";
  EXPECT_FALSE(has_capability());
  set(06755);
  ASSERT_OK(volume_->Write(file_, 0, "x", {.kill_privileges = true}));
  EXPECT_EQ(mode(), 0755u);
  set(06745);
  ASSERT_OK(volume_->Write(file_, 0, "x", {.kill_privileges = true}));
  EXPECT_EQ(mode(), 02745u) << "sgid without group execution means mandatory locking";
  set(06755);
  EXPECT_EQ(Truncate(1), 0);
  EXPECT_FALSE(has_capability());
  set(06755);
  AttributeChange chown;
  chown.fields = AttributeChange::kUid;
  chown.uid = 5;
  ASSERT_OK(volume_->SetAttributes(file_, chown).status());
  EXPECT_EQ(mode(), 0755u);
  EXPECT_FALSE(has_capability());
}

TEST_F(DataTest, FsyncCommitsUpToTheFilesOwnChange) {
  const InodeNumber other = MakeFile(kRootInode, "other");
  ASSERT_OK(volume_->Lookup(kRootInode, "file").status());
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  const Sequence own = engine_->last_sequence();
  ASSERT_OK(volume_->Write(other, 0, "y"));
  ASSERT_OK(volume_->Fsync(file_));
  EXPECT_EQ(engine_->durable_sequence(), own);
  ASSERT_OK(volume_->Fsync(kRootInode));
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence()) << "the root is the full barrier";
}

TEST_F(DataTest, FsyncOfAForgottenFileStillCommits) {
  ASSERT_OK(volume_->Write(file_, 0, "x"));  // nobody holds it afterwards
  ASSERT_OK(volume_->Fsync(file_));
  CutPower(0);
  EXPECT_EQ(Content(file_), "x");
}

TEST_F(DataTest, AsynchronousCommitAnswersWhenItIsDurable) {
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  engine_->HoldCommits();
  bool done = false;
  volume_->SyncAsync(Priority::kSync, [&](absl::Status status) {
    EXPECT_OK(status);
    done = true;
  });
  EXPECT_FALSE(done);
  engine_->ReleaseCommits();
  EXPECT_TRUE(done);
}

TEST_F(DataTest, FailedCommitIsTold) {
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  engine_->FailCommits(absl::UnavailableError("flush failed"));
  EXPECT_THAT(volume_->Fsync(file_), base::StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DataTest, FailedApplyChangesNothing) {
  ASSERT_OK(volume_->Write(file_, 0, "old"));
  const Attributes before = Get();
  engine_->FailNextApply(absl::DataLossError("bad unit"));
  EXPECT_THAT(volume_->Write(file_, 0, "newer"), base::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Content(file_), "old");
  EXPECT_EQ(Get().change_time, before.change_time);
  engine_->FailNextApply(absl::DataLossError("bad unit"));
  EXPECT_EQ(ErrnoOrZero(volume_->MakeNode(kRootInode, "x", {}, root_)), EIO);
  EXPECT_EQ(ErrnoOrZero(Look(kRootInode, "x")), ENOENT);
  ASSERT_OK(volume_->MakeNode(kRootInode, "x", {}, root_, Reference::kNone).status());
}

TEST_F(DataTest, ColdDataIsNotReadFromMemory) {
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  std::vector<uint8_t> out(10);
  size_t size = 0;
  EXPECT_THAT(volume_->TryRead(file_, 0, absl::MakeSpan(out), &size), IsOkAndHolds(true));
  EXPECT_EQ(size, 1u);
  engine_->set_cold(true);
  EXPECT_THAT(volume_->TryRead(file_, 0, absl::MakeSpan(out), &size), IsOkAndHolds(false));
  EXPECT_THAT(volume_->TryRead(file_, 1, absl::MakeSpan(out), &size), IsOkAndHolds(true)) << "nothing to read";
}

TEST_F(DataTest, WouldWaitIsAskedFirst) {
  EXPECT_FALSE(volume_->WriteWouldWait(file_, 0, 1));
  EXPECT_FALSE(volume_->ChangeWouldWait());
  engine_->set_would_wait(true);
  EXPECT_TRUE(volume_->WriteWouldWait(file_, 0, 1));
  EXPECT_TRUE(volume_->ChangeWouldWait());
  EXPECT_TRUE(volume_->ChangeWouldWait(file_));
  // A change of names waits before it takes its locks: it commits what is dirty.
  MakeFile(kRootInode, "x");
  EXPECT_GT(engine_->durable_sequence(), 0u);
}

TEST_F(DataTest, BatchAnswersEachReadOnce) {
  const InodeNumber other = MakeFile(kRootInode, "other", "other");
  ASSERT_OK(volume_->Write(file_, 0, "hello"));
  uint8_t out[4][8];
  const VolumeRead reads[] = {{file_, 0, out[0]}, {12345, 0, out[1]}, {other, 2, out[2]}, {other, 100, out[3]}};
  std::vector<std::string> answers(4);
  volume_->ReadBatch(reads, [&](size_t index, absl::StatusOr<size_t> size) {
    EXPECT_EQ(answers[index], "");
    answers[index] = size.ok() ? absl::StrCat("'", absl::string_view(reinterpret_cast<char*>(out[index]), *size), "'")
                               : absl::StrCat("errno ", base::ErrnoOf(size.status()));
  });
  EXPECT_EQ(answers, (std::vector<std::string>{"'hello'", absl::StrCat("errno ", ESTALE), "'her'", "''"}));
}

TEST_F(DataTest, ReadOnlyVolumeReadsButChangesNothing) {
  ASSERT_OK(volume_->Write(file_, 0, "x"));
  engine_->set_read_only(true);
  EXPECT_TRUE(volume_->read_only());
  EXPECT_EQ(Content(file_), "x");
  EXPECT_EQ(ErrnoOrZero(volume_->Write(file_, 0, "y")), EROFS);
  EXPECT_EQ(ErrnoOrZero(volume_->MakeNode(kRootInode, "n", {}, root_)), EROFS);
  EXPECT_EQ(ErrnoOrZero(volume_->Unlink(kRootInode, "file")), EROFS);
  EXPECT_EQ(ErrnoOrZero(volume_->Rename(kRootInode, "file", kRootInode, "f", {}, root_)), EROFS);
  EXPECT_EQ(ErrnoOrZero(volume_->SetXattr(file_, "user.a", "b")), EROFS);
  EXPECT_EQ(Truncate(0), EROFS);
}

TEST_F(DataTest, ClosedVolumeTakesNoChanges) {
  ASSERT_OK(volume_->Close());
  EXPECT_EQ(ErrnoOrZero(volume_->Write(file_, 0, "y")), EROFS);
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence());
  EXPECT_OK(volume_->Close());
}

class FullVolumeTest : public DataTest {
 protected:
  FullVolumeTest() : DataTest(200 * 4096) {}
};

TEST_F(FullVolumeTest, FullIsCleanAndDeletingAlwaysWorks) {
  int made = 0;
  absl::Status status;
  while (status.ok()) {
    const std::string name = absl::StrCat("f", made);
    status = volume_->MakeNode(kRootInode, name, {}, root_, Reference::kNone).status();
    if (!status.ok()) break;
    ++made;
    status = volume_->Write(Look(kRootInode, name)->inode, 0, std::string(4096, 'x'));
  }
  EXPECT_EQ(ErrnoOrZero(status), ENOSPC);
  EXPECT_GT(made, 100);
  ASSERT_OK_AND_ASSIGN(const VolumeStat full, volume_->Stat());
  EXPECT_LT(full.available_bytes, 2 * 4096u);
  for (int i = 0; i < made; ++i) ASSERT_OK(volume_->Unlink(kRootInode, absl::StrCat("f", i)));
  ASSERT_OK_AND_ASSIGN(const VolumeStat empty, volume_->Stat());
  EXPECT_GT(empty.available_bytes, 180 * 4096u);
  EXPECT_OK(volume_->Write(file_, 0, std::string(4096, 'x')));
}

}  // namespace
}  // namespace fs
