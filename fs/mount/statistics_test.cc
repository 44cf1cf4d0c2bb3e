#include "fs/mount/statistics.h"

#include <string>
#include <vector>

#include "base/testing/status_matchers.h"
#include "fs/cache/latency.h"
#include "fs/mount/engine_statistics.h"
#include "fs/mount/testing/exposition.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace fs {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

Statistics Full() {
  Statistics statistics = Sample();
  Statistics::Writes* const writes = statistics.mutable_writes();
  writes->set_pending_writes(3);
  writes->set_buffered_bytes(1000);
  writes->set_buffer_utilisation(0.25);
  writes->set_average_batch_size(4);
  writes->set_flushes_per_second(0.1);
  writes->set_write_amplification(1.5);
  LatencyCounter counter;
  for (int i = 0; i < 100; ++i) counter.Add(i < 99 ? 5000 : 40'000'000'000);  // one beyond the last bound
  *writes->mutable_commit() = LatencyOf(counter.Snapshot());
  Statistics::Operation& operation = (*statistics.mutable_operations())["READ"];
  operation.set_count(100);
  *operation.mutable_latency() = LatencyOf(counter.Snapshot());
  statistics.mutable_reads()->set_read_ahead_used_bytes(4096);
  statistics.mutable_reads()->set_read_ahead_wasted_bytes(8192);
  (*statistics.mutable_caches())["blocks"].set_hit_ratio(0.5);
  statistics.mutable_evictions()->set_files(2);
  for (const char* const directory : {"/a", "/b \"quoted\"\n"}) {
    Statistics::Policy* const policy = statistics.add_policies();
    policy->set_id(static_cast<uint32_t>(statistics.policies_size()));
    policy->set_directory(directory);
    policy->set_kind("lru");
    policy->set_bytes(77);
  }
  (*statistics.mutable_chunks())["pack"].set_used_bytes(500);
  statistics.mutable_log()->set_used_bytes(12);
  statistics.mutable_checkpoint()->set_age_seconds(7);
  return statistics;
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

TEST(StatisticsTest, AStrictReaderHasNothingToComplainOf) {
  for (const Statistics& statistics : {Statistics(), Sample(), Full()}) {
    EXPECT_THAT(testing::ReadExposition(StatisticsPrometheus(statistics)).problems, IsEmpty());
  }
}

TEST(StatisticsTest, PrometheusHasEveryFigure) {
  const testing::Exposition read = testing::ReadExposition(StatisticsPrometheus(Full()));
  const auto value = [&read](const std::string& name) {
    const auto family = read.families.find(name);
    return family == read.families.end() || family->second.samples.empty() ? -1 : family->second.samples[0].value;
  };
  EXPECT_EQ(value("cachefs_pending_writes"), 3);
  EXPECT_EQ(value("cachefs_buffered_bytes"), 1000);
  EXPECT_EQ(value("cachefs_buffer_utilisation_ratio"), 0.25);
  EXPECT_EQ(value("cachefs_batch_size_average"), 4);
  EXPECT_EQ(value("cachefs_flushes_per_second"), 0.1);
  EXPECT_EQ(value("cachefs_write_amplification_ratio"), 1.5);
  EXPECT_EQ(value("cachefs_read_ahead_used_bytes_total"), 4096);
  EXPECT_EQ(value("cachefs_read_ahead_wasted_bytes_total"), 8192);
  EXPECT_EQ(value("cachefs_cache_hit_ratio"), 0.5);
  EXPECT_EQ(value("cachefs_evicted_files_total"), 2);
  EXPECT_EQ(value("cachefs_policy_used_bytes"), 77);
  EXPECT_EQ(value("cachefs_chunk_used_bytes"), 500);
  EXPECT_EQ(value("cachefs_log_used_bytes"), 12);
  EXPECT_EQ(value("cachefs_checkpoint_age_seconds"), 7);
  const std::vector<testing::ExpositionSample>& percentiles =
      read.families.at("cachefs_request_percentile_seconds").samples;
  ASSERT_EQ(percentiles.size(), 3u);
  EXPECT_EQ(percentiles[2].labels.at("percentile"), "99.9");
  const std::vector<testing::ExpositionSample>& buckets = read.families.at("cachefs_request_seconds").samples;
  EXPECT_EQ(buckets.back().value, 100);  // _count
}

TEST(StatisticsTest, PercentilesAreAtMostTwiceTooLarge) {
  LatencyCounter counter;
  for (int i = 0; i < 990; ++i) counter.Add(3000);
  for (int i = 0; i < 9; ++i) counter.Add(1'000'000);
  counter.Add(50'000'000);
  const Latency latency = LatencyOf(counter.Snapshot());
  EXPECT_EQ(latency.count(), 1000u);
  EXPECT_GE(latency.p50_seconds(), 3e-6);
  EXPECT_LE(latency.p50_seconds(), 6e-6);
  EXPECT_LE(latency.p99_seconds(), 6e-6);
  EXPECT_GE(latency.p999_seconds(), 1e-3);
  EXPECT_LE(latency.p999_seconds(), 2.1e-3);
  EXPECT_EQ(latency.max_seconds(), 0.05);
}

TEST(StatisticsTest, OtherTreesHaveNone) {
  EXPECT_THAT(ReadStatistics("/proc"), base::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ReadStatistics("/none/at/all"), base::StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace fs
