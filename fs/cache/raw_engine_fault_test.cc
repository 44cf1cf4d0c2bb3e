// Every request fails once: nothing acknowledged is lost, nothing wrong is returned, and
// the engine goes on or says that it cannot.
#include <memory>
#include <string>

#include "base/testing/status_matchers.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/error_device.h"
#include "fs/disk/testing/mem_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::DiskFault;
using testing::ErrorDevice;
using testing::MemDevice;
using testing::Model;
using testing::MutationMaker;

struct Fault {
  const char* name;
  DiskFault::Kind kind;
  IoRequest::Kind request;
  bool survives;  // the engine must come through without going read-only
};

class RawEngineFaultTest : public ::testing::TestWithParam<Fault> {};

// One run of a fixed workload with the n-th request spoilt. False once n is past the end.
bool RunWithFault(const Fault& fault, uint64_t nth) {
  MemDevice mem(16 << 20);
  MkfsOptions mkfs;
  mkfs.page_bytes = 4 << 10;
  mkfs.chunk_bytes = 64 << 10;
  mkfs.log_bytes = 128 << 10;
  mkfs.seed = 2;
  EXPECT_OK(Mkfs(mem, mkfs));
  ErrorDevice device(mem);
  device.Add({fault.kind, fault.request, nth});
  EngineOptions options;
  options.manual = true;
  options.early_write_bytes = 16 << 10;  // much of what is large
  options.logged_bytes_max = 0;
  options.block_cache_bytes = 0;
  Model model;
  MutationMaker maker(99, {});
  {
    absl::StatusOr<std::unique_ptr<RawEngine>> opened = OpenEngine(device, options);
    if (!opened.ok()) return true;  // said so; nothing was promised
    RawEngine& engine = **opened;
    bool failed = false;
    for (int i = 0; i < 40 && !failed; ++i) {
      const Mutation mutation = maker.Make();
      const absl::Status applied = engine.Apply(mutation).status();
      if (!applied.ok()) {
        failed = fault.request != IoRequest::Kind::kRead;
        continue;  // a read that it needed failed: nothing has changed
      }
      model.Apply(mutation);
      if (i % 3 != 2) continue;
      const absl::Status committed = i % 12 == 11 ? engine.Checkpoint() : engine.Commit(engine.last_sequence(), Priority::kSync);
      failed = !committed.ok();
      if (i % 6 == 5 && !failed) static_cast<void>(engine.Step());
    }
    if (failed) {
      EXPECT_TRUE(engine.read_only()) << fault.name << " " << nth;
      EXPECT_FALSE(fault.survives) << fault.name << " " << nth;
    } else if (fault.request != IoRequest::Kind::kRead || device.spoilt_count() > 0) {
      EXPECT_EQ(model.Difference(engine, maker.AllInodes()), "") << fault.name << " " << nth;
    }
    if (failed) return device.spoilt_count() > 0;
    EXPECT_OK(engine.Commit(engine.last_sequence(), Priority::kSync)) << fault.name << " " << nth;
  }
  absl::StatusOr<std::unique_ptr<RawEngine>> reopened = OpenEngine(mem, options);
  EXPECT_OK(reopened) << fault.name << " " << nth;
  if (reopened.ok()) {
    EXPECT_EQ(model.Difference(**reopened, maker.AllInodes()), "") << fault.name << " " << nth;
  }
  return device.spoilt_count() > 0;
}

TEST_P(RawEngineFaultTest, EveryRequestFailsOnce) {
  uint64_t nth = 0;
  while (RunWithFault(GetParam(), nth) && !HasFailure()) ++nth;
  EXPECT_GT(nth, 3u);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, RawEngineFaultTest,
    ::testing::Values(Fault{"FlushFails", DiskFault::Kind::kFailedFlush, IoRequest::Kind::kFlush, true},
                      Fault{"WriteFails", DiskFault::Kind::kFail, IoRequest::Kind::kWrite, true},
                      Fault{"WriteIsPartial", DiskFault::Kind::kPartial, IoRequest::Kind::kWrite, true},
                      Fault{"WriteHasNoSpace", DiskFault::Kind::kNoSpace, IoRequest::Kind::kWrite, true},
                      Fault{"ReadFails", DiskFault::Kind::kFail, IoRequest::Kind::kRead, true},
                      Fault{"ReadIsPartial", DiskFault::Kind::kPartial, IoRequest::Kind::kRead, true},
                      Fault{"ReadHasABitFlipped", DiskFault::Kind::kBitFlip, IoRequest::Kind::kRead, true},
                      Fault{"ReadIsMisdirected", DiskFault::Kind::kMisdirected, IoRequest::Kind::kRead, true}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fs
