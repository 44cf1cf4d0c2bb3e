// The proof itself: it finds what it is meant to find.
#include "fs/testing/crash_proof.h"

#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

class CrashProofTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<CrashProof> created = CrashProof::Create({});
    ASSERT_OK(created.status());
    proof_ = std::make_unique<CrashProof>(*std::move(created));
  }

  absl::Status Run(const Workload& workload, absl::optional<DiskFault> fault) {
    return proof_->Run(workload, {.hidden_fault = fault}).status();
  }

  std::unique_ptr<CrashProof> proof_;
};

const Workload kStoreAndSync = {{.kind = Op::Kind::kStore, .path = "g", .length = 5000}, {.kind = Op::Kind::kSync}};

TEST_F(CrashProofTest, ASoundDiskKeepsItsPromises) { EXPECT_OK(Run(kStoreAndSync, absl::nullopt)); }

TEST_F(CrashProofTest, SeesFlushesThatDoNotHappen) {
  EXPECT_THAT(Run(kStoreAndSync,
                  DiskFault{.kind = DiskFault::Kind::kLost, .request = IoRequest::Kind::kFlush, .lasting = true}),
              base::StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("another tree")));
}

TEST_F(CrashProofTest, SeesWritesThatDoNotHappen) {
  EXPECT_THAT(Run(kStoreAndSync, DiskFault{.kind = DiskFault::Kind::kLost, .request = IoRequest::Kind::kWrite}),
              ::testing::Not(base::IsOk()));
}

TEST_F(CrashProofTest, RunsFollowOneAnother) {
  DiskImage disk = proof_->prepared();
  for (uint64_t round = 0; round < 4; ++round) {
    ASSERT_OK(proof_->RunOn(&disk, kStoreAndSync, {.close_at_end = round % 2 == 1}, round).status());
  }
  EXPECT_FALSE(disk == proof_->prepared());
}

}  // namespace
}  // namespace fs::testing
