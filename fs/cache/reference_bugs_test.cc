// The bugs of the batched raw-disk cache that the project starts from, each a regression
// test of the engine as far as it touches it. (TTL, compression and eviction belong to
// the volume.)
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/testing/counting_device.h"
#include "fs/disk/testing/error_device.h"
#include "fs/disk/testing/mem_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::CountingDevice;
using testing::DiskFault;
using testing::ErrorDevice;
using testing::MemDevice;

class ReferenceBugsTest : public ::testing::Test {
 protected:
  ReferenceBugsTest() : mem_(64 << 20), error_(mem_), device_(error_) {
    MkfsOptions mkfs;
    mkfs.log_bytes = 2 << 20;
    EXPECT_OK(Mkfs(device_, mkfs));
    Open();
  }
  void Open() {
    engine_.reset();
    EngineOptions options;
    options.manual = true;
    options.block_cache_bytes = 0;
    absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device_, options);
    ASSERT_OK(engine);
    engine_ = *std::move(engine);
  }
  Sequence Store(InodeNumber inode, absl::string_view bytes, uint64_t offset = 0) {
    Mutation mutation;
    mutation.Put(RowKey(inode, RowType::kInode), "row");
    mutation.Write(inode, offset, bytes, {1, inode, 0});
    absl::StatusOr<Sequence> sequence = engine_->Apply(mutation);
    EXPECT_OK(sequence);
    return sequence.value_or(0);
  }
  void Remove(InodeNumber inode) {
    Mutation mutation;
    mutation.set_frees_space();
    mutation.Delete(RowKey(inode, RowType::kInode));
    mutation.Drop(inode);
    EXPECT_OK(engine_->Apply(mutation).status());
  }
  std::string Load(InodeNumber inode, size_t size) {
    std::string bytes(size, 'x');
    EXPECT_OK(engine_->ReadData({inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), size)}));
    return bytes;
  }
  void Commit() { ASSERT_OK(engine_->Commit(engine_->last_sequence(), Priority::kSync)); }

  MemDevice mem_;
  ErrorDevice error_;
  CountingDevice device_;
  std::unique_ptr<RawEngine> engine_;
};

TEST_F(ReferenceBugsTest, Bug1BatchResultsCameInOffsetOrderInsteadOfKeyOrder) {
  for (int i = 0; i < 50; ++i) Store(10 + i, std::string(9000, static_cast<char>('a' + i % 26)));
  Commit();
  Open();
  std::vector<std::string> outs(50, std::string(9000, 'x'));
  std::vector<DataRead> reads;
  for (int i = 49; i >= 0; --i) reads.push_back({InodeNumber(10 + i), 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(outs[i].data()), 9000)});
  engine_->ReadDataBatch(reads, [](size_t, const absl::Status& status) { EXPECT_OK(status); });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(outs[i], std::string(9000, static_cast<char>('a' + i % 26))) << i;
}

TEST_F(ReferenceBugsTest, Bug3ReadsBetweenBufferedStoreAndFlushWereStale) {
  Store(10, std::string(5000, 'o'));
  Commit();
  Store(10, std::string(5000, 'n'));
  EXPECT_EQ(Load(10, 5000), std::string(5000, 'n'));
}

TEST_F(ReferenceBugsTest, Bug4MergingZeroFilledGapsAndConcatenatedOverlaps) {
  Store(10, std::string(20000, 'a'));
  Commit();
  Store(10, std::string(100, 'b'), 100);
  Store(10, std::string(100, 'c'), 5000);  // a gap that is live data
  Store(10, std::string(100, 'd'), 150);   // overlaps
  std::string want(20000, 'a');
  want.replace(100, 50, std::string(50, 'b')).replace(150, 100, std::string(100, 'd')).replace(5000, 100, std::string(100, 'c'));
  EXPECT_EQ(Load(10, 20000), want);
  Commit();
  ASSERT_OK(engine_->Checkpoint());
  Open();
  EXPECT_EQ(Load(10, 20000), want);
}

TEST_F(ReferenceBugsTest, Bug5OneSyncForAFlushWasOneForEachWrite) {
  for (int i = 0; i < 64; ++i) Store(10 + i, std::string(6000, 's'));
  const CountingDevice::Counts before = device_.counts();
  Commit();
  EXPECT_EQ((device_.counts() - before).flushes, 1u);
}

TEST_F(ReferenceBugsTest, Bug6AFailedFlushDroppedTheBuffer) {
  Store(10, std::string(50000, 'k'));
  error_.Heal();
  error_.Add({DiskFault::Kind::kFailedFlush, IoRequest::Kind::kFlush, 0});
  Commit();
  EXPECT_EQ(error_.spoilt_count(), 1u);
  EXPECT_EQ(Load(10, 50000), std::string(50000, 'k'));
  Open();
  EXPECT_EQ(Load(10, 50000), std::string(50000, 'k'));
}

TEST_F(ReferenceBugsTest, Bug7RemoveFreedTheWrongBlocks) {
  for (int i = 0; i < 20; ++i) Store(10 + i, std::string(100000, static_cast<char>('a' + i)));
  Commit();
  for (int i = 0; i < 20; i += 2) Remove(10 + i);
  Commit();
  Commit();
  for (int i = 0; i < 30; ++i) {
    Store(100 + i, std::string(70000, 'z'));
    Commit();
  }
  for (int i = 1; i < 20; i += 2) EXPECT_EQ(Load(10 + i, 100000), std::string(100000, static_cast<char>('a' + i))) << i;
}

TEST_F(ReferenceBugsTest, Bug8OverwriteLeakedTheOldExtent) {
  Store(10, std::string(1 << 20, 'a'));
  ASSERT_OK(engine_->Checkpoint());
  ASSERT_OK(engine_->Checkpoint());
  const SpaceUsage before = engine_->space();
  for (int i = 0; i < 200; ++i) {
    Store(10, std::string(1 << 20, static_cast<char>(i)));
    Commit();
  }
  for (int i = 0; i < 3; ++i) ASSERT_OK(engine_->Checkpoint());
  EXPECT_GE(engine_->space().free_bytes + (128 << 10), before.free_bytes);
}

TEST_F(ReferenceBugsTest, Bug9UnalignedBuffersReachedTheDevice) {
  // The device refuses what is not aligned: odd sizes and offsets must never get there.
  for (const size_t size : {size_t{1}, size_t{257}, size_t{4095}, size_t{4097}, size_t{65537}, size_t{1048577}}) {
    Store(10 + size, std::string(size, 'u'), size % 777);
    Commit();
    std::string out(size, 'x');
    ASSERT_OK(engine_->ReadData({10 + size, size % 777, absl::MakeSpan(reinterpret_cast<uint8_t*>(out.data()), size)}));
    EXPECT_EQ(out, std::string(size, 'u')) << size;
  }
}

TEST_F(ReferenceBugsTest, Bug10MetadataWasSavedByHandAndInPlace) {
  Store(10, std::string(3000, 'm'));
  Commit();
  engine_.reset();  // nobody closed it
  Open();
  EXPECT_EQ(Load(10, 3000), std::string(3000, 'm'));
}

TEST_F(ReferenceBugsTest, Bug11AForeignDiskWasFormattedSilently) {
  MemDevice foreign(64 << 20);
  std::fill_n(foreign.bytes().begin() + 5000, 100, 7);
  const std::vector<uint8_t> before(foreign.bytes().begin(), foreign.bytes().end());
  EXPECT_THAT(OpenEngine(foreign, EngineOptions()).status(), base::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Mkfs(foreign, MkfsOptions()), base::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), foreign.bytes().begin()));
}

}  // namespace
}  // namespace fs
