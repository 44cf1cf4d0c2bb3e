// Long random runs, each of which starts from the crash of the one before. The slow variant
// of this target has RANDOM_CRASH_ROUNDS set higher.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/strings/numbers.h"
#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  uint64_t value = fallback;
  const char* const given = std::getenv(name);
  if (given != nullptr && !absl::SimpleAtoi(given, &value)) ADD_FAILURE() << name << "=" << given;
  return value;
}

// A few cuts of each epoch only: the length of the run is what counts here.
constexpr CrashOptions kFewCuts = {.subset_writes_max = 2, .samples = 3, .tears_max = 1};
constexpr CrashOptions kFewerCuts = {.subset_writes_max = 1, .samples = 1, .tear = false, .scramble = false};

void RunRounds(const ProofStoreOptions& store, uint64_t seed, uint64_t rounds) {
  std::printf("seed=%llu\n", static_cast<unsigned long long>(seed));
  CrashProofOptions options;
  options.store = store;
  options.crash = kFewCuts;
  options.recovery_crash = kFewerCuts;
  options.recovery_every = 40;
  absl::StatusOr<CrashProof> proof = CrashProof::Create(options);
  ASSERT_OK(proof.status());
  std::mt19937_64 random(seed);
  DiskImage disk = proof->prepared();
  CrashCounts counts;
  for (uint64_t round = 0; round < rounds; ++round) {
    Workload workload;
    const size_t length = 5 + random() % 30;
    while (workload.size() < length) workload.push_back(RandomOpOfAnyKind(random));
    RunOptions run;
    run.step_between = random() % 2 == 0;
    run.checkpoint_between = random() % 6 == 0;
    run.close_at_end = random() % 4 == 0;
    const absl::StatusOr<CrashCounts> one = proof->RunOn(&disk, workload, run, random());
    ASSERT_OK(one.status()) << "seed " << seed << " round " << round;
    counts += *one;
  }
  std::printf("%s\n", counts.DebugString().c_str());
}

TEST(RandomCrashTest, ManyRunsOnOneDisk) {
  RunRounds({}, FromEnvironment("TEST_SEED", 1), FromEnvironment("RANDOM_CRASH_ROUNDS", 12));
}

TEST(RandomCrashTest, EverythingGoesPastTheLog) {
  RunRounds({.inline_bytes_max = 0}, FromEnvironment("TEST_SEED", 1) + 1000,
            FromEnvironment("RANDOM_CRASH_ROUNDS", 12));
}

}  // namespace
}  // namespace fs::testing
