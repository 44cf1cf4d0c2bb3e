// Every disk that a power cut could leave, for all workloads of up to two steps.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/crash_run.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/sim_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::CrashOptions;
using testing::CrashReport;
using testing::CrashRun;
using testing::DiskImage;
using testing::Model;
using testing::SimDevice;

const std::vector<InodeNumber> kInodes = {10, 11, 12, 13};

EngineOptions Options() {
  EngineOptions options;
  options.manual = true;
  options.early_write_bytes = 16 << 10;  // much of what is large
  options.logged_bytes_max = 0;  // Step() places what is logged
  return options;
}

std::string Bytes(size_t size, int seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + i * 7 + i / 251);
  return bytes;
}

// What a step does before it syncs.
enum class Change { kCreateSmall, kCreateTiny, kOverwrite, kAppend, kLarge, kStream, kTruncate, kDrop, kCount };
enum class Sync { kNone, kCommit, kCheckpoint, kPlace, kReopen, kCount };

void Do(CrashRun& run, Change change, Sync sync, int step) {
  const std::string stream = Bytes(32768, 5 + step);
  const std::string text = Bytes(change == Change::kLarge ? 90000 : change == Change::kTruncate ? 1 : 5000, 3 + step);
  Mutation mutation;
  switch (change) {
    case Change::kCreateSmall:
      mutation.Put(RowKey(12, RowType::kInode), absl::StrCat("small", step));
      mutation.Put(RowKey(1, RowType::kName, 12, 0), "twelve");
      mutation.Write(12, 0, text, {1, 12, 0});
      break;
    case Change::kCreateTiny:
      mutation.Put(RowKey(13, RowType::kInode), absl::StrCat("tiny", step));
      mutation.Write(13, 0, absl::string_view(text).substr(0, 100), {1, 13, 0});
      break;
    case Change::kOverwrite:
      mutation.Write(10, 4096, absl::string_view(text).substr(0, 4096), {1, 10, 0});
      break;
    case Change::kAppend:
      mutation.Put(RowKey(10, RowType::kInode), absl::StrCat("longer", step));
      mutation.Write(10, 10000 + step * 700, absl::string_view(text).substr(0, 700), {1, 10, 0});
      break;
    case Change::kLarge:
      mutation.Put(RowKey(11, RowType::kInode), absl::StrCat("large", step));
      mutation.Write(11, 0, text, {1, 11, 0});
      break;
    case Change::kStream:
      // Written early; the second one takes half of the first one's run away.
      mutation.Put(RowKey(11, RowType::kInode), absl::StrCat("stream", step));
      mutation.Write(11, 65536 + step * 16384, stream, {1, 11, 0});
      break;
    case Change::kTruncate:
      mutation.Put(RowKey(10, RowType::kInode), absl::StrCat("shorter", step));
      mutation.Punch(10, 5000, UINT64_MAX);
      break;
    case Change::kDrop:
      mutation.Delete(RowKey(11, RowType::kInode));
      mutation.Drop(11);
      break;
    case Change::kCount:
      break;
  }
  run.Apply(mutation);
  switch (sync) {
    case Sync::kCommit:
      run.Commit();
      break;
    case Sync::kCheckpoint:
      run.Checkpoint();
      break;
    case Sync::kPlace:
      run.Commit();
      run.Step();
      break;
    case Sync::kReopen:
      run.Reopen(step % 2 == 0);
      break;
    case Sync::kNone:
    case Sync::kCount:
      break;
  }
}

// A volume with something in it, some of it only in the log.
struct Start {
  DiskImage image{4 << 20};
  Model model;

  Start() {
    SimDevice device(image);
    MkfsOptions mkfs;
    mkfs.page_bytes = 4 << 10;
    mkfs.chunk_bytes = 64 << 10;
    mkfs.log_bytes = 128 << 10;
    mkfs.seed = 7;
    EXPECT_OK(Mkfs(device, mkfs));
    CrashRun run(device.image(), model, Options());
    const std::string text = Bytes(40000, 1);
    Mutation first;
    for (int i = 0; i < 40; ++i) first.Put(RowKey(100 + i, RowType::kInode), std::string(60, 'r'));
    first.Put(RowKey(11, RowType::kInode), "eleven");
    first.Write(11, 0, text, {1, 11, 0});
    run.Apply(first);
    run.Checkpoint();
    Mutation second;
    second.Put(RowKey(10, RowType::kInode), "ten");
    second.Write(10, 0, absl::string_view(text).substr(0, 10000), {1, 10, 0});
    run.Apply(second);
    run.Commit();
    image = run.image();
    model = run.model();
  }
};

constexpr int kSteps = static_cast<int>(Change::kCount) * static_cast<int>(Sync::kCount);

class RawEngineCrashTest : public ::testing::TestWithParam<int> {};

TEST_P(RawEngineCrashTest, EveryPowerCutInEveryWorkloadOfTwoStepsLeavesAPrefix) {
  const Start start;
  CrashOptions options;
  options.tears_max = 2;
  options.samples = 16;
  options.subset_writes_max = 6;
  const int syncs = static_cast<int>(Sync::kCount), first = GetParam();
  uint64_t states = 0;
  for (int second = 0; second < kSteps; ++second) {
    CrashRun run(start.image, start.model, Options());
    Do(run, static_cast<Change>(first / syncs), static_cast<Sync>(first % syncs), 0);
    Do(run, static_cast<Change>(second / syncs), static_cast<Sync>(second % syncs), 1);
    options.seed = first * 1000 + second;
    const CrashReport report = run.Check(options, kInodes, 101);
    states += report.states;
    ASSERT_EQ(report.violation, "") << "first " << first << " second " << second;
  }
  EXPECT_GT(states, 10u * kSteps);
}

INSTANTIATE_TEST_SUITE_P(Workloads, RawEngineCrashTest, ::testing::Range(0, kSteps));

}  // namespace
}  // namespace fs
