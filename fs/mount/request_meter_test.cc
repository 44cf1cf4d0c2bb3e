#include "fs/mount/request_meter.h"

#include <linux/fuse.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "fs/mount/trace_ring.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

TEST(RequestMeterTest, TimesEachRequestByItsNumber) {
  base::ManualClock clock;
  TraceRing trace(clock);
  RequestMeter meter(clock, trace);
  meter.Begin({.unique = 2, .opcode = FUSE_READ});
  meter.Begin({.unique = 4, .opcode = FUSE_LOOKUP});
  meter.Begin({.unique = 6, .opcode = FUSE_FORGET, .is_answered = false});
  EXPECT_EQ(meter.under_way(), 2u);
  clock.Advance(absl::Microseconds(5));
  meter.End(4, ENOENT, 16);
  clock.Advance(absl::Microseconds(5));
  meter.End(2, EIO, 16);
  meter.End(2, EIO, 16);  // nothing is answered twice
  meter.End(0, 0, 40);    // a notice
  EXPECT_EQ(meter.under_way(), 0u);
  EXPECT_EQ(meter.count(FUSE_FORGET), 1u);
  EXPECT_EQ(meter.latency(FUSE_LOOKUP).sum, absl::Microseconds(5));
  EXPECT_EQ(meter.latency(FUSE_READ).max, absl::Microseconds(10));
  EXPECT_EQ(meter.latency(FUSE_READ).count, 1u);
  EXPECT_EQ(meter.errors(FUSE_READ), 1u);
  EXPECT_EQ(meter.errors(FUSE_LOOKUP), 0u) << "absence is no error";
  EXPECT_EQ(meter.latency(9999).count, 0u);
}

TEST(RequestMeterTest, ARequestThatTheTableForgotIsCountedAsLost) {
  base::ManualClock clock;
  TraceRing trace(clock);
  RequestMeter meter(clock, trace);
  meter.Begin({.unique = 2, .opcode = FUSE_READ});
  const uint64_t later = 2 + 2 * RequestMeter::kSlots;
  meter.Begin({.unique = later, .opcode = FUSE_WRITE});
  EXPECT_EQ(meter.lost(), 1u);
  meter.End(2, 0, 0);
  EXPECT_EQ(meter.latency(FUSE_READ).count, 0u);
  meter.End(later, 0, 0);
  EXPECT_EQ(meter.latency(FUSE_WRITE).count, 1u);
  EXPECT_EQ(meter.under_way(), 0u);
}

TEST(RequestMeterTest, RepliesComeFromManyThreads) {
  TraceRing trace(base::Clock::Real());
  RequestMeter meter(base::Clock::Real(), trace);
  static_cast<void>(trace.Read());
  constexpr uint64_t kRequests = 2000;
  for (uint64_t i = 1; i <= kRequests; ++i) meter.Begin({.unique = 2 * i, .opcode = FUSE_READ, .inode = i});
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&meter, t] {
      for (uint64_t i = 1; i <= kRequests; ++i) {
        if (i % 4 == t) meter.End(2 * i, 0, 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(meter.latency(FUSE_READ).count, kRequests);
  EXPECT_EQ(meter.under_way(), 0u);
  const std::string text = trace.Read();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<int64_t>(kRequests));
}

TEST(TraceRingTest, IsOnWhileSomebodyReads) {
  base::ManualClock clock;
  TraceRing trace(clock);
  trace.Add({.end_ns = 1, .opcode = FUSE_READ});
  EXPECT_FALSE(trace.is_on());
  EXPECT_EQ(trace.Read(), "") << "what came before was not asked for";
  EXPECT_TRUE(trace.is_on());
  trace.Add({.begin_ns = 5, .end_ns = 9, .opcode = FUSE_READ, .inode = 7, .pid = 3, .bytes = 4096, .error = 5});
  trace.Add({.kind = TraceEvent::Kind::kEngine, .begin_ns = 6, .end_ns = 8, .name = "commit", .inode = 1, .items = 2});
  EXPECT_EQ(trace.Read(), "1 request READ 5 9 7 3 4096 0 5\n2 engine commit 6 8 1 0 0 2 0\n");
  EXPECT_EQ(trace.Read(1), "2 engine commit 6 8 1 0 0 2 0\n");
  clock.Advance(absl::Seconds(TraceRing::kOnSeconds + 1));
  trace.Add({.end_ns = clock.MonotonicNs(), .opcode = FUSE_READ});
  EXPECT_FALSE(trace.is_on()) << "the reader has gone";
  EXPECT_EQ(trace.Read(2), "");
}

TEST(TraceRingTest, KeepsTheNewest) {
  base::ManualClock clock;
  TraceRing trace(clock);
  static_cast<void>(trace.Read());
  for (size_t i = 0; i < TraceRing::kEventsMax + 10; ++i) trace.Add({.opcode = FUSE_READ});
  const std::string text = trace.Read(0, 1);
  EXPECT_EQ(text.substr(0, text.find(' ')), "11");
}

}  // namespace
}  // namespace fs
