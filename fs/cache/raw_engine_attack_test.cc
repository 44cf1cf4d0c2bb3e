// The attacks on the commit protocol that the design answers, each by name.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/superblock_store.h"
#include "fs/cache/testing/crash_run.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/device.h"
#include "fs/disk/testing/error_device.h"
#include "fs/disk/testing/mem_device.h"
#include "fs/disk/testing/sim_device.h"
#include "fs/format/chunk_row.h"
#include "fs/format/log_batch.h"
#include "fs/format/superblock.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using base::StatusIs;
using testing::CrashOptions;
using testing::CrashReport;
using testing::CrashRun;
using testing::DiskFault;
using testing::DiskImage;
using testing::ErrorDevice;
using testing::MemDevice;
using testing::Model;
using testing::SimDevice;
using ::testing::HasSubstr;

EngineOptions Options() {
  EngineOptions options;
  options.manual = true;
  options.logged_bytes_max = 0;
  return options;
}

MkfsOptions Tiny() {
  MkfsOptions mkfs;
  mkfs.page_bytes = 4 << 10;
  mkfs.chunk_bytes = 64 << 10;
  mkfs.log_bytes = 128 << 10;
  mkfs.seed = 7;
  return mkfs;
}

DiskImage TinyImage() {
  SimDevice device(DiskImage(4 << 20));
  EXPECT_OK(Mkfs(device, Tiny()));
  return device.image();
}

std::string Bytes(size_t size, int seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + i * 11 + i / 300);
  return bytes;
}

Mutation Write(InodeNumber inode, absl::string_view row, absl::string_view bytes) {
  Mutation mutation;
  mutation.Put(RowKey(inode, RowType::kInode), std::string(row));
  mutation.Write(inode, 0, bytes, {1, inode, 0});
  return mutation;
}

std::unique_ptr<RawEngine> Open(Device& device) {
  absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, Options());
  EXPECT_OK(engine);
  return engine.ok() ? *std::move(engine) : nullptr;
}

std::string Read(Engine& engine, InodeNumber inode, size_t size) {
  std::string bytes(size, 'x');
  EXPECT_OK(engine.ReadData({inode, 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), size)}));
  return bytes;
}

void CommitAll(RawEngine& engine) { ASSERT_OK(engine.Commit(engine.last_sequence(), Priority::kSync)); }

CrashOptions Thorough() {
  CrashOptions options;
  options.tears_max = 4;
  options.samples = 32;
  return options;
}

// DESIGN 3, "Reuse": what batch n freed and n + 2 overwrites must not cost n.
TEST(AttackTest, FreedAndReusedBlocks) {
  CrashRun run(TinyImage(), Model(), Options());
  for (int i = 0; i < 8; ++i) {
    const std::string bytes = Bytes(40000, i);
    run.Apply(Write(10 + i % 2, absl::StrCat("round", i), bytes));
    run.Commit();
  }
  const CrashReport report = run.Check(Thorough(), {10, 11}, 50);
  EXPECT_EQ(report.violation, "");
  EXPECT_GT(report.states, 100u);
}

// The same with so little space that every block that may be used again is.
TEST(AttackTest, FreedAndReusedBlocksOnAFullVolume) {
  DiskImage image = TinyImage();
  Model model;
  {
    CrashRun fill(image, model, Options());
    for (int i = 0; i < 60; ++i) {
      const std::string bytes = Bytes(50000, i);
      const Mutation mutation = Write(100 + i, "filler", bytes);
      if (fill.engine().space().available_bytes < 400000) break;
      fill.Apply(mutation);
      fill.Commit();
    }
    fill.Checkpoint();
    image = fill.image();
    model = fill.model();
  }
  CrashRun run(image, model, Options());
  for (int i = 0; i < 10; ++i) {
    const std::string bytes = Bytes(60000, 40 + i);
    run.Apply(Write(10, absl::StrCat("round", i), bytes));
    run.Commit();
  }
  CrashOptions options = Thorough();
  options.tears_max = 1;
  options.samples = 8;
  options.subset_writes_max = 5;
  const CrashReport report = run.Check(options, {10}, 0);
  EXPECT_EQ(report.violation, "");
}

// DESIGN 3, "Recovery": a batch was cut for want of its data; the same data is written again.
TEST(AttackTest, ACutBatchDoesNotResurrect) {
  const DiskImage start = TinyImage();
  const std::string bytes = Bytes(90000, 5);
  SimDevice first(start);
  {
    const auto engine = Open(first);
    ASSERT_OK(engine->Apply(Write(10, "before the cut", bytes)));
    CommitAll(*engine);
  }
  uint64_t cut = 0;
  testing::ForEachCrashState(start, first.trace(), Thorough(), [&](const testing::CrashState& state) {
    SimDevice again(*state.image);
    const auto engine = Open(again);
    std::string row;
    EXPECT_THAT(engine->Get(RowKey(10, RowType::kInode), &row), base::IsOk());
    const bool rolled_back = row.empty();
    const bool was_cut = engine->stats().recovery_cut;
    if (!rolled_back || !was_cut) return true;
    ++cut;
    // Seen to be gone. Now the same bytes go to the same blocks, under another row.
    const size_t seen = again.position();
    EXPECT_OK(engine->Apply(Write(10, "after the cut", bytes)));
    EXPECT_OK(engine->Commit(engine->last_sequence(), Priority::kSync));
    CrashOptions options = Thorough();
    options.first_position = seen;
    testing::ForEachCrashState(*state.image, again.trace(), options, [&](const testing::CrashState& later) {
      SimDevice third(*later.image);
      const auto reopened = Open(third);
      std::string now;
      EXPECT_THAT(reopened->Get(RowKey(10, RowType::kInode), &now), base::IsOk());
      EXPECT_NE(now, "before the cut") << state.Describe() << " then " << later.Describe();
      return !::testing::Test::HasFailure();
    });
    return cut < 20 && !::testing::Test::HasFailure();
  });
  EXPECT_GT(cut, 0u);
}

// DESIGN 3, "A failed flush": acknowledged after a rewrite means there, whatever of the
// first attempt reached the disk.
TEST(AttackTest, AFailedFlushFollowedByAnAcknowledgedRewrite) {
  for (uint64_t nth = 0; nth < 6; ++nth) {
    const DiskImage start = TinyImage();
    SimDevice sim(start);
    ErrorDevice device(sim);
    const auto engine = Open(device);
    device.Heal();
    device.Add({DiskFault::Kind::kFailedFlush, IoRequest::Kind::kFlush, nth});
    const std::string large = Bytes(90000, 3), small = Bytes(3000, 4);
    std::vector<std::pair<size_t, int>> promises;
    for (int i = 0; i < 4; ++i) {
      ASSERT_OK(engine->Apply(Write(10 + i, "row", i % 2 == 0 ? large : small)));
      CommitAll(*engine);
      promises.emplace_back(sim.position(), i);
    }
    EXPECT_GE(device.spoilt_count(), nth < 4 ? 1u : 0u);
    EXPECT_FALSE(engine->read_only());
    CrashOptions options = Thorough();
    options.tears_max = 2;
    options.subset_writes_max = 6;
    testing::ForEachCrashState(start, sim.trace(), options, [&](const testing::CrashState& state) {
      SimDevice again(*state.image);
      const auto reopened = Open(again);
      if (reopened == nullptr) return false;
      for (const auto& [position, i] : promises) {
        if (position > state.position) continue;
        const std::string& want = i % 2 == 0 ? large : small;
        EXPECT_EQ(Read(*reopened, 10 + i, want.size()) == want, true) << "nth " << nth << " file " << i << " " << state.Describe();
      }
      return !::testing::Test::HasFailure();
    });
    if (HasFailure()) return;
  }
}

TEST(AttackTest, FlushesThatGoOnFailingMakeItReadOnly) {
  MemDevice mem(4 << 20);
  ASSERT_OK(Mkfs(mem, Tiny()));
  ErrorDevice device(mem);
  const auto engine = Open(device);
  const std::string bytes = Bytes(3000, 1), lost = Bytes(5000, 2);
  ASSERT_OK(engine->Apply(Write(10, "kept", bytes)));
  CommitAll(*engine);
  device.Heal();
  device.Add({DiskFault::Kind::kFailedFlush, IoRequest::Kind::kFlush, 0, true});
  ASSERT_OK_AND_ASSIGN(const Sequence sequence, engine->Apply(Write(11, "lost", lost)));
  EXPECT_THAT(engine->Commit(sequence, Priority::kSync), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(engine->read_only());
  EXPECT_THAT(engine->Apply(Write(12, "late", bytes)).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(engine->Commit(sequence, Priority::kSync), StatusIs(absl::StatusCode::kUnavailable));  // sticky
  EXPECT_EQ(Read(*engine, 10, bytes.size()), bytes);
}

TEST(AttackTest, AnyOneRottenSuperblockCopyCostsNothing) {
  for (int copy = 0; copy < kSuperblockCopies; ++copy) {
    MemDevice device(4 << 20);
    ASSERT_OK(Mkfs(device, Tiny()));
    const std::string bytes = Bytes(20000, 1);
    for (int round = 0; round < 4; ++round) {
      {
        const auto engine = Open(device);
        ASSERT_OK(engine->Apply(Write(10 + round, "row", bytes)));
        if (round % 2 == 0) {
          ASSERT_OK(engine->Checkpoint());
        }
        CommitAll(*engine);
      }
      device.bytes()[SuperblockAddress(copy, device.size_bytes()) + 100 + round] ^= 0x10;
      ASSERT_OK_AND_ASSIGN(const CheckReport damaged, CheckVolume(device, {}));
      EXPECT_EQ(damaged.findings.size(), 1u);
      EXPECT_TRUE(damaged.sound());
      const auto engine = Open(device);
      ASSERT_NE(engine, nullptr);
      EXPECT_THAT(engine->stats().notes,
                  ::testing::ElementsAre(HasSubstr(absl::StrCat("superblock copy ", copy, " at ")),
                                         HasSubstr(absl::StrCat("superblock copy ", copy, " was made good"))));
      for (int i = 0; i <= round; ++i) EXPECT_EQ(Read(*engine, 10 + i, bytes.size()), bytes) << copy << " " << round;
      // Opening for writing has repaired it.
      for (const SuperblockStore::Copy& state : SuperblockStore::ReadCopies(device)) EXPECT_OK(state.status);
    }
  }
}

TEST(AttackTest, TheLogWrapsAroundManyTimes) {
  CrashRun run(TinyImage(), Model(), Options());
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = Bytes(3000 + i * 50, i);
    run.Apply(Write(10 + i % 5, absl::StrCat("round", i), bytes));
    run.Commit();
    if (i % 20 == 9) run.Reopen(false);
  }
  EXPECT_GT(run.engine().superblock().tree_generation, 3u);
  CrashOptions options = Thorough();
  options.tears_max = 1;
  options.samples = 4;
  options.subset_writes_max = 4;
  const CrashReport report = run.Check(options, {10, 11, 12, 13, 14}, 0);
  EXPECT_EQ(report.violation, "");
  EXPECT_GT(report.states, 200u);
}

// A batch with a later one behind it was durable: rot, not a torn tail.
TEST(AttackTest, RotInTheLogIsReportedAndNotTakenForItsEnd) {
  MemDevice device(4 << 20);
  ASSERT_OK(Mkfs(device, Tiny()));
  const std::string bytes = Bytes(3000, 1);
  uint64_t log_address;
  {
    const auto engine = Open(device);
    log_address = engine->superblock().log_address;
    for (int i = 0; i < 3; ++i) {
      ASSERT_OK(engine->Apply(Write(10 + i, "row", bytes)));
      CommitAll(*engine);
    }
  }
  for (const uint64_t at : {uint64_t{20}, uint64_t{500}, uint64_t{4096 + 20}}) {
    device.bytes()[log_address + at] ^= 1;
    EXPECT_THAT(OpenEngine(device, Options()).status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("R8"))) << at;
    ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(device, {}));
    EXPECT_FALSE(report.sound());
    device.bytes()[log_address + at] ^= 1;
  }
  // The two newest in each other's place: neither is where the scan wants it.
  const absl::Span<uint8_t> newest = device.bytes().subspan(log_address + 4096, 8192);
  std::swap_ranges(newest.begin(), newest.begin() + 4096, newest.begin() + 4096);
  EXPECT_THAT(OpenEngine(device, Options()).status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("R8")));
  std::swap_ranges(newest.begin(), newest.begin() + 4096, newest.begin() + 4096);
  EXPECT_NE(Open(device), nullptr);
}

// Only the newest batch may be taken for a torn tail, and only until the log is idle.
TEST(AttackTest, RotInTheNewestBatchIsReportedOnceTheLogWasIdle) {
  for (const bool idle : {false, true}) {
    MemDevice device(4 << 20);
    ASSERT_OK(Mkfs(device, Tiny()));
    const std::string bytes = Bytes(3000, 1);
    Superblock superblock;
    {
      const auto engine = Open(device);
      superblock = engine->superblock();
      ASSERT_OK(engine->Apply(Write(10, "row", bytes)));
      CommitAll(*engine);
      while (idle) {
        ASSERT_OK_AND_ASSIGN(const bool worked, engine->Step());
        if (!worked) break;
      }
    }
    uint64_t newest = 0;
    for (uint64_t at = superblock.log_address; at < superblock.log_address + superblock.log_bytes; at += 4096) {
      const auto header = DecodeLogBatchHeader(device.bytes().subspan(at, kLogHeaderBytes), superblock.header.volume_id, at);
      if (header.ok() && header->kind == LogBatchKind::kBatch) newest = at;
    }
    ASSERT_NE(newest, 0u);
    device.bytes()[newest + kLogHeaderBytes + 5] ^= 1;
    const absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, Options());
    if (idle) {
      EXPECT_THAT(engine.status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("R8")));
    } else {
      ASSERT_OK(engine.status());
      EXPECT_TRUE((*engine)->stats().recovery_cut);
    }
  }
}

// Writes that touch one block fail, now and for ever.
class BadBlockDevice : public Device {
 public:
  explicit BadBlockDevice(Device& device) : Device({.name = "bad block", .size_bytes = device.size_bytes()}), device_(device) {}
  void set_bad(uint64_t address) { bad_ = address; }

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override {
    for (IoRequest& request : requests) {
      const bool touches = request.offset <= bad_ && bad_ < request.offset + request.length;
      if (request.kind == IoRequest::Kind::kWrite && touches) {
        Complete(request, absl::UnavailableError("bad block"));
      } else {
        device_.Submit(std::move(request));
      }
    }
  }

  Device& device_;
  uint64_t bad_ = UINT64_MAX;
};

TEST(AttackTest, ALogBlockThatStaysBadIsLeftBehind) {
  MemDevice mem(4 << 20);
  ASSERT_OK(Mkfs(mem, Tiny()));
  BadBlockDevice device(mem);
  std::string last;
  {
    const auto engine = Open(device);
    const uint64_t log_address = engine->superblock().log_address;
    device.set_bad(log_address + 5 * 4096);
    bool left_behind = false;
    // Round the ring several times; the bad block is met again and again.
    for (int i = 0; i < 120; ++i) {
      last = Bytes(3000, i);
      ASSERT_OK(engine->Apply(Write(10, "row", last)));
      CommitAll(*engine);
      left_behind = left_behind || engine->superblock().void_bytes != 0;
      if (i % 7 == 0) static_cast<void>(engine->Step());  // may fail to put its marker there
      if (engine->superblock().void_bytes == 0) continue;
      // Whoever finds the volume like this knows where the log goes on.
      MemDevice copy(mem.size_bytes());
      std::copy(mem.bytes().begin(), mem.bytes().end(), copy.bytes().begin());
      ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(copy, {}));
      EXPECT_TRUE(report.sound());
      EXPECT_EQ(Read(*Open(copy), 10, last.size()), last);
    }
    EXPECT_TRUE(left_behind);
    EXPECT_GE(engine->stats().failed_writes, 2u);
    ASSERT_OK(engine->Checkpoint());
    ASSERT_OK(engine->Checkpoint());
    EXPECT_EQ(engine->superblock().void_bytes, 0u);
  }
  EXPECT_EQ(Read(*Open(mem), 10, last.size()), last);
}

// Each crash leaves a PACK chunk open: it is filled further, and its owners are known.
TEST(AttackTest, PackChunksThatWereOpenAreFilledFurther) {
  MemDevice device(4 << 20);
  ASSERT_OK(Mkfs(device, Tiny()));
  EngineOptions options = Options();
  options.inline_bytes_max = 0;  // everything is placed at once
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto engine, OpenEngine(device, options));
    for (int j = 0; j < i; ++j) EXPECT_EQ(Read(*engine, 10 + j, 3000), Bytes(3000, j));
    ASSERT_OK(engine->Apply(Write(10 + i, "row", Bytes(3000, i))));
    CommitAll(*engine);
    if (i % 6 == 0) {
      ASSERT_OK(engine->Checkpoint());
    }
    // 40 files of a block each fill three chunks of 16 blocks, with their summaries.
    EXPECT_LE(engine->stats().chunks_by_type[static_cast<size_t>(ChunkType::kPack)], 5u) << i;
  }
  ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(device, {.read_data = true}));
  EXPECT_TRUE(report.findings.empty()) << report.findings[0].message;
}

TEST(AttackTest, AReadErrorInTheLogIsNotItsEnd) {
  MemDevice mem(4 << 20);
  ASSERT_OK(Mkfs(mem, Tiny()));
  const std::string bytes = Bytes(3000, 1);
  {
    const auto engine = Open(mem);
    ASSERT_OK(engine->Apply(Write(10, "row", bytes)));
    CommitAll(*engine);
  }
  for (uint64_t nth = 3; nth < 5; ++nth) {
    ErrorDevice device(mem);
    device.Add({DiskFault::Kind::kFail, IoRequest::Kind::kRead, nth});
    const absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, Options());
    if (device.spoilt_count() == 0) continue;
    EXPECT_FALSE(engine.ok()) << nth;
  }
  const auto engine = Open(mem);
  EXPECT_EQ(Read(*engine, 10, bytes.size()), bytes);
}

TEST(AttackTest, AReadOnlyMountWritesNothing) {
  MemDevice device(4 << 20);
  ASSERT_OK(Mkfs(device, Tiny()));
  const std::string bytes = Bytes(3000, 1);
  {
    const auto engine = Open(device);
    ASSERT_OK(engine->Apply(Write(10, "row", bytes)));
    CommitAll(*engine);
  }
  const std::vector<uint8_t> before(device.bytes().begin(), device.bytes().end());
  EngineOptions options = Options();
  options.read_only = true;
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RawEngine> engine, OpenEngine(device, options));
    EXPECT_TRUE(engine->read_only());
    EXPECT_EQ(Read(*engine, 10, bytes.size()), bytes);
    EXPECT_THAT(engine->Apply(Write(11, "row", bytes)).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_OK(engine->Close());
  }
  EXPECT_TRUE(std::equal(before.begin(), before.end(), device.bytes().begin()));
}

}  // namespace
}  // namespace fs
