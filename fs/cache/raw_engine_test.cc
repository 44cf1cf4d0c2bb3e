// The contract's lines, one by one, and threads.
#include "fs/cache/raw_engine.h"

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/cache/dump.h"
#include "fs/disk/testing/counting_device.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/format/crc32c.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using base::StatusIs;
using testing::CountingDevice;
using testing::MemDevice;
using ::testing::HasSubstr;

MkfsOptions SmallLog() {
  MkfsOptions mkfs;
  mkfs.log_bytes = 4 << 20;
  mkfs.seed = 1;
  return mkfs;
}

EngineOptions Manual() {
  EngineOptions options;
  options.manual = true;
  return options;
}

absl::Span<uint8_t> Out(std::string& bytes) {
  return absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
}

class RawEngineTest : public ::testing::Test {
 protected:
  RawEngineTest() : mem_(64 << 20), device_(mem_) {
    EXPECT_OK(Mkfs(device_, SmallLog()));
    Open(Manual());
  }
  void Open(const EngineOptions& options) {
    engine_.reset();
    absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device_, options);
    ASSERT_OK(engine);
    engine_ = *std::move(engine);
  }
  Sequence Write(InodeNumber inode, uint64_t offset, absl::string_view bytes) {
    Mutation mutation;
    mutation.Put(RowKey(inode, RowType::kInode), "row");
    mutation.Write(inode, offset, bytes, {1, inode, 0});
    absl::StatusOr<Sequence> sequence = engine_->Apply(mutation);
    EXPECT_OK(sequence);
    return sequence.value_or(0);
  }
  std::string Read(InodeNumber inode, uint64_t offset, size_t size) {
    std::string bytes(size, 'x');
    EXPECT_OK(engine_->ReadData({inode, offset, Out(bytes)}));
    return bytes;
  }

  MemDevice mem_;
  CountingDevice device_;
  std::unique_ptr<RawEngine> engine_;
};

TEST_F(RawEngineTest, OneCommitIsOneFlushAndOneWrite) {
  for (const size_t size : {size_t{100}, size_t{4096}, size_t{20000}}) {
    const Sequence sequence = Write(20 + size, 0, std::string(size, 'a'));
    const CountingDevice::Counts before = device_.counts();
    ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
    const CountingDevice::Counts cost = device_.counts() - before;
    EXPECT_EQ(cost.flushes, 1u) << size;
    EXPECT_EQ(cost.writes, 1u) << size;
    EXPECT_LE(cost.written_bytes, size + 8192) << size;
    // Durable already: nothing to do.
    const CountingDevice::Counts again = device_.counts();
    ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
    EXPECT_EQ((device_.counts() - again).submissions, 0u);
  }
}

TEST_F(RawEngineTest, LargeDataCostsOneFlushUpTo16MiBAndTwoBeyond) {
  EngineOptions options = Manual();
  options.early_write_bytes = 0;
  Open(options);
  for (const auto& [mib, flushes] : {std::pair{1, 1u}, std::pair{15, 1u}, std::pair{20, 2u}}) {
    Sequence sequence = 0;
    for (int i = 0; i < mib; ++i) sequence = Write(30, uint64_t{1} * i << 20, std::string(1 << 20, 'l'));
    const CountingDevice::Counts before = device_.counts();
    ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
    EXPECT_EQ((device_.counts() - before).flushes, flushes) << mib;
    Mutation drop;
    drop.set_frees_space();
    drop.Drop(30);
    ASSERT_OK_AND_ASSIGN(const Sequence dropped, engine_->Apply(drop));
    ASSERT_OK(engine_->Commit(dropped, Priority::kSync));
  }
}

// What fills a run goes to the device at once; the commit that names it has only the log to
// write, and what vanishes before that gives its blocks back.
TEST_F(RawEngineTest, StreamsAreOnTheDeviceBeforeTheirCommit) {
  const auto bytes = [](int i) { return std::string(1 << 20, static_cast<char>('a' + i)); };
  CountingDevice::Counts before = device_.counts();
  Sequence sequence = 0;
  for (int i = 0; i < 6; ++i) sequence = Write(40, uint64_t{1} * i << 20, bytes(i));
  EXPECT_EQ((device_.counts() - before).written_bytes, 6u << 20);
  before = device_.counts();
  ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  EXPECT_EQ((device_.counts() - before).flushes, 1u);
  EXPECT_LT((device_.counts() - before).written_bytes, 64u << 10);
  EXPECT_EQ(engine_->stats().early_bytes_written, 6u << 20);
  Open(Manual());
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Read(40, uint64_t{1} * i << 20, 1 << 20), bytes(i)) << i;

  const uint64_t available = engine_->space().available_bytes;
  Write(41, 0, bytes(7));
  Mutation drop;
  drop.set_frees_space();
  drop.Drop(41);
  ASSERT_OK_AND_ASSIGN(sequence, engine_->Apply(drop));
  ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  EXPECT_EQ(engine_->space().available_bytes, available);
}

TEST_F(RawEngineTest, FreeChunksAreDiscardedIfAskedFor) {
  EngineOptions options = Manual();
  for (const bool discard : {false, true}) {
    options.discard = discard;
    Open(options);
    ASSERT_OK(engine_->Commit(Write(50, 0, std::string(8 << 20, 'd')), Priority::kSync));
    Mutation drop;
    drop.set_frees_space();
    drop.Drop(50);
    ASSERT_OK(engine_->Apply(drop).status());
    ASSERT_OK(engine_->Checkpoint());
    ASSERT_OK(engine_->Checkpoint());
    ASSERT_OK(engine_->Commit(Write(51, 0, "x"), Priority::kSync));
    const uint64_t available = engine_->space().available_bytes;
    for (int i = 0; i < 8; ++i) ASSERT_OK(engine_->Step().status());
    EXPECT_EQ(device_.counts().discards > 0, discard);
    EXPECT_GE(engine_->stats().discarded_bytes, discard ? 8u << 20 : 0u);
    EXPECT_EQ(engine_->space().available_bytes, available);
  }
}

TEST_F(RawEngineTest, BatchedSmallFilesAreWrittenOnce) {
  const CountingDevice::Counts before = device_.counts();
  Sequence sequence = 0;
  for (int i = 0; i < 320; ++i) {
    sequence = Write(100 + i, 0, std::string(4096, static_cast<char>(i)));
    if (i % 32 != 31) continue;
    ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  }
  const CountingDevice::Counts cost = device_.counts() - before;
  EXPECT_EQ(cost.flushes, 10u);
  EXPECT_LE(cost.written_bytes, 320u * 4096 * 115 / 100);
}

TEST_F(RawEngineTest, FilesOfADirectoryLieInItsOrder) {
  std::vector<InodeNumber> order;
  Sequence sequence = 0;
  for (int i = 0; i < 64; ++i) order.push_back(500 + (i * 37) % 64);
  for (const InodeNumber inode : order) sequence = Write(inode, 0, std::string(3000, static_cast<char>(inode)));
  ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  EngineOptions options = Manual();
  ASSERT_OK(engine_->Close());
  Open(options);
  // Read in order, cold: the first two reads ask for themselves, the rest was read ahead.
  const CountingDevice::Counts before = device_.counts();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(Read(500 + i, 0, 3000), std::string(3000, static_cast<char>(500 + i)));
  EXPECT_LE((device_.counts() - before).reads, 6u);
}

TEST_F(RawEngineTest, BatchReadsSubmitAtOnceAndAnswerInTheCallersOrder) {
  Sequence sequence = 0;
  for (int i = 0; i < 100; ++i) sequence = Write(700 + i, 0, std::string(70000, static_cast<char>(i)));
  ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  EngineOptions options = Manual();
  options.block_cache_bytes = 0;
  Open(options);
  std::vector<std::string> outs(100, std::string(4096, 'x'));
  std::vector<DataRead> reads;
  for (int i = 0; i < 100; ++i) reads.push_back({InodeNumber(700 + (i * 61) % 100), 0, Out(outs[i])});
  std::vector<int> calls(100);
  const CountingDevice::Counts before = device_.counts();
  engine_->ReadDataBatch(reads, [&](size_t index, const absl::Status& status) {
    EXPECT_OK(status);
    ++calls[index];
  });
  EXPECT_EQ((device_.counts() - before).submissions, 1u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(calls[i], 1);
    EXPECT_EQ(outs[i], std::string(4096, static_cast<char>((i * 61) % 100))) << i;
  }
}

TEST_F(RawEngineTest, FiguresTellWhereReadsWereServedAndWhatWorkWasDone) {
  std::vector<std::string> work;
  EngineOptions options = Manual();
  options.on_work = [&work](const EngineWork& done) {
    work.push_back(done.what);
    EXPECT_LE(done.begin_ns, done.end_ns);
    if (work.back() == "commit") {
      EXPECT_GT(done.bytes, 0u);
    }
  };
  Open(options);
  const std::string bytes(100000, 'b');
  ASSERT_OK(engine_->Commit(Write(1, 0, bytes), Priority::kSync));
  EXPECT_EQ(engine_->stats().pending_mutations, 0u);
  Write(2, 0, "dirty");
  EXPECT_EQ(engine_->stats().pending_mutations, 1u);
  EXPECT_EQ(Read(2, 0, 5), "dirty");
  EXPECT_EQ(engine_->stats().buffer_hits, 1u);
  ASSERT_OK(engine_->Checkpoint());
  EXPECT_EQ(engine_->stats().commit_latency.count, engine_->stats().commits);
  EXPECT_THAT(work, ::testing::Contains("commit"));
  EXPECT_EQ(work.back(), "checkpoint");
  ASSERT_OK(engine_->Close());
  Open(Manual());
  EXPECT_EQ(Read(1, 0, 100000), bytes);
  EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.cache_lookups, 1u);
  EXPECT_EQ(stats.cache_hits, 0u);
  EXPECT_EQ(stats.device_read_latency.count, 1u);
  EXPECT_EQ(Read(1, 0, 100000), bytes);
  stats = engine_->stats();
  EXPECT_EQ(stats.cache_lookups, 2u);
  EXPECT_EQ(stats.cache_hits, 1u);
  uint64_t reads = 0, used = 0;
  for (const ChunkInfo& chunk : engine_->chunks()) {
    reads += chunk.reads;
    if (chunk.type == ChunkType::kExtent || chunk.type == ChunkType::kPack) used += chunk.used_bytes;
  }
  EXPECT_EQ(reads, 1u) << "what was read ahead is nobody's wish";
  EXPECT_GE(used, 100000u);
}

TEST_F(RawEngineTest, TheCrcOfAFileIsKnownWithoutReadingIt) {
  std::string model;
  std::minstd_rand random(7);
  int known = 0;
  for (int round = 0; round < 300; ++round) {
    const uint64_t offset = random() % 300000;
    const std::string bytes(1 + random() % (round % 3 == 0 ? 60000 : 3000), static_cast<char>('a' + round % 26));
    if (round % 7 == 6 && offset < model.size()) {
      const uint64_t length = std::min<uint64_t>(bytes.size(), model.size() - offset);
      Mutation mutation;
      mutation.Punch(1, offset, length);
      ASSERT_OK(engine_->Apply(mutation).status());
      model.replace(offset, length, length, '\0');
    } else {
      if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size(), '\0');
      model.replace(offset, bytes.size(), bytes);
      Write(1, offset, bytes);
    }
    if (round % 5 == 0) {
      ASSERT_OK(engine_->Commit(engine_->last_sequence(), Priority::kSync));
    }
    if (round % 50 == 49) {
      ASSERT_OK(engine_->Checkpoint());
    }
    const uint64_t reads = engine_->stats().device_reads;
    ASSERT_OK_AND_ASSIGN(const absl::optional<uint32_t> crc, engine_->ContentCrc32c(1, model.size()));
    EXPECT_EQ(engine_->stats().device_reads, reads);
    if (!crc.has_value()) continue;
    ++known;
    ASSERT_EQ(*crc, Crc32c(model.data(), model.size())) << "round " << round;
    ASSERT_EQ(Read(1, 0, model.size()), model);
  }
  EXPECT_GT(known, 290) << "only a size that cuts a unit needs a read";
  EXPECT_EQ(engine_->ContentCrc32c(1, 0)->value(), 0u);
  const std::string zeros(100000, '\0');
  EXPECT_EQ(engine_->ContentCrc32c(99, zeros.size())->value(), Crc32c(zeros.data(), zeros.size())) << "a hole";
}

TEST_F(RawEngineTest, SeekFindsDataAndHoles) {
  Write(40, 8192, std::string(5000, 'd'));
  Write(40, 1 << 20, std::string(100, 'd'));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(engine_->Seek(40, 0, false), base::IsOkAndHolds(8192u));
    EXPECT_THAT(engine_->Seek(40, 0, true), base::IsOkAndHolds(0u));
    EXPECT_THAT(engine_->Seek(40, 9000, true), base::IsOkAndHolds(16384u));
    EXPECT_THAT(engine_->Seek(40, 9000, false), base::IsOkAndHolds(9000u));
    EXPECT_THAT(engine_->Seek(40, 16384, false), base::IsOkAndHolds(1u << 20));
    EXPECT_THAT(engine_->Seek(40, 2 << 20, false), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(engine_->Seek(40, 2 << 20, true), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_GE(engine_->AllocatedBytes(40), 12288u);
    ASSERT_OK(engine_->Checkpoint());
  }
  EXPECT_TRUE(engine_->WouldWait(40, 8192 + 10, 5));
  EXPECT_FALSE(engine_->WouldWait(40, 8192, 4096));
}

TEST_F(RawEngineTest, TryReadDataServesOnlyMemory) {
  Write(41, 0, std::string(70000, 'm'));
  std::string bytes(70000, 'x');
  EXPECT_TRUE(engine_->TryReadData({41, 0, Out(bytes)}));
  EXPECT_EQ(bytes, std::string(70000, 'm'));
  ASSERT_OK(engine_->Close());
  Open(Manual());
  EXPECT_FALSE(engine_->TryReadData({41, 0, Out(bytes)}));
  ASSERT_OK(engine_->ReadData({41, 0, Out(bytes)}));
  EXPECT_TRUE(engine_->TryReadData({41, 0, Out(bytes)}));
}

TEST_F(RawEngineTest, BadMutationsChangeNothing) {
  Mutation own;
  own.Put(RowKey(5, RowType::kExtent, 0), "mine");
  EXPECT_THAT(engine_->Apply(own).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  Mutation chunk;
  chunk.Put(RowKey(0, RowType::kChunk, 0), "mine");
  EXPECT_THAT(engine_->Apply(chunk).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  Mutation large;
  large.Put(RowKey(5, RowType::kInode), std::string(engine_->row_bytes_max(), 'v'));
  EXPECT_THAT(engine_->Apply(large).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(engine_->Commit(engine_->last_sequence() + 1, Priority::kSync), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RawEngineTest, DamagedDataIsAnErrorThatNamesItsAddress) {
  const Sequence sequence = Write(50, 0, std::string(100000, 'q'));
  ASSERT_OK(engine_->Commit(sequence, Priority::kSync));
  EngineOptions options = Manual();
  options.block_cache_bytes = 0;
  Open(options);
  absl::Span<uint8_t> bytes = mem_.bytes();
  const std::string pattern(4096, 'q');
  const auto at = std::search(bytes.begin() + (5 << 20), bytes.end(), pattern.begin(), pattern.end());
  ASSERT_NE(at, bytes.end());
  *at ^= 1;
  std::string out(100000, 'x');
  EXPECT_THAT(engine_->ReadData({50, 0, Out(out)}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(absl::StrCat("address ", at - bytes.begin()))));
  *at ^= 1;
  EXPECT_OK(engine_->ReadData({50, 0, Out(out)}));
  EXPECT_EQ(out, std::string(100000, 'q'));
}

TEST_F(RawEngineTest, ForeignAndDamagedDisksAreRefused) {
  MemDevice foreign(32 << 20);
  foreign.bytes()[1080] = 0x53;
  foreign.bytes()[1081] = 0xef;
  EXPECT_THAT(Mkfs(foreign, SmallLog()), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ext4")));
  EXPECT_THAT(OpenEngine(foreign, Manual()).status(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ext4")));
  EXPECT_THAT(Mkfs(mem_, SmallLog()), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("already")));
  MkfsOptions force = SmallLog();
  force.force = true;
  EXPECT_OK(Mkfs(foreign, force));
  EXPECT_OK(OpenEngine(foreign, Manual()).status());
  MemDevice small(100 << 10);
  EXPECT_THAT(Mkfs(small, MkfsOptions()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too small")));
  MemDevice zeros(32 << 20);
  EXPECT_THAT(OpenEngine(zeros, Manual()).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  MemDevice shrunk(48 << 20);
  std::copy_n(mem_.bytes().begin(), 48 << 20, shrunk.bytes().begin());
  EXPECT_THAT(OpenEngine(shrunk, Manual()).status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("shrunk")));
}

TEST_F(RawEngineTest, DumpShowsEverythingAndGoesOnPastDamage) {
  ASSERT_OK(engine_->Commit(Write(60, 0, std::string(100000, 'z')), Priority::kSync));
  ASSERT_OK(engine_->Checkpoint());
  ASSERT_OK(engine_->Commit(Write(61, 0, std::string(300, 'z')), Priority::kSync));
  mem_.bytes()[200] ^= 1;
  std::string text;
  DumpOptions options;
  options.rows = options.records = true;
  ASSERT_OK(DumpVolume(mem_, options, [&](absl::string_view line) { absl::StrAppend(&text, line, "\n"); }));
  for (const char* part : {"superblock 0: damaged", "should be", "superblock 1:", "superblock 2:", "log at", "inline inode=61", "page at",
                           "device length=100000", "chunk 0 at"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(RawEngineTest, ManyThreadsWriteCommitReadAndCheckpoint) {
  EngineOptions options;
  options.dirty_bytes_max = 4 << 20;
  options.background_bytes = 1 << 20;
  options.logged_bytes_max = 256 << 10;
  options.checkpoint_log_bytes = 512 << 10;
  Open(options);
  std::atomic<int> async_done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const InodeNumber inode = 1000 + t * 1000 + i % 50;
        const size_t size = i % 10 == 0 ? 200000 : 100 + i * 30;
        const Sequence sequence = Write(inode, 0, std::string(size, static_cast<char>(t + i)));
        EXPECT_EQ(Read(inode, 0, size), std::string(size, static_cast<char>(t + i)));
        if (i % 3 == 0) {
          EXPECT_OK(engine_->Commit(sequence, Priority::kSync));
        }
        if (i % 7 == 0) {
          engine_->CommitAsync(sequence, Priority::kForeground, [&](const absl::Status& status) {
            EXPECT_OK(status);
            ++async_done;
          });
        }
        if (i % 100 == 99) {
          Mutation drop;
          drop.set_frees_space();
          drop.Drop(inode);
          EXPECT_OK(engine_->Apply(drop).status());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK(engine_->Close());
  EXPECT_EQ(async_done, 4 * 43);
  const EngineStats stats = engine_->stats();
  EXPECT_GT(stats.checkpoints, 1u);
  EXPECT_TRUE(stats.notes.empty()) << stats.notes[0];
  engine_.reset();
  ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(mem_, {.read_data = true}));
  for (const CheckFinding& finding : report.findings) ADD_FAILURE() << finding.message;
  EXPECT_TRUE(report.cleanly_closed);
}

}  // namespace
}  // namespace fs
