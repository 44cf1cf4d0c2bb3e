#include "fs/volume/check.h"

#include <sys/stat.h>

#include "fs/format/inode_row.h"
#include "fs/format/name_row.h"
#include "fs/format/volume_row.h"
#include "fs/volume/testing/volume_fixture.h"

namespace fs {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckTest : public VolumeTest {
 protected:
  CheckTest() {
    directory_ = MakeDir(kRootInode, "d");
    file_ = MakeFile(directory_, "f", "content");
    EXPECT_OK(volume_->SetXattr(file_, "user.large", std::string(5000, 'v')));
    EXPECT_OK(volume_->Sync());
  }

  std::vector<std::string> Rules() {
    const absl::StatusOr<TreeCheckReport> report = CheckTree(*engine_);
    EXPECT_OK(report.status());
    std::vector<std::string> rules;
    if (report.ok()) {
      for (const TreeProblem& problem : report->problems) rules.push_back(problem.rule);
    }
    return rules;
  }
  void Put(std::string key, std::string value) {
    Mutation mutation;
    mutation.Put(std::move(key), std::move(value));
    ASSERT_OK(engine_->Apply(mutation).status());
  }
  void Delete(std::string key) {
    Mutation mutation;
    mutation.Delete(std::move(key));
    ASSERT_OK(engine_->Apply(mutation).status());
  }
  void EditInode(InodeNumber inode, const std::function<void(InodeRow&)>& edit) {
    std::string bytes;
    ASSERT_THAT(engine_->Get(RowKey(inode, RowType::kInode), &bytes), base::IsOkAndHolds(true));
    ASSERT_OK_AND_ASSIGN(InodeRow row, InodeRow::Decode(bytes));
    edit(row);
    Put(RowKey(inode, RowType::kInode), row.Encode());
  }

  InodeNumber directory_ = 0;
  InodeNumber file_ = 0;
};

TEST_F(CheckTest, HealthyVolumeHasNoProblems) {
  EXPECT_THAT(Rules(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*engine_));
  EXPECT_EQ(report.files, 1u);
  EXPECT_EQ(report.directories, 2u);
  EXPECT_EQ(report.orphans, 0u);
}

TEST_F(CheckTest, HeldOrphansAreNoProblem) {
  ASSERT_OK(volume_->Lookup(directory_, "f").status());
  ASSERT_OK(volume_->Unlink(directory_, "f"));
  EXPECT_THAT(Rules(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*engine_));
  EXPECT_EQ(report.orphans, 1u);
}

TEST_F(CheckTest, T1DamagedAndUnknownRows) {
  Put(RowKey(file_, RowType::kInode), "\x01garbage");
  EXPECT_THAT(Rules(), Contains("T1"));
}
TEST_F(CheckTest, T1RowsWithoutAnInode) {
  Put(XattrKey(999, "user.x", 0), "v");
  EXPECT_THAT(Rules(), Contains("T1"));
}
TEST_F(CheckTest, T1UnknownType) {
  Put(RowKey(file_, static_cast<RowType>(15)), "v");
  EXPECT_THAT(Rules(), Contains("T1"));
}
TEST_F(CheckTest, T2MissingBackReference) {
  Delete(RowKey(file_, RowType::kBackReference, directory_, kFirstIndex));
  EXPECT_THAT(Rules(), Contains("T2"));
}
TEST_F(CheckTest, T2MissingOrderRow) {
  Delete(RowKey(directory_, RowType::kOrder, kFirstIndex));
  EXPECT_THAT(Rules(), Contains("T2"));
}
TEST_F(CheckTest, T2WrongType) {
  Put(RowKey(directory_, RowType::kOrder, kFirstIndex), OrderRow{file_, S_IFDIR >> 12, "f"}.Encode());
  EXPECT_THAT(Rules(), Contains("T2"));
}
TEST_F(CheckTest, T2NameUnderAnotherHash) {
  Put(RowKey(directory_, RowType::kName, 12345) + std::string(4, '\0'), NameRow{file_, kFirstIndex, "f"}.Encode());
  EXPECT_THAT(Rules(), Contains("T2"));
}
TEST_F(CheckTest, T3WrongLinkCounts) {
  EditInode(file_, [](InodeRow& row) { row.link_count = 2; });
  EXPECT_THAT(Rules(), Contains("T3"));
}
TEST_F(CheckTest, T3WrongLinkCountOfADirectory) {
  EditInode(kRootInode, [](InodeRow& row) { row.link_count = 2; });
  EXPECT_THAT(Rules(), Contains("T3"));
}
TEST_F(CheckTest, T3WrongEntryCount) {
  EditInode(directory_, [](InodeRow& row) { row.entry_count = 5; });
  EXPECT_THAT(Rules(), Contains("T3"));
}
TEST_F(CheckTest, T4IndexThatWasGivenTwice) {
  EditInode(directory_, [](InodeRow& row) { row.next_index = kFirstIndex; });
  EXPECT_THAT(Rules(), Contains("T4"));
}
TEST_F(CheckTest, T5OrphanWithAName) {
  Put(OrphanKey(file_), "");
  EXPECT_THAT(Rules(), Contains("T5"));
}
TEST_F(CheckTest, T6WrongXattrCount) {
  EditInode(file_, [](InodeRow& row) { row.xattr_row_count = 0; });
  EXPECT_THAT(Rules(), Contains("T6"));
}
TEST_F(CheckTest, T7NumberPastTheCounter) {
  Put(CounterKey(Counter::kNextInode), EncodeCounter(3));
  EXPECT_THAT(Rules(), Contains("T7"));
}
TEST_F(CheckTest, T7NumberInsideAFreeRun) {
  EditInode(directory_, [&](InodeRow& row) { row.run_next = file_; });
  EXPECT_THAT(Rules(), Contains("T7"));
}
TEST_F(CheckTest, T8DirectoryThatHoldsItself) {
  Mutation mutation;
  mutation.Delete(RowKey(directory_, RowType::kBackReference, kRootInode, kFirstIndex));
  mutation.Put(RowKey(directory_, RowType::kBackReference, directory_, 4), "");
  ASSERT_OK(engine_->Apply(mutation).status());
  EXPECT_THAT(Rules(), Contains("T8"));
}
TEST_F(CheckTest, T9DataPastTheEnd) {
  EditInode(file_, [](InodeRow& row) { row.size_bytes = 0; });
  EXPECT_THAT(Rules(), Contains("T9"));
}
TEST_F(CheckTest, SpaceAllocatedPastTheEndIsWell) {
  ASSERT_OK(volume_->Fallocate(file_, FallocateMode::kKeepSize, 0, 3 << 20));
  EXPECT_THAT(Rules(), ::testing::IsEmpty());
}
TEST_F(CheckTest, T10WrongUsage) {
  Put(UsageKey(kNoPolicy), UsageRow{.files = 7}.Encode());
  EXPECT_THAT(Rules(), Contains("T10"));
}

TEST_F(CheckTest, T11ExpiryRowThatNobodyAskedFor) {
  Put(ExpiryKey(600, file_), "");
  EXPECT_THAT(Rules(), Contains("T11"));
}
TEST_F(CheckTest, T11MissingExpiryRow) {
  ASSERT_OK(volume_->SetExpiry(file_, {2'000'000'000, 0}));
  EXPECT_THAT(Rules(), IsEmpty());
  Delete(ExpiryKey(2'000'000'000, file_));
  EXPECT_THAT(Rules(), Contains("T11"));
}
TEST_F(CheckTest, T12UnknownPolicy) {
  EditInode(file_, [](InodeRow& row) { row.policy = 9; });
  EXPECT_THAT(Rules(), Contains("T12"));
}

TEST_F(CheckTest, ProblemsAreBoundedButCounted) {
  for (uint32_t i = 0; i < 10; ++i) Put(XattrKey(1000 + i, "user.x", 0), "v");
  ASSERT_OK_AND_ASSIGN(const TreeCheckReport report, CheckTree(*engine_, {.problems_max = 3}));
  EXPECT_EQ(report.problems.size(), 3u);
  EXPECT_EQ(report.problem_count, 10u);
}

}  // namespace
}  // namespace fs
