// Every I/O of every sequence of up to FAULT_OPS operations (default 2; the slow variant has 3) fails, or lies, once.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/testing/status_matchers.h"
#include "fs/testing/crash_proof.h"
#include "fs/testing/fault_proof.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

// Fewer power cuts for each fault than the crash test has for each workload.
constexpr CrashOptions kFewCuts = {.subset_writes_max = 3, .samples = 4, .tears_max = 2, .scramble = false};

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  uint64_t value = fallback;
  const char* const given = std::getenv(name);
  if (given != nullptr && !absl::SimpleAtoi(given, &value)) ADD_FAILURE() << name << "=" << given;
  return value;
}

struct Part {
  const char* name;
  IoRequest::Kind request;
  DiskFault::Kind fault;
  bool lasting = false;
};

class FaultTest : public ::testing::TestWithParam<Part> {
 protected:
  static const CrashProof& Prepared() {
    static const CrashProof* const proof = [] {
      absl::StatusOr<CrashProof> created = CrashProof::Create({});
      EXPECT_OK(created.status());
      return created.ok() ? new CrashProof(*std::move(created)) : nullptr;
    }();
    return *proof;
  }

  // Spoils each request of `workload` in turn.
  void SpoilEach(const Workload& workload, const RunOptions& run) {
    const Part& part = GetParam();
    ASSERT_OK_AND_ASSIGN(const FaultProof::Reference reference, proof_.RunSound(workload, run));
    for (uint64_t nth = 0; nth < reference.request_counts[static_cast<size_t>(part.request)]; ++nth) {
      const DiskFault fault = {.kind = part.fault, .request = part.request, .nth = nth, .lasting = part.lasting};
      const absl::StatusOr<FaultCounts> counts = proof_.Run(workload, run, reference, fault);
      ASSERT_OK(counts.status());
      counts_ += *counts;
    }
  }

  void Print() const {
    std::printf("%s; %llu disks mounted and checked\n", counts_.DebugString().c_str(),
                static_cast<unsigned long long>(proof_.disks()));
  }

  const FaultProof proof_{{}, kFewCuts, Prepared().prepared()};
  FaultCounts counts_;
};

TEST_P(FaultTest, EveryRequestOfEverySequence) {
  const size_t length_max = FromEnvironment("FAULT_OPS", 2);
  for (size_t length = 1; length <= length_max; ++length) {
    for (uint64_t n = 0; n < WorkloadCount(length); ++n) {
      Workload workload = NthWorkload(length, n);
      if (!workload.back().persists()) workload.push_back({.kind = Op::Kind::kSync});
      // Something that is acknowledged after the fault.
      workload.push_back({.kind = Op::Kind::kAppend, .path = "A/f", .length = 500});
      workload.push_back({.kind = Op::Kind::kFsync, .path = "A/f"});
      SpoilEach(workload, {});
      if (HasFatalFailure()) return;
    }
  }
  Print();
  EXPECT_GT(counts_.runs, 0u);
}

TEST_P(FaultTest, EveryRequestOfALongerRun) {
  const Workload workload = {{.kind = Op::Kind::kStore, .path = "g", .length = 50000},
                             {.kind = Op::Kind::kRename, .path = "A/f", .to = "A/h"},
                             {.kind = Op::Kind::kFsync, .path = "g"},
                             {.kind = Op::Kind::kWrite, .path = "f", .offset = 3000, .length = 30000},
                             {.kind = Op::Kind::kUnlink, .path = "g"},
                             {.kind = Op::Kind::kSync},
                             {.kind = Op::Kind::kStore, .path = "A/i", .length = 3000}};
  SpoilEach(workload, {.checkpoint_between = true, .close_at_end = true});
  if (!HasFatalFailure()) SpoilEach(workload, {.step_between = true, .close_at_end = true});
  Print();
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, FaultTest,
    ::testing::Values(Part{"ReadFails", IoRequest::Kind::kRead, DiskFault::Kind::kFail},
                      Part{"ReadIsPartial", IoRequest::Kind::kRead, DiskFault::Kind::kPartial},
                      Part{"ReadFlipsABit", IoRequest::Kind::kRead, DiskFault::Kind::kBitFlip},
                      Part{"ReadIsMisdirected", IoRequest::Kind::kRead, DiskFault::Kind::kMisdirected},
                      Part{"WriteFails", IoRequest::Kind::kWrite, DiskFault::Kind::kFail},
                      Part{"WriteIsPartial", IoRequest::Kind::kWrite, DiskFault::Kind::kPartial},
                      Part{"WriteFindsNoSpace", IoRequest::Kind::kWrite, DiskFault::Kind::kNoSpace},
                      Part{"WritesFailForGood", IoRequest::Kind::kWrite, DiskFault::Kind::kFail, true},
                      Part{"WriteFlipsABit", IoRequest::Kind::kWrite, DiskFault::Kind::kBitFlip},
                      Part{"WriteIsMisdirected", IoRequest::Kind::kWrite, DiskFault::Kind::kMisdirected},
                      Part{"WriteIsLost", IoRequest::Kind::kWrite, DiskFault::Kind::kLost},
                      Part{"FlushFails", IoRequest::Kind::kFlush, DiskFault::Kind::kFailedFlush},
                      Part{"FlushesFailForGood", IoRequest::Kind::kFlush, DiskFault::Kind::kFailedFlush, true}),
    [](const ::testing::TestParamInfo<Part>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fs::testing
