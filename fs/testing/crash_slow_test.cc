// Power cuts in every sequence of three operations.
#include <cstdio>

#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uint64_t kParts = 64;

class CrashSlowTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(CrashSlowTest, EverySequenceOfThreeOps) {
  CrashProofOptions options;
  options.crash.tears_max = 4;
  options.recovery_every = 200;
  options.fsck_every = 50;
  const absl::StatusOr<CrashProof> proof = CrashProof::Create(options);
  ASSERT_OK(proof.status());
  static constexpr RunOptions kWays[] = {
      {}, {.close_at_end = true}, {.checkpoint_between = true}, {.step_between = true}};
  CrashCounts counts;
  for (uint64_t n = GetParam(); n < WorkloadCount(3); n += kParts) {
    const absl::StatusOr<CrashCounts> one = proof->Run(NthWorkload(3, n), kWays[n / kParts % std::size(kWays)]);
    ASSERT_OK(one.status()) << "workload " << n;
    counts += *one;
  }
  std::printf("%llu workloads, %llu crash states, %llu in recoveries, 0 violations\n",
              static_cast<unsigned long long>(counts.workloads), static_cast<unsigned long long>(counts.states),
              static_cast<unsigned long long>(counts.recovery_states));
}

INSTANTIATE_TEST_SUITE_P(Parts, CrashSlowTest, ::testing::Range<uint64_t>(0, kParts));

}  // namespace
}  // namespace fs::testing
