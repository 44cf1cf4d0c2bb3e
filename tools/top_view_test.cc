#include "tools/top_view.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

fs::Statistics At(double uptime_seconds, uint64_t reads) {
  fs::Statistics statistics;
  statistics.set_mount_point("/mnt/\x1b[2J");
  statistics.set_uptime_seconds(uptime_seconds);
  statistics.mutable_space()->set_total_bytes(uint64_t{8} << 30);
  statistics.mutable_space()->set_free_bytes(uint64_t{2} << 30);
  for (int i = 0; i < 40; ++i) (*statistics.mutable_operations())["OP" + std::to_string(i)].set_count(1);
  fs::Statistics::Operation& read = (*statistics.mutable_operations())["READ"];
  read.set_count(reads);
  read.mutable_latency()->add_buckets(0);
  for (int i = 1; i < 14; ++i) read.mutable_latency()->add_buckets(i == 13 ? reads : 0);
  (*statistics.mutable_caches())["blocks"].set_lookups(reads);
  (*statistics.mutable_caches())["blocks"].set_hits(reads / 2);
  fs::Statistics::Policy* const policy = statistics.add_policies();
  policy->set_directory("/cache");
  policy->set_kind("lru");
  policy->set_bytes(50);
  policy->set_quota_bytes(100);
  return statistics;
}

std::string Text(const TopView& view, int width, int height) {
  std::string text;
  for (const TopView::Line& line : view.Render(width, height)) text += line.text + "\n";
  return text;
}

TEST(TopViewTest, FitsAnyTerminalOnEveryPage) {
  TopView view;
  view.Update(At(1, 100));
  view.Update(At(2, 200));
  for (const char page : {'1', '2', '3', 'h'}) {
    view.HandleKey(page);
    for (const int width : {1, 2, 20, 40, 80, 200}) {
      for (const int height : {1, 2, 3, 24, 60}) {
        const auto lines = view.Render(width, height);
        EXPECT_LE(lines.size(), static_cast<size_t>(height));
        for (const TopView::Line& line : lines) EXPECT_LE(line.text.size(), static_cast<size_t>(width)) << line.text;
      }
    }
    view.HandleKey('1');
  }
  EXPECT_TRUE(view.Render(0, 0).empty());
}

TEST(TopViewTest, OverviewAt80x24TellsWhatHappenedBetweenTwoLooks) {
  TopView view;
  EXPECT_THAT(Text(view, 80, 24), HasSubstr("waiting"));
  view.Update(At(1, 100));
  view.Update(At(3, 300));
  const std::string text = Text(view, 80, 24);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 24);
  EXPECT_THAT(text, HasSubstr("6.0 GiB of 8.0 GiB"));
  EXPECT_THAT(text, HasSubstr(" 100 ")) << "requests each second";
  EXPECT_THAT(text, HasSubstr("50%"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no name moves the cursor";
}

TEST(TopViewTest, KeysChangePagesOrderPauseAndInterval) {
  TopView view;
  view.Update(At(1, 100));
  view.Update(At(2, 200));
  EXPECT_TRUE(view.HandleKey('2'));
  std::string text = Text(view, 80, 24);
  EXPECT_LT(text.find("READ"), text.find("OP0")) << "by rate";
  EXPECT_THAT(text, HasSubstr("16 us")) << "the end of the bucket";
  EXPECT_TRUE(view.HandleKey('s'));
  EXPECT_TRUE(view.HandleKey('s'));
  text = Text(view, 80, 60);
  EXPECT_LT(text.find("OP0"), text.find("READ")) << "by name";
  text = Text(view, 80, 24);
  EXPECT_THAT(text, Not(HasSubstr("READ")));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(view.HandleKey(i % 2 == 0 ? 'j' : TopView::kDown));
  EXPECT_THAT(Text(view, 80, 24), HasSubstr("READ")) << "scrolled to the end";
  EXPECT_TRUE(view.HandleKey('\t'));
  EXPECT_THAT(Text(view, 80, 24), HasSubstr("[######......]"));
  EXPECT_TRUE(view.HandleKey('p'));
  EXPECT_TRUE(view.is_paused());
  EXPECT_THAT(Text(view, 80, 24), HasSubstr("PAUSED"));
  EXPECT_TRUE(view.HandleKey('+'));
  EXPECT_EQ(view.interval(), absl::Seconds(2));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(view.HandleKey('-'));
  EXPECT_GE(view.interval(), absl::Milliseconds(TopView::kIntervalMsMin));
  EXPECT_TRUE(view.HandleKey('x'));
  EXPECT_FALSE(view.HandleKey('q'));
}

TEST(TopViewTest, AnotherMountInBetweenIsNoNegativeRate) {
  const StatisticsDelta delta = DeltaOf(At(100, 5000), At(101, 10));
  EXPECT_EQ(delta.operations.count("READ"), 0u);
  EXPECT_EQ(DeltaOf(At(100, 5000), At(2, 10)).seconds, 0);
  TopView view;
  view.Fail("gone");
  EXPECT_THAT(Text(view, 80, 24), HasSubstr("gone"));
}

}  // namespace
}  // namespace tools
