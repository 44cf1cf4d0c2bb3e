// The texts of `.cachefs`: statistics, events, traces, and who may read them.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/testing/status_matchers.h"
#include "fs/format/crc32c.h"
#include "fs/mount/statistics.h"
#include "fs/mount/testing/exposition.h"
#include "fs/mount/testing/shared_mount.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fs::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControlMountTest : public SharedMountTest {
 protected:
  std::string Text(absl::string_view name) { return ReadAll(At(absl::StrCat(".cachefs/", name))); }
  void SetPolicy(const std::string& directory, const char* field, const std::string& value) {
    const std::string name = absl::StrCat("user.cachefs.", field);
    ASSERT_EQ(setxattr(directory.c_str(), name.c_str(), value.data(), value.size(), 0), 0) << strerror(errno);
  }
};

TEST_F(ControlMountTest, StatisticsPassTheStrictReaderAndTellOfWork) {
  ASSERT_TRUE(WriteAll(At("f"), std::string(100000, 'f')));
  const base::Fd file(open(At("f").c_str(), O_RDWR));
  ASSERT_EQ(fsync(file.get()), 0);
  EXPECT_EQ(ReadAll(At("f")).size(), 100000u);
  const Exposition stats = ReadExposition(Text("stats"));
  EXPECT_THAT(stats.problems, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Statistics statistics, ReadStatistics(directory_));
  EXPECT_GT(statistics.operations().at("FSYNC").latency().count(), 0u);
  EXPECT_GT(statistics.operations().at("FSYNC").latency().p50_seconds(), 0);
  EXPECT_GE(statistics.operations().at("FSYNC").latency().p999_seconds(),
            statistics.operations().at("FSYNC").latency().p50_seconds());
  EXPECT_GT(statistics.writes().commit().count(), 0u);
  EXPECT_GT(statistics.writes().write_amplification(), 0);
  EXPECT_GT(statistics.writes().average_batch_size(), 0);
  EXPECT_EQ(statistics.caches().count("blocks"), 1u);
  EXPECT_EQ(statistics.caches().count("write_buffer"), 1u);
  EXPECT_GT(statistics.log().size_bytes(), 0u);
  EXPECT_GT(statistics.chunks().at("free").count(), 0u);
  EXPECT_LT(statistics.requests_under_way(), 100u);
}

TEST_F(ControlMountTest, EvictionsAreCountedByPolicyAndListedAsEvents) {
  const std::string cache = At("cache");
  ASSERT_EQ(mkdir(cache.c_str(), 0755), 0);
  SetPolicy(cache, "policy", "lru");
  SetPolicy(cache, "quota", "1M");
  for (int i = 0; i < 32; ++i) {
    ASSERT_TRUE(WriteAll(absl::StrCat(cache, "/f", i), std::string(64 << 10, 'x')));
  }
  ASSERT_OK_AND_ASSIGN(const Statistics statistics, ReadStatistics(directory_));
  const auto policy = std::find_if(statistics.policies().begin(), statistics.policies().end(), [](const auto& each) {
    return each.directory() == "/EvictionsAreCountedByPolicyAndListedAsEvents/cache";
  });
  ASSERT_NE(policy, statistics.policies().end());
  EXPECT_EQ(policy->kind(), "lru");
  EXPECT_EQ(policy->quota_bytes(), 1u << 20);
  EXPECT_LE(policy->bytes(), 1u << 20);
  EXPECT_GE(policy->evicted_files(), 16u);
  EXPECT_GE(policy->lookups(), 32u) << "each creation looks for the name first";
  EXPECT_GE(statistics.evictions().files(), policy->evicted_files());
  const std::string events = Text("events");
  EXPECT_THAT(events, HasSubstr("\"kind\":\"evicted\""));
  EXPECT_THAT(events, HasSubstr("EvictionsAreCountedByPolicyAndListedAsEvents/cache/f0\""));
  EXPECT_EQ(Text(absl::StrCat("events@", statistics.events())), "");
  EXPECT_THAT(ReadExposition(Text("stats")).problems, IsEmpty());
}

TEST_F(ControlMountTest, ACrcIsKnownWithoutReading) {
  std::string text;
  for (int i = 0; i < 3'000'000; ++i) text.push_back(static_cast<char>(i * 31 + i / 4096));
  ASSERT_TRUE(WriteAll(At("f"), text));
  const base::Fd file(open(At("f").c_str(), O_RDWR));
  ASSERT_EQ(fsync(file.get()), 0);
  ASSERT_OK_AND_ASSIGN(const Statistics before, ReadStatistics(directory_));
  std::string crc(64, '\0');
  const ssize_t size = getxattr(At("f").c_str(), "user.cachefs.crc32c.hex", crc.data(), crc.size());
  ASSERT_EQ(size, 8);
  EXPECT_EQ(crc.substr(0, 8), absl::StrCat(absl::Hex(Crc32c(text.data(), text.size()), absl::kZeroPad8)));
  ASSERT_OK_AND_ASSIGN(const Statistics after, ReadStatistics(directory_));
  EXPECT_EQ(after.engine().at("reads_total"), before.engine().at("reads_total"));
  EXPECT_EQ(after.operations().count("READ"), before.operations().count("READ"));
}

TEST_F(ControlMountTest, ATraceHasRequestsAndCommits) {
  static_cast<void>(Text("trace"));
  ASSERT_TRUE(WriteAll(At("f"), "x"));
  const base::Fd file(open(At("f").c_str(), O_RDWR));
  ASSERT_EQ(fsync(file.get()), 0);
  const std::string trace = Text("trace");
  EXPECT_THAT(trace, HasSubstr(" request WRITE "));
  EXPECT_THAT(trace, HasSubstr(" request FSYNC "));
  EXPECT_THAT(trace, HasSubstr(" engine commit "));
}

TEST_F(ControlMountTest, WhatNamesFilesIsForRootAndTheDaemonsUser) {
  SKIP_UNLESS_ROOT();
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  for (const char* const name : {"events", "trace", "map"}) {
    const std::string path = At(absl::StrCat(".cachefs/", name));
    EXPECT_EQ(RunAs(1000, 1000, {}, [&] { return ErrnoOf(open(path.c_str(), O_RDONLY)); }), EACCES) << name;
    // Nor by a node that root has looked up.
    static_cast<void>(ReadAll(path));
    EXPECT_EQ(RunAs(1000, 1000, {}, [&] { return ErrnoOf(open(path.c_str(), O_RDONLY)); }), EACCES) << name;
  }
  const std::string stats = At(".cachefs/stats");
  EXPECT_EQ(RunAs(1000, 1000, {}, [&] { return ReadAll(stats).empty() ? 1 : 0; }), 0);
}

TEST_F(ControlMountTest, NothingElseIsThere) {
  for (const char* const name : {"none", "events@", "events@x", "@1", "stats@-1"}) {
    EXPECT_EQ(ErrnoOf(open(At(absl::StrCat(".cachefs/", name)).c_str(), O_RDONLY)), ENOENT) << name;
  }
  // Root may open anything; nothing can be written.
  const base::Fd events(open(At(".cachefs/events").c_str(), O_WRONLY));
  if (events.get() >= 0) {
    EXPECT_EQ(ErrnoOf(write(events.get(), "x", 1)), EPERM);
  }
}

}  // namespace
}  // namespace fs::testing
