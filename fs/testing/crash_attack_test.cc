// Attacks on recovery itself, by name. Those on the engine alone are fs/cache/raw_engine_attack_test.cc.
#include <cstdio>

#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

const Workload kBusy = {{.kind = Op::Kind::kStore, .path = "g", .length = 50000},
                        {.kind = Op::Kind::kFsync, .path = "g"},
                        {.kind = Op::Kind::kWrite, .path = "f", .offset = 3000, .length = 30000},
                        {.kind = Op::Kind::kRename, .path = "A/f", .to = "h"},
                        {.kind = Op::Kind::kFsync, .path = "f"},
                        {.kind = Op::Kind::kUnlink, .path = "g"},
                        {.kind = Op::Kind::kSync},
                        {.kind = Op::Kind::kStore, .path = "g", .length = 900}};

// Every disk that a power cut leaves is recovered, and that recovery cut everywhere.
TEST(CrashAttackTest, ACrashInsideRecoveryChangesNothing) {
  CrashProofOptions options;
  options.crash.tears_max = 4;
  options.recovery_every = 1;
  ASSERT_OK_AND_ASSIGN(const CrashProof proof, CrashProof::Create(options));
  for (const RunOptions& run : EveryWay()) {
    ASSERT_OK_AND_ASSIGN(const CrashCounts counts, proof.Run(kBusy, run));
    std::printf("%s\n", counts.DebugString().c_str());
    EXPECT_GT(counts.recovery_states, 10 * counts.states / 2);
  }
}

// kill -9 leaves in the disk's cache what the next mount takes for written: R3.
TEST(CrashAttackTest, AKillAndThenAPowerCutLoseNothingThatWasShown) {
  ASSERT_OK_AND_ASSIGN(const CrashProof proof, CrashProof::Create({}));
  CrashCounts counts;
  for (RunOptions run : EveryWay()) {
    run.kill = true;
    ASSERT_OK_AND_ASSIGN(const CrashCounts busy, proof.Run(kBusy, run));
    counts += busy;
    for (const Op& op : OpAlphabet()) {
      const absl::StatusOr<CrashCounts> one = proof.Run(Workload{op, {.kind = Op::Kind::kSync}}, run);
      ASSERT_OK(one.status());
      counts += *one;
    }
  }
  std::printf("%s\n", counts.DebugString().c_str());
  EXPECT_GT(counts.kills, 300u);
}

}  // namespace
}  // namespace fs::testing
