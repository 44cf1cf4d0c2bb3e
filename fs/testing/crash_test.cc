// Power cuts in every sequence of up to two operations, each driven in every way.
#include <cstdio>

#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uint64_t kParts = 10;

class CrashTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  // The workloads of `length` ops that are this part's.
  void RunPart(size_t length) {
    absl::StatusOr<CrashProof> proof = CrashProof::Create({});
    ASSERT_OK(proof.status());
    CrashCounts counts;
    const uint64_t count = WorkloadCount(length);
    for (const RunOptions& run : EveryWay()) {
      for (uint64_t n = GetParam() * count / kParts; n < (GetParam() + 1) * count / kParts; ++n) {
        const absl::StatusOr<CrashCounts> one = proof->Run(NthWorkload(length, n), run);
        ASSERT_OK(one.status()) << "workload " << n;
        counts += *one;
      }
    }
    std::printf("%s\n", counts.DebugString().c_str());
    EXPECT_GT(counts.states, 0u);
  }
};

TEST_P(CrashTest, EveryOp) { RunPart(1); }
TEST_P(CrashTest, EverySequenceOfTwoOps) { RunPart(2); }

INSTANTIATE_TEST_SUITE_P(Parts, CrashTest, ::testing::Range<uint64_t>(0, kParts));

}  // namespace
}  // namespace fs::testing
