// Random mutations, commits, checkpoints and reopenings against a model.
#include <memory>
#include <string>

#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/mem_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::Model;
using testing::MutationMaker;

struct Case {
  const char* name;
  uint64_t device_bytes;
  uint32_t page_bytes;
  uint32_t chunk_bytes;
  uint64_t log_bytes;
  int rounds;
};

class RawEngineModelTest : public ::testing::TestWithParam<Case> {};

TEST_P(RawEngineModelTest, EqualsTheModel) {
  const Case& c = GetParam();
  const uint64_t seed = testing::TestSeed(4711);
  testing::MemDevice device(c.device_bytes);
  MkfsOptions mkfs;
  mkfs.page_bytes = c.page_bytes;
  mkfs.chunk_bytes = c.chunk_bytes;
  mkfs.log_bytes = c.log_bytes;
  mkfs.seed = 1;
  ASSERT_OK(Mkfs(device, mkfs));
  EngineOptions options;
  options.manual = true;
  options.early_write_bytes = 16 << 10;  // much of what is large
  MutationMaker maker(seed, {});
  Model model, committed;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<RawEngine> engine, OpenEngine(device, options));
  uint64_t epoch = engine->mount_epoch();
  for (int round = 0; round < c.rounds; ++round) {
    const Mutation mutation = maker.Make();
    ASSERT_OK_AND_ASSIGN(const Sequence sequence, engine->Apply(mutation));
    model.Apply(mutation);
    const uint64_t action = maker.random()() % 100;
    if (action < 30) {
      ASSERT_OK(engine->Commit(sequence, Priority::kSync));
      committed = model;
    } else if (action < 33) {
      ASSERT_OK(engine->Checkpoint());
      committed = model;
    } else if (action < 36) {
      ASSERT_OK(engine->Step().status());
    }
    if (action >= 94) {
      if (action < 96) {
        ASSERT_OK(engine->Close());
      } else {
        // As after kill -9: what was not committed is gone, or kept up to some mutation.
        ASSERT_OK(engine->Commit(sequence, Priority::kSync));
      }
      committed = model;
      engine.reset();
      ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckVolume(device, {.read_data = true}));
      for (const CheckFinding& finding : report.findings) ADD_FAILURE() << "round " << round << ": " << finding.message;
      EXPECT_EQ(report.cleanly_closed, action < 96);
      absl::StatusOr<std::unique_ptr<RawEngine>> opened = OpenEngine(device, options);
      ASSERT_OK(opened) << "round " << round;
      engine = *std::move(opened);
      EXPECT_EQ(engine->mount_epoch(), ++epoch);
    }
    if (round % 10 == 0 || action >= 90) {
      ASSERT_EQ(model.Difference(*engine, maker.AllInodes()), "") << "round " << round << " action " << action;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Geometries, RawEngineModelTest,
                         ::testing::Values(Case{"tiny", 16 << 20, 4 << 10, 64 << 10, 256 << 10, 1500},
                                           Case{"usual", 64 << 20, 16 << 10, 1 << 20, 1 << 20, 1500}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fs
