#include "fs/cache/read_ahead.h"

#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kSize = 256 * kMiB;

// Answers when told to: byte i of the device is its block's number.
class HeldDevice : public Device {
 public:
  HeldDevice() : Device({.name = "held", .size_bytes = kSize}) {}
  ~HeldDevice() override { Answer(); }

  std::vector<std::pair<uint64_t, uint64_t>> Asked() {
    base::MutexLock lock(&mutex_);
    return asked_;
  }
  uint64_t AskedEnd() {
    uint64_t end = 0;
    for (const auto& [begin, length] : Asked()) end = std::max(end, begin + length);
    return end;
  }
  uint64_t HeldBytes() {
    base::MutexLock lock(&mutex_);
    uint64_t bytes = 0;
    for (const IoRequest& request : held_) bytes += request.length;
    return bytes;
  }
  void Answer(absl::Status status = absl::OkStatus()) {
    std::vector<IoRequest> held;
    {
      base::MutexLock lock(&mutex_);
      held.swap(held_);
    }
    for (IoRequest& request : held) {
      for (uint64_t at = 0; at < request.length; at += 4096)
        std::memset(request.out + at, static_cast<int>((request.offset + at) / 4096), 4096);
      Complete(request, status);
    }
  }

 private:
  void DoSubmit(absl::Span<IoRequest> requests) override {
    base::MutexLock lock(&mutex_);
    for (IoRequest& request : requests) {
      asked_.emplace_back(request.offset, request.length);
      held_.push_back(std::move(request));
    }
  }

  base::Mutex mutex_;
  std::vector<IoRequest> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<uint64_t, uint64_t>> asked_ ABSL_GUARDED_BY(mutex_);
};

class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() : cache_(16 << 20), ahead_(device_, cache_, {.device_end = kSize}) {}
  ~ReadAheadTest() override { device_.Answer(); }

  ReadAhead::Answer Take(uint64_t address, uint64_t bytes, bool wait = false) {
    out_.assign(bytes, 0xee);
    return ahead_.Take(address, absl::MakeSpan(out_), wait);
  }
  bool OutIs(uint64_t address) {
    for (size_t i = 0; i < out_.size(); ++i) {
      if (out_[i] != static_cast<uint8_t>((address + i) / 4096)) return false;
    }
    return true;
  }

  HeldDevice device_;
  BlockCache cache_;
  ReadAhead ahead_;
  std::vector<uint8_t> out_;
};

TEST_F(ReadAheadTest, AFirstLookAndRandomReadsAskForNothing) {
  for (const uint64_t at : {100 * kMiB, 5 * kMiB, 60 * kMiB, 1 * kMiB, 200 * kMiB}) ahead_.Note(at, at + kMiB);
  EXPECT_TRUE(device_.Asked().empty());
}

TEST_F(ReadAheadTest, ALargeReaderHasUpTo8MiBUnderWayAndNeverReadsTwice) {
  for (uint64_t at = 0; at < 64 * kMiB; at += kMiB) {
    ahead_.Note(at, at + kMiB);
    if (at >= 16 * kMiB) {
      // Half of the window at least is there or under way, whatever the reader does.
      EXPECT_GE(device_.AskedEnd(), at + kMiB + ReadAhead::kAheadLargeMax / 2);
      EXPECT_LE(device_.AskedEnd(), at + kMiB + ReadAhead::kAheadLargeMax);
    }
    EXPECT_LE(device_.HeldBytes(), ReadAhead::kAheadLargeMax);
    device_.Answer();
    if (at >= 8 * kMiB) {
      ASSERT_EQ(Take(at, kMiB), ReadAhead::Answer::kCopied) << at;
      EXPECT_TRUE(OutIs(at));
    }
  }
  uint64_t end = 0;
  for (const auto& [begin, length] : device_.Asked()) {
    EXPECT_GE(begin, end);
    end = begin + length;
  }
  EXPECT_EQ(ahead_.reads(), device_.Asked().size());
}

TEST_F(ReadAheadTest, WhatSmallReadersWillWantGoesToTheCache) {
  for (uint64_t at = 0; at < 40 * 4096; at += 4096) {
    ahead_.Note(at, at + 4096);
    device_.Answer();
  }
  EXPECT_GT(ahead_.bytes(), 0u);
  EXPECT_LE(device_.AskedEnd(), 40 * 4096 + kMiB);
  EXPECT_EQ(Take(20 * 4096, 4096), ReadAhead::Answer::kAbsent);
  std::vector<uint8_t> block(4096);
  EXPECT_TRUE(cache_.Read(20 * 4096, absl::MakeSpan(block)));
  EXPECT_EQ(block[0], 20);
}

TEST_F(ReadAheadTest, WhoWantsWhatIsUnderWayWaitsOrIsTold) {
  ahead_.Note(0, kMiB);
  ahead_.Note(kMiB, 2 * kMiB);
  ASSERT_FALSE(device_.Asked().empty());
  EXPECT_EQ(Take(2 * kMiB, 4096), ReadAhead::Answer::kUnderWay);
  std::thread other([this] {
    while (device_.HeldBytes() == 0) std::this_thread::yield();
    device_.Answer();
  });
  EXPECT_EQ(Take(2 * kMiB, 4096, true), ReadAhead::Answer::kCopied);
  EXPECT_TRUE(OutIs(2 * kMiB));
  other.join();
}

TEST_F(ReadAheadTest, AFailedReadIsAsIfItHadNotBeen) {
  ahead_.Note(0, kMiB);
  ahead_.Note(kMiB, 2 * kMiB);
  device_.Answer(absl::UnavailableError("gone"));
  EXPECT_EQ(Take(2 * kMiB, 4096, true), ReadAhead::Answer::kAbsent);
}

TEST_F(ReadAheadTest, MemoryIsBoundedAndGivenBack) {
  // Readers that ask for a window each and never come for it.
  for (uint64_t reader = 0; reader < 8; ++reader) {
    for (uint64_t at = reader * 30 * kMiB; at < (reader * 30 + 12) * kMiB; at += kMiB) {
      ahead_.Note(at, at + kMiB);
      device_.Answer();
    }
  }
  uint64_t held = 0;
  constexpr uint64_t kStep = 128 << 10;
  for (uint64_t at = 0; at < kSize; at += kStep) held += Take(at, 4096) == ReadAhead::Answer::kCopied ? kStep : 0;
  EXPECT_GT(held, 0u);
  EXPECT_LE(held, ReadAhead::kHeldBytesMax);
  ahead_.Trim();  // they were just looked at
  ahead_.Trim();
  for (uint64_t at = 0; at < kSize; at += kMiB) EXPECT_EQ(Take(at, 4096), ReadAhead::Answer::kAbsent);
}

}  // namespace
}  // namespace fs
