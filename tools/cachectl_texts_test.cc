// What cachectl's policy, map and watch commands say, without a mount.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "fs/volume/space_map.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pugixml.hpp"
#include "tools/cachectl_policy.h"
#include "tools/cachectl_watch.h"
#include "tools/dashboard_server.h"
#include "tools/space_map_svg.h"

namespace tools {
namespace {

using base::StatusIs;
using ::testing::HasSubstr;

std::string Refusal(const std::vector<std::string>& words) {
  return std::string(ParseAssignments(words).status().message());
}

TEST(PolicyCommandTest, NonsenseIsRefusedWithWhatWouldHaveBeenRight) {
  EXPECT_OK(ParseAssignments({"policy=lru", "quota=10G", "ttl=7d", "digest=sha256,crc32c", "compress=none"}));
  EXPECT_OK(ParseAssignments({"ttl="}));
  EXPECT_THAT(Refusal({"lru"}), HasSubstr("FIELD=VALUE"));
  EXPECT_THAT(Refusal({"quotas=1G"}), HasSubstr("did you mean quota?"));
  EXPECT_THAT(Refusal({"colour=red"}), HasSubstr("there are policy, quota"));
  EXPECT_THAT(Refusal({"policy=sometimes"}), HasSubstr("keep, lru or fifo"));
  EXPECT_THAT(Refusal({"quota=lots"}), HasSubstr("such as 10G"));
  EXPECT_THAT(Refusal({"quota=-1"}), HasSubstr("such as 10G"));
  EXPECT_THAT(Refusal({"ttl=yesterday"}), HasSubstr("such as 7d"));
  EXPECT_THAT(Refusal({"ttl=-5s"}), HasSubstr("such as 7d"));
  EXPECT_THAT(Refusal({"ttl=10ms"}), HasSubstr("at least a second"));
  EXPECT_THAT(Refusal({"digest=md5"}), HasSubstr("sha256"));
  EXPECT_THAT(Refusal({"compress=rar"}), HasSubstr("none"));
  EXPECT_THAT(Refusal({"quota=1G", "quota=2G"}), HasSubstr("twice"));
}

TEST(PolicyCommandTest, ValuesAreForPeople) {
  EXPECT_EQ(HumanField("quota", "1048576"), "1.0 MiB");
  EXPECT_EQ(HumanField("quota", "0"), "none");
  EXPECT_EQ(HumanField("usage", "1234 1048576"), "1.0 MiB in 1,234 files and directories");
  EXPECT_EQ(HumanField("policy", "lru"), "lru");
  fs::Statistics statistics;
  fs::Statistics::Policy* const policy = statistics.add_policies();
  policy->set_kind("lru");
  policy->set_directory("/cache");
  policy->set_bytes(512);
  policy->set_quota_bytes(1024);
  policy->set_lookups(4);
  policy->set_hit_ratio(0.75);
  EXPECT_THAT(PolicyTable(statistics), HasSubstr("50%"));
  EXPECT_THAT(PolicyTable(statistics), HasSubstr("75.0%"));
}

TEST(WatchCommandTest, LinesAreWhatHappenedInBetween) {
  fs::Statistics before, now;
  before.set_uptime_seconds(1);
  now.set_uptime_seconds(3);
  (*now.mutable_operations())["READ"].set_count(200);
  now.mutable_writes()->set_user_bytes(4096);
  now.mutable_evictions()->set_files(7);
  const std::string line = WatchLine(before, now);
  EXPECT_EQ(line.size(), WatchHead().size());
  EXPECT_THAT(line, HasSubstr("100/s"));
  EXPECT_THAT(line, HasSubstr("2.0 KiB"));
}

TEST(WatchCommandTest, EventsAreForPeopleAndHarmless) {
  EXPECT_EQ(EventLine("{\"number\":1,\"time\":\"T\",\"kind\":\"evicted\",\"path\":\"a\\u001bz\",\"size_bytes\":4096}"),
            "T  evicted   /a\\x1bz  4.0 KiB");
  EXPECT_EQ(EventLine("nonsense"), "nonsense");
}

TEST(SpaceMapSvgTest, IsXmlWithASquareForEachChunk) {
  fs::SpaceMap map;
  map.chunk_bytes = 1 << 20;
  map.directories = {"/a<b>&\"\x01", "/c"};
  for (uint64_t i = 0; i < 500; ++i) {
    map.chunks.push_back({i % 5 == 0 ? "pack" : "free", i % 5 == 0 ? i * 1000 : 0, i, 0,
                          i % 5 == 0 ? i % 2 : fs::SpaceMap::kNoDirectory});
  }
  pugi::xml_document document;
  const std::string svg = SpaceMapSvg(map, "a <title>");
  ASSERT_TRUE(document.load_string(svg.c_str())) << svg;
  EXPECT_EQ(document.select_nodes("/svg/g").size(), 500u);
  EXPECT_EQ(document.select_nodes("/svg/g/rect").size(), 500u + 99u) << "and what is in use of it";
  EXPECT_THAT(document.select_node("/svg/g[11]/title").node().text().get(), HasSubstr("chunk 10: pack, 9.8 KiB in use"));
}

TEST(SpaceMapSvgTest, LargeDevicesShareSquares) {
  fs::SpaceMap map;
  map.chunk_bytes = 1 << 20;
  map.chunks.resize(3 * kSquaresMax + 1, {"extent", 1 << 20, 1, 0, fs::SpaceMap::kNoDirectory});
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(SpaceMapSvg(map, "large").c_str()));
  EXPECT_LE(document.select_nodes("/svg/g").size(), kSquaresMax);
  EXPECT_TRUE(document.load_string(SpaceMapSvg(fs::SpaceMap(), "empty").c_str()));
}

TEST(DashboardTest, Addresses) {
  ASSERT_OK_AND_ASSIGN(const ListenAddress address, ParseListenAddress("127.0.0.1:80"));
  EXPECT_EQ(address.host, "127.0.0.1");
  EXPECT_EQ(address.port, 80);
  ASSERT_OK_AND_ASSIGN(const ListenAddress six, ParseListenAddress("[::1]:0"));
  EXPECT_EQ(six.host, "[::1]");
  for (const char* const text : {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "[::1]", "h:-1"}) {
    EXPECT_THAT(ParseListenAddress(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace tools
