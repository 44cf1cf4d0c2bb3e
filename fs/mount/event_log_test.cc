#include "fs/mount/event_log.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace fs {
namespace {

TEST(EventLogTest, EachLineIsJsonWhateverAFileIsCalled) {
  base::ManualClock clock(1'700'000'000'250'000'000);
  EventLog log(clock);
  log.Add({.kind = MountEvent::Kind::kEvicted, .path = "a\"\n\xff", .inode = 7, .size_bytes = 4096, .message = ""});
  const std::string text = log.Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const nlohmann::json line = nlohmann::json::parse(text);
  EXPECT_EQ(line["number"], 1);
  EXPECT_EQ(line["time"], "2023-11-14T22:13:20.250Z");
  EXPECT_EQ(line["kind"], "evicted");
  EXPECT_EQ(line["path"], "a\"\n\xef\xbf\xbd");
  EXPECT_EQ(line["size_bytes"], 4096);
  EXPECT_FALSE(line.contains("message"));
}

TEST(EventLogTest, IsBoundedAndGoesOnWhereAReaderWas) {
  EventLog log(base::Clock::Real());
  for (size_t i = 0; i < EventLog::kEventsMax + 5; ++i) {
    log.Add({.kind = MountEvent::Kind::kError, .path = "", .inode = 0, .size_bytes = 0,
             .message = std::string(EventLog::kTextBytesMax + 1, 'x')});
  }
  EXPECT_EQ(log.count(), EventLog::kEventsMax + 5);
  const std::string newest = log.Text(EventLog::kEventsMax + 4);
  EXPECT_EQ(nlohmann::json::parse(newest)["number"], EventLog::kEventsMax + 5);
  EXPECT_EQ(nlohmann::json::parse(newest)["message"].get<std::string>().size(), EventLog::kTextBytesMax);
  const std::string all = log.Text();
  EXPECT_EQ(nlohmann::json::parse(all.substr(0, all.find('\n')))["number"], 6);
  EXPECT_EQ(log.Text(log.count()), "");
}

}  // namespace
}  // namespace fs
