// Long random workloads, every disk that a power cut could leave sampled, each a second
// time inside its recovery.
#include <cstdint>
#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/crash_run.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/sim_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::CrashOptions;
using testing::CrashReport;
using testing::CrashRun;
using testing::DiskImage;
using testing::Model;
using testing::MutationMaker;
using testing::SimDevice;

class RawEngineCrashSlowTest : public ::testing::TestWithParam<int> {};

TEST_P(RawEngineCrashSlowTest, RandomWorkloadsLeaveAPrefix) {
  const uint64_t seed = testing::TestSeed(1000) + static_cast<uint64_t>(GetParam());
  SimDevice device(DiskImage(6 << 20), {.record = false});
  MkfsOptions mkfs;
  mkfs.page_bytes = 4 << 10;
  mkfs.chunk_bytes = 64 << 10;
  mkfs.log_bytes = 128 << 10;
  mkfs.seed = 5;
  ASSERT_OK(Mkfs(device, mkfs));
  EngineOptions options;
  options.manual = true;
  options.early_write_bytes = 16 << 10;  // much of what is large
  options.logged_bytes_max = 8 << 10;
  CrashRun run(device.image(), Model(), options);
  MutationMaker maker(seed, {.inodes = 5, .file_bytes_max = 150 << 10, .write_bytes_max = 40 << 10});
  for (int i = 0; i < 40; ++i) {
    run.Apply(maker.Make());
    const uint64_t action = maker.random()() % 20;
    if (action < 8) run.Commit();
    if (action == 8) run.Checkpoint();
    if (action == 9) run.Step();
    if (action == 10) run.Reopen(maker.random()() % 2 == 0);
  }
  run.Commit();
  CrashOptions crash;
  crash.seed = seed;
  crash.tears_max = 3;
  crash.samples = 24;
  crash.subset_writes_max = 5;
  const CrashReport report = run.Check(crash, maker.AllInodes(), 67);
  EXPECT_EQ(report.violation, "") << "seed " << seed;
  std::printf("states=%lu nested=%lu\n", static_cast<unsigned long>(report.states), static_cast<unsigned long>(report.nested_states));
  EXPECT_GT(report.states, 100u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RawEngineCrashSlowTest, ::testing::Range(0, 24));

}  // namespace
}  // namespace fs
