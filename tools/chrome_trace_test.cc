#include "tools/chrome_trace.h"

#include <map>
#include <string>

#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tools {
namespace {

using base::StatusIs;

TEST(ChromeTraceTest, EventsThatOverlapGetLanesOfTheirOwn) {
  TraceCollector collector;
  ASSERT_OK(collector.Add("1 request READ 1000 9000 7 42 4096 0 5\n2 request WRITE 2000 3000 8 42 100 0 0\n"));
  ASSERT_OK(collector.Add("3 request LOOKUP 4000 5000 1 42 50 0 2\n4 engine commit 2500 8000 17 0 8192 3 0\n"));
  const nlohmann::json trace = nlohmann::json::parse(ChromeTrace(collector.events(), "/mnt"));
  std::map<std::string, nlohmann::json> events;
  for (const nlohmann::json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") events[event["name"]] = event;
  }
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events["READ"]["ts"], 0.0);
  EXPECT_EQ(events["READ"]["dur"], 8.0);
  EXPECT_EQ(events["READ"]["tid"], 0);
  EXPECT_EQ(events["READ"]["args"]["errno"], 5);
  EXPECT_EQ(events["WRITE"]["tid"], 1);
  EXPECT_EQ(events["LOOKUP"]["tid"], 1) << "free again";
  EXPECT_EQ(events["commit"]["tid"], 0);
  EXPECT_NE(events["commit"]["pid"], events["READ"]["pid"]);
  EXPECT_EQ(events["commit"]["args"]["items"], 3);
}

TEST(ChromeTraceTest, EachEventCountsOnceAndWhatIsMissingIsKnown) {
  TraceCollector collector;
  ASSERT_OK(collector.Add("5 request READ 1 2 7 1 1 0 0\n"));
  ASSERT_OK(collector.Add("5 request READ 1 2 7 1 1 0 0\n9 request READ 3 4 7 1 1 0 0\n"));
  EXPECT_EQ(collector.events().size(), 2u);
  EXPECT_EQ(collector.missed(), 3u);
  EXPECT_EQ(collector.last_number(), 9u);
}

TEST(ChromeTraceTest, OtherTextIsNoTrace) {
  for (const char* const text : {"x", "1 request READ 2 1 7 1 1 0 0", "1 request READ 1 2 7 1 1 0", "1 request READ 1 2 7 1 1 0 0 0",
                                 "-1 request READ 1 2 7 1 1 0 0", "1  READ 1 2 7 1 1 0 0"}) {
    TraceCollector collector;
    EXPECT_THAT(collector.Add(text), StatusIs(absl::StatusCode::kDataLoss)) << text;
  }
}

}  // namespace
}  // namespace tools
