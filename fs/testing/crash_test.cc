// Power cuts in every sequence of up to two operations.
#include <cstdio>

#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

const CrashProof& Proof() {
  static const CrashProof* const proof = [] {
    absl::StatusOr<CrashProof> created = CrashProof::Create({});
    EXPECT_OK(created.status());
    return created.ok() ? new CrashProof(*std::move(created)) : nullptr;
  }();
  return *proof;
}

// The ways to drive a workload, taken in turn.
constexpr RunOptions kWays[] = {
    {},
    {.close_at_end = true},
    {.checkpoint_between = true},
    {.step_between = true},
};

constexpr uint64_t kParts = 16;

// The workloads of `length` ops whose number is `part` modulo kParts, each in `ways` ways.
void RunPart(size_t length, uint64_t part, size_t ways) {
  CrashCounts counts;
  for (uint64_t n = part; n < WorkloadCount(length); n += kParts) {
    for (size_t way = 0; way < ways; ++way) {
      const RunOptions& run = kWays[(n / kParts + way) % std::size(kWays)];
      const absl::StatusOr<CrashCounts> one = Proof().Run(NthWorkload(length, n), run);
      ASSERT_OK(one.status()) << "workload " << n;
      counts += *one;
    }
  }
  std::printf("%llu workloads, %llu crash states, %llu in recoveries, 0 violations\n",
              static_cast<unsigned long long>(counts.workloads), static_cast<unsigned long long>(counts.states),
              static_cast<unsigned long long>(counts.recovery_states));
  EXPECT_GT(counts.states, 0u);
}

class CrashTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(CrashTest, EveryOpInEveryWay) { RunPart(1, GetParam(), std::size(kWays)); }
TEST_P(CrashTest, EverySequenceOfTwoOps) { RunPart(2, GetParam(), 1); }

INSTANTIATE_TEST_SUITE_P(Parts, CrashTest, ::testing::Range<uint64_t>(0, kParts));

}  // namespace
}  // namespace fs::testing
