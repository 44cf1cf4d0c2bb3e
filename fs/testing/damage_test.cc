// Flipped bits, zeroed, swapped, noisy and old blocks all over a volume's disk.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/strings/numbers.h"
#include "base/testing/status_matchers.h"
#include "fs/testing/damage_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uint64_t kParts = 8;
constexpr uint64_t kSamples = 10000;

uint64_t Seed() {
  uint64_t seed = 1;
  const char* const given = std::getenv("TEST_SEED");
  if (given != nullptr && !absl::SimpleAtoi(given, &seed)) ADD_FAILURE() << "TEST_SEED=" << given;
  return seed;
}

void RunSamples(DamageProof::End end, uint64_t part) {
  absl::StatusOr<DamageProof> proof = DamageProof::Create({}, end);
  ASSERT_OK(proof.status());
  const uint64_t seed = Seed() * 1000 + part;
  std::printf("seed=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  DamageCounts counts;
  for (uint64_t i = 0; i < kSamples / 3 / kParts + 1; ++i) {
    const absl::StatusOr<DamageCounts> one = proof->Run(proof->Sample(random));
    ASSERT_OK(one.status());
    counts += *one;
  }
  std::printf("%s\n", counts.DebugString().c_str());
  EXPECT_GT(counts.refused + counts.found, 0u) << "nothing was hit";
}

class DamageTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(DamageTest, OfAClosedVolume) { RunSamples(DamageProof::End::kClosed, GetParam()); }
TEST_P(DamageTest, OfAVolumeKilledWhenIdle) { RunSamples(DamageProof::End::kKilledIdle, GetParam()); }
TEST_P(DamageTest, OfAVolumeKilledAfterASync) { RunSamples(DamageProof::End::kKilledAtOnce, GetParam()); }

INSTANTIATE_TEST_SUITE_P(Parts, DamageTest, ::testing::Range<uint64_t>(0, kParts));

}  // namespace
}  // namespace fs::testing
