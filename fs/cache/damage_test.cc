// Bit flips, zeroed and swapped sectors all over a volume: opening fails clearly or every
// read is right or an error, and the check names the damage.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/testing/status_matchers.h"
#include "fs/cache/check.h"
#include "fs/cache/dump.h"
#include "fs/cache/raw_engine.h"
#include "fs/cache/testing/model.h"
#include "fs/disk/testing/disk_image.h"
#include "fs/disk/testing/sim_device.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using testing::DiskImage;
using testing::SimDevice;

constexpr uint64_t kDeviceBytes = 4 << 20;
constexpr int kFiles = 24;

std::string Contents(int i) {
  std::string bytes(200 + i * i * 97, '\0');
  for (size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<char>(i * 17 + at * 3 + at / 4096);
  return bytes;
}

EngineOptions Options(bool read_only) {
  EngineOptions options;
  options.manual = true;
  options.read_only = read_only;
  return options;
}

// Files in the tree and files in the log.
DiskImage Volume() {
  SimDevice device(DiskImage(kDeviceBytes), {.record = false});
  MkfsOptions mkfs;
  mkfs.page_bytes = 4 << 10;
  mkfs.chunk_bytes = 64 << 10;
  mkfs.log_bytes = 128 << 10;
  mkfs.seed = 9;
  EXPECT_OK(Mkfs(device, mkfs));
  absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, Options(false));
  EXPECT_OK(engine);
  for (int i = 0; i < kFiles; ++i) {
    const std::string bytes = Contents(i);
    Mutation mutation;
    mutation.Put(RowKey(10 + i, RowType::kInode), std::string(90, static_cast<char>('a' + i)));
    mutation.Write(10 + i, 0, bytes, {1, InodeNumber(10 + i), 0});
    EXPECT_OK((*engine)->Apply(mutation).status());
    if (i == kFiles - 4) {
      EXPECT_OK((*engine)->Checkpoint());
    }
    EXPECT_OK((*engine)->Commit((*engine)->last_sequence(), Priority::kSync));
  }
  // Idle: a marker says that the newest batch is durable, so that rot in it is told from a
  // commit that power cut short.
  for (bool worked = true; worked;) {
    const absl::StatusOr<bool> step = (*engine)->Step();
    EXPECT_OK(step);
    worked = step.value_or(false);
  }
  return device.image();
}

// Never wrong data. True if everything was served as it should be.
bool ServesNoLies(const DiskImage& image, const std::string& what) {
  SimDevice device(image, {.record = false});
  absl::StatusOr<std::unique_ptr<RawEngine>> engine = OpenEngine(device, Options(true));
  if (!engine.ok()) {
    EXPECT_FALSE(engine.status().message().empty());
    return false;
  }
  // The newest batch may be cut, as if it had never been acknowledged; that is said.
  const bool cut = (*engine)->stats().recovery_cut;
  bool whole = !cut;
  for (int i = 0; i < kFiles - (cut ? 1 : 0); ++i) {
    const std::string want = Contents(i);
    std::string got(want.size(), 'x'), row;
    const absl::StatusOr<bool> found = (*engine)->Get(RowKey(10 + i, RowType::kInode), &row);
    EXPECT_TRUE(found.ok() && *found && row == std::string(90, static_cast<char>('a' + i))) << what << " row " << i;
    const absl::Status status = (*engine)->ReadData({InodeNumber(10 + i), 0, absl::MakeSpan(reinterpret_cast<uint8_t*>(got.data()), got.size())});
    if (status.ok()) {
      EXPECT_EQ(got == want, true) << what << " file " << i;
    } else {
      whole = false;
    }
  }
  return whole;
}

TEST(DamageTest, NoDamageAnywhereGivesWrongDataOrACrash) {
  const uint64_t seed = testing::TestSeed(31);
  std::mt19937_64 random(seed);
  const DiskImage sound = Volume();
  ASSERT_TRUE(ServesNoLies(sound, "sound"));
  // Where something is: damage elsewhere teaches nothing.
  std::vector<uint64_t> used;
  for (uint64_t block = 0; block < kDeviceBytes / 4096; ++block) {
    std::vector<uint8_t> bytes(4096);
    sound.Read(block * 4096, absl::MakeSpan(bytes));
    if (std::any_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b != 0; })) used.push_back(block);
  }
  int harmless = 0, noticed = 0;
  for (int round = 0; round < 2500; ++round) {
    DiskImage image = sound;
    const uint64_t sector = used[random() % used.size()] * 8 + random() % 8;
    std::string what;
    switch (round % 3) {
      case 0: {
        const uint64_t at = sector * 512 + random() % 512;
        image.FlipBit(at, static_cast<int>(random() % 8));
        what = absl::StrFormat("bit flip at %d", at);
        break;
      }
      case 1:
        image.Fill(sector * 512, 512, 0);
        what = absl::StrFormat("zeros at %d", sector * 512);
        break;
      default: {
        const uint64_t other = used[random() % used.size()] * 8 + random() % 8;
        std::vector<uint8_t> a(512), b(512);
        image.Read(sector * 512, absl::MakeSpan(a));
        image.Read(other * 512, absl::MakeSpan(b));
        image.Write(sector * 512, b);
        image.Write(other * 512, a);
        what = absl::StrFormat("swap of %d and %d", sector * 512, other * 512);
      }
    }
    const bool served = ServesNoLies(image, what);
    if (::testing::Test::HasFailure()) return;
    served ? ++harmless : ++noticed;
    SimDevice device(image, {.record = false});
    const absl::StatusOr<CheckReport> report = CheckVolume(device, {.read_data = true});
    if (!served) {
      EXPECT_TRUE(!report.ok() || !report->findings.empty()) << what << ": the check finds nothing";
    }
    if (round % 20 == 0) {
      size_t lines = 0;
      EXPECT_OK(DumpVolume(device, {.rows = true, .records = true}, [&](absl::string_view) { ++lines; }));
      EXPECT_GT(lines, 0u);
    }
  }
  std::printf("harmless=%d noticed=%d\n", harmless, noticed);
  EXPECT_GT(noticed, 500);
}

}  // namespace
}  // namespace fs
