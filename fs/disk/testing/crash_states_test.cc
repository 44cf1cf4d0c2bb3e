#include "fs/disk/testing/crash_states.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "fs/disk/aligned_buffer.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

constexpr uint64_t kSize = 1 << 20;

void Write(SimDevice& device, uint64_t block, uint8_t byte, size_t blocks = 1) {
  AlignedBuffer buffer(blocks * 4096);
  std::memset(buffer.data(), byte, buffer.size());
  ASSERT_OK(device.Write(block * 4096, buffer.span()));
}

// The first byte of each of the first blocks: '.' for zero.
std::string Summary(const DiskImage& image, size_t blocks) {
  std::string text;
  for (size_t block = 0; block < blocks; ++block) {
    uint8_t byte = 0;
    image.Read(block * 4096, absl::MakeSpan(&byte, 1));
    text += byte == 0 ? '.' : static_cast<char>(byte);
  }
  return text;
}

std::multiset<std::string> States(const SimDevice& device, size_t blocks, const CrashOptions& options) {
  std::multiset<std::string> states;
  const uint64_t visited = ForEachCrashState(DiskImage(kSize), device.trace(), options, [&](const CrashState& state) {
    states.insert(absl::StrCat(Summary(*state.image, blocks), state.position));
    return true;
  });
  EXPECT_EQ(visited, states.size());
  return states;
}

constexpr CrashOptions kSubsetsOnly = {.tear = false, .scramble = false};

TEST(CrashStatesTest, NothingHappened) {
  SimDevice device{DiskImage(kSize)};
  EXPECT_THAT(States(device, 1, kSubsetsOnly), ::testing::ElementsAre(".0"));
}

TEST(CrashStatesTest, EverySubsetOfWhatAFlushHasNotCovered) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  Write(device, 1, 'b');
  ASSERT_OK(device.Flush());
  Write(device, 2, 'c');
  EXPECT_THAT(States(device, 3, kSubsetsOnly),
              ::testing::UnorderedElementsAre("...2", "a..2", ".b.2", "ab.2", "ab.4", "abc4"));
}

TEST(CrashStatesTest, AFlushInABatchCoversOnlyWhatWasDoneBefore) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  AlignedBuffer buffer(4096);
  std::memset(buffer.data(), 'b', 4096);
  std::vector<IoRequest> requests;
  requests.push_back(IoRequest::Write(4096, buffer.span()));
  requests.push_back(IoRequest::Flush());
  ASSERT_OK(device.SubmitAndWait(absl::MakeSpan(requests)));
  EXPECT_THAT(States(device, 2, kSubsetsOnly),
              ::testing::UnorderedElementsAre("..2", "a.2", ".b2", "ab2", "a.3", "ab3"));
}

TEST(CrashStatesTest, LaterWritesToOnePlaceWin) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  Write(device, 0, 'b');
  EXPECT_THAT(States(device, 1, kSubsetsOnly), ::testing::UnorderedElementsAre(".2", "a2", "b2", "b2"));
}

TEST(CrashStatesTest, DiscardedRangesAreOldOrNoise) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  ASSERT_OK(device.Flush());
  ASSERT_OK(device.Discard(0, 4096));
  EXPECT_THAT(States(device, 1, kSubsetsOnly), ::testing::UnorderedElementsAre(".1", "a1", "a3",
                                                                               "\xD5"
                                                                               "3"));
}

TEST(CrashStatesTest, ManyWritesAreSampledButNeverWithoutTheEnds) {
  SimDevice device{DiskImage(kSize)};
  std::string all;
  for (uint8_t i = 0; i < 20; ++i) {
    Write(device, i, 'a' + i);
    all += static_cast<char>('a' + i);
  }
  CrashOptions options = kSubsetsOnly;
  options.samples = 50;
  const std::multiset<std::string> states = States(device, 20, options);
  // 21 prefixes, 19 alone, 19 all but one, and the samples.
  EXPECT_EQ(states.size(), 21u + 19 + 19 + 50);
  for (size_t i = 0; i <= 20; ++i) {
    EXPECT_EQ(states.count(absl::StrCat(all.substr(0, i), std::string(20 - i, '.'), 20)), 1u) << i;
    if (i == 20) break;
    std::string alone(20, '.');
    alone[i] = all[i];
    EXPECT_GE(states.count(absl::StrCat(alone, 20)), 1u) << i;
    std::string but = all;
    but[i] = '.';
    EXPECT_GE(states.count(absl::StrCat(but, 20)), 1u) << i;
  }
}

// Every state of one torn block is a mixture of old and new sectors; all cuts are there.
TEST(CrashStatesTest, TearsAtSectors) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'o');
  ASSERT_OK(device.Flush());
  Write(device, 0, 'n');
  std::set<std::string> seen;
  ForEachCrashState(DiskImage(kSize), device.trace(), {.scramble = false}, [&](const CrashState& state) {
    if (state.position != 3) return true;
    std::vector<uint8_t> block(4096);
    state.image->Read(0, absl::MakeSpan(block));
    std::string sectors;
    for (size_t sector = 0; sector < 8; ++sector) {
      const uint8_t* start = block.data() + sector * 512;
      EXPECT_TRUE(std::all_of(start, start + 512, [start](uint8_t byte) { return byte == *start; }));
      sectors += static_cast<char>(*start);
    }
    EXPECT_THAT(sectors, ::testing::MatchesRegex("[on]*"));
    seen.insert(sectors);
    return true;
  });
  for (size_t cut = 0; cut <= 8; ++cut) {
    EXPECT_TRUE(seen.count(std::string(cut, 'n') + std::string(8 - cut, 'o'))) << cut;
    EXPECT_TRUE(seen.count(std::string(cut, 'o') + std::string(8 - cut, 'n'))) << cut;
  }
}

TEST(CrashStatesTest, ScramblesPendingSectorsOnly) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'd');
  ASSERT_OK(device.Flush());
  Write(device, 1, 'n');
  size_t scrambled = 0;
  ForEachCrashState(DiskImage(kSize), device.trace(), {.tear = false}, [&](const CrashState& state) {
    if (state.position == 3) {
      EXPECT_EQ(Summary(*state.image, 1), "d") << state.Describe();
      std::vector<uint8_t> block(4096);
      state.image->Read(4096, absl::MakeSpan(block));
      if (std::any_of(block.begin(), block.end(), [](uint8_t byte) { return byte != 0 && byte != 'n'; })) ++scrambled;
    }
    return true;
  });
  EXPECT_EQ(scrambled, 3u);  // one sector, all, some
}

TEST(CrashStatesTest, StopsWhenTold) {
  SimDevice device{DiskImage(kSize)};
  for (uint8_t i = 0; i < 10; ++i) Write(device, i, 'a' + i);
  uint64_t left = 5;
  EXPECT_EQ(ForEachCrashState(DiskImage(kSize), device.trace(), {}, [&](const CrashState&) { return --left > 0; }), 5u);
}

TEST(CrashStatesTest, CanLeaveOutWhatWasSeenBefore) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  ASSERT_OK(device.Flush());
  Write(device, 1, 'b');
  CrashOptions options = kSubsetsOnly;
  options.first_position = 2;
  EXPECT_THAT(States(device, 2, options), ::testing::UnorderedElementsAre("a.3", "ab3"));
}

TEST(CrashStatesTest, DescribesEveryPendingEvent) {
  SimDevice device{DiskImage(kSize)};
  Write(device, 0, 'a');
  Write(device, 1, 'b');
  std::vector<std::string> described;
  ForEachCrashState(DiskImage(kSize), device.trace(), kSubsetsOnly, [&](const CrashState& state) {
    described.push_back(state.Describe());
    return true;
  });
  EXPECT_EQ(described[1], "power cut before event 2; pending: 0=lost 1=kept");
}

}  // namespace
}  // namespace fs::testing
