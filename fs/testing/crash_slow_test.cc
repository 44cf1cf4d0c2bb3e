// Power cuts in every sequence of three operations, driven in each way in turn; the parts can be run apart.
#include <cstdio>

#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

// A part is all that begins with the same op.
constexpr uint64_t kParts = 30;

class CrashSlowTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(CrashSlowTest, EverySequenceOfThreeOps) {
  CrashProofOptions options;
  options.crash.tears_max = 4;
  options.recovery_every = 100;
  const absl::StatusOr<CrashProof> proof = CrashProof::Create(options);
  ASSERT_OK(proof.status());
  const uint64_t count = WorkloadCount(3) / kParts;
  CrashCounts counts;
  for (const RunOptions& run : EveryWay()) {
    for (uint64_t n = GetParam() * count; n < (GetParam() + 1) * count; ++n) {
      const absl::StatusOr<CrashCounts> one = proof->Run(NthWorkload(3, n), run);
      ASSERT_OK(one.status()) << "workload " << n;
      counts += *one;
    }
  }
  std::printf("%s\n", counts.DebugString().c_str());
}

INSTANTIATE_TEST_SUITE_P(Parts, CrashSlowTest, ::testing::Range<uint64_t>(0, kParts));

}  // namespace
}  // namespace fs::testing
