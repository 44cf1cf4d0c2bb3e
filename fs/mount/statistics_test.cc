#include "fs/mount/statistics.h"

#include <linux/fuse.h>

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::testing::HasSubstr;

Statistics Sample() {
  Statistics statistics;
  statistics.set_version("1.2.3");
  statistics.set_store("/var/\"odd\".img");
  statistics.set_mount_point("/mnt");
  statistics.set_uptime_seconds(90);
  statistics.mutable_space()->set_total_bytes(uint64_t{8} << 30);
  statistics.mutable_space()->set_free_bytes(uint64_t{6} << 30);
  (*statistics.mutable_requests())["LOOKUP"] = 1234567;
  (*statistics.mutable_engine())["flushes_total"] = 7;
  return statistics;
}

TEST(StatisticsTest, OpcodesHaveTheKernelsNames) {
  EXPECT_STREQ(OpcodeName(FUSE_LOOKUP), "LOOKUP");
  EXPECT_STREQ(OpcodeName(FUSE_WRITE), "WRITE");
  EXPECT_STREQ(OpcodeName(FUSE_FSYNC), "FSYNC");
  EXPECT_STREQ(OpcodeName(FUSE_CREATE), "CREATE");
  EXPECT_STREQ(OpcodeName(FUSE_READDIRPLUS), "READDIRPLUS");
  EXPECT_STREQ(OpcodeName(FUSE_COPY_FILE_RANGE), "COPY_FILE_RANGE");
  EXPECT_STREQ(OpcodeName(FUSE_TMPFILE), "TMPFILE");
  EXPECT_STREQ(OpcodeName(0), "");
  EXPECT_STREQ(OpcodeName(4096), "");
}

TEST(StatisticsTest, JsonKeepsEveryNumber) {
  const std::string json = StatisticsJson(Sample());
  Statistics back;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &back).ok()) << json;
  EXPECT_EQ(back.SerializeAsString().size(), Sample().SerializeAsString().size());
  EXPECT_EQ(back.requests().at("LOOKUP"), 1234567);
  EXPECT_THAT(json, HasSubstr("\"total_bytes\""));
}

TEST(StatisticsTest, TableIsForPeople) {
  const std::string table = StatisticsTable(Sample());
  EXPECT_THAT(table, HasSubstr("used                         2.0 GiB\n"));
  EXPECT_THAT(table, HasSubstr("requests LOOKUP              1,234,567\n"));
  EXPECT_THAT(table, HasSubstr("up                           1m 30s\n"));
}

TEST(StatisticsTest, PrometheusQuotesLabelsAndTypesCounters) {
  const std::string text = StatisticsPrometheus(Sample());
  EXPECT_THAT(text, HasSubstr("# TYPE cachefs_size_bytes gauge\n"
                              "cachefs_size_bytes{mount=\"/mnt\",store=\"/var/\\\"odd\\\".img\"} 8589934592\n"));
  EXPECT_THAT(text, HasSubstr("opcode=\"LOOKUP\"} 1234567\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE cachefs_engine_flushes_total counter\n"));
}

TEST(StatisticsTest, OtherTreesHaveNone) {
  EXPECT_THAT(ReadStatistics("/proc"), base::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ReadStatistics("/none/at/all"), base::StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace fs
