// The model against the volume: what one refuses the other refuses, and their trees agree.
#include "fs/testing/model_tree.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "base/clock.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/testing/mem_engine.h"
#include "fs/testing/tree_dump.h"
#include "fs/testing/workload.h"
#include "fs/volume/volume.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

uint64_t Seed() {
  uint64_t seed = 1;
  const char* const given = std::getenv("TEST_SEED");
  if (given != nullptr && !absl::SimpleAtoi(given, &seed)) ADD_FAILURE() << "TEST_SEED=" << given;
  return seed;
}

class ModelTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(Volume::Format(engine_, clock_, 1, 2));
    ASSERT_OK_AND_ASSIGN(volume_, Volume::Open(engine_, {.clock = &clock_}));
  }

  // Applies `op` to both and compares.
  void Apply(const Op& op) {
    clock_.Advance(absl::Milliseconds(1));
    ASSERT_OK(ApplyOp(
        *volume_, op, ++serial_, [] {}, [](const Call&, const absl::Status&) {}));
    ApplyOp(model_, op, serial_);
    ASSERT_OK_AND_ASSIGN(const std::string tree, DumpTree(*volume_, DumpDetail::kContent));
    ASSERT_EQ(tree, model_.Dump()) << "after op " << serial_ << ": " << op.DebugString();
  }

  base::ManualClock clock_;
  MemEngine engine_;
  std::unique_ptr<Volume> volume_;
  ModelTree model_;
  uint64_t serial_ = 0;
};

TEST_F(ModelTreeTest, RandomOpsAgreeWithAVolume) {
  const uint64_t seed = Seed();
  std::printf("seed=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1500 && !HasFatalFailure(); ++i) Apply(RandomOp(random));
}

TEST_F(ModelTreeTest, EveryOpOfTheAlphabetDoesSomethingSomewhere) {
  for (const Op& op : PreparedTree()) Apply(op);
  const std::string prepared = model_.Dump();
  EXPECT_THAT(prepared, ::testing::HasSubstr("/A/f f links=1 size=100"));
  size_t changing = 0;
  for (const Op& op : OpAlphabet()) {
    ModelTree model = model_;
    ApplyOp(model, op, 1000);
    if (model.Dump() != prepared) ++changing;
  }
  // The others need a sequence (names that are not there yet) or persist.
  EXPECT_GE(changing, OpAlphabet().size() - 9);
}

TEST(WorkloadTest, EverySequenceOnce) {
  EXPECT_EQ(WorkloadCount(2), OpAlphabet().size() * OpAlphabet().size());
  std::set<std::string> seen;
  for (uint64_t n = 0; n < WorkloadCount(2); ++n) seen.insert(DebugString(NthWorkload(2, n)));
  EXPECT_EQ(seen.size(), WorkloadCount(2));
}

TEST(WorkloadTest, NoTwoOpsWriteTheSameSector) {
  std::set<std::string> sectors;
  for (uint64_t serial = 1; serial <= 50; ++serial) {
    const std::string bytes = OpBytes(serial, 8192);
    ASSERT_EQ(bytes.size(), 8192u);
    for (size_t i = 0; i < bytes.size(); i += 512) sectors.insert(bytes.substr(i, 512));
  }
  EXPECT_EQ(sectors.size(), 50u * 16);
}

TEST(CompareWithDumpTest, TellsDamageFromWrongData) {
  const std::string dump = ContentLine("/", 0040755, 1, "") + ContentLine("/a", 0100644, 1, "x") +
                           ContentLine("/d", 0040755, 1, "") + ContentLine("/d/b", 0100644, 1, "y");
  PartialDump found;
  found.lines = {{"/", ContentLine("/", 0040755, 1, "")}, {"/a", ContentLine("/a", 0100644, 1, "x")}};
  EXPECT_THAT(CompareWithDump(found, dump),
              base::StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("missing")));
  found.errors["/d"] = absl::DataLossError("checksum");
  EXPECT_OK(CompareWithDump(found, dump));
  found.lines["/d/c"] = ContentLine("/d/c", 0100644, 1, "z");
  EXPECT_THAT(CompareWithDump(found, dump),
              base::StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("one too many")));
  found.lines.erase("/d/c");
  found.lines["/a"] = ContentLine("/a", 0100644, 1, "q");
  EXPECT_THAT(CompareWithDump(found, dump), base::StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("wrong")));
}

}  // namespace
}  // namespace fs::testing
